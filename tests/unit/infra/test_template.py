from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.layout import FUNCTIONS
from infra.package import target
from infra.package.template import deep_merge, environment, merge_document

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(value=JSON)
def test_merging_nothing_and_merging_itself_change_nothing(value: Any) -> None:
    """An empty object over an object, or anything over itself, leaves it as it is."""
    assert deep_merge(value, value) == value
    if isinstance(value, dict):
        assert deep_merge(value, {}) == value


@given(base=JSON, over=JSON)
def test_what_the_upper_one_says_stands(base: Any, over: Any) -> None:
    """Every leaf of the upper value is in the result, at its place."""
    merged = deep_merge(base, over)
    for path, leaf in _leaves(over):
        found = merged
        for key in path:
            found = found[key]
        assert found == leaf


def test_lists_are_replaced_and_objects_merged() -> None:
    """As Chalice merges."""
    base = {"a": {"x": 1, "list": [1, 2]}, "b": 1}
    over = {"a": {"list": [3]}, "c": 2}
    assert deep_merge(base, over) == {"a": {"x": 1, "list": [3]}, "b": 1, "c": 2}


def test_the_issuers_environment_follows_the_extension() -> None:
    """The extension's port is set where a layer is; its own cache is off, since ours decides."""
    issuer = next(each for each in FUNCTIONS if each.name == "issuer")
    template = merge_document(issuer, target.aws())
    without = environment(template, {"HasExtension": False})
    assert sorted(without) == [
        "ROOMGATE_KEY_STALE_HOURS",
        "ROOMGATE_REFRESH_SECONDS",
        "ROOMGATE_STACK",
        "ROOMGATE_WEBHOOK_URL",
    ]
    with_it = environment(template, {"HasExtension": True})
    assert with_it == without | {
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "2773",
        "PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED": "false",
    }


def test_the_other_functions_know_the_table() -> None:
    """Webhook writes for some days, and rooms knows how many; the others know no table."""
    names = {
        each.name: sorted(environment(merge_document(each, target.aws()), {}, each.handlers[-1]))
        for each in FUNCTIONS
        if each.name != "issuer"
    }
    both = ["HISTORY_DAYS", "REFRESH_SECONDS", "REPORT_DAYS", "STACK", "TABLE"]
    assert names == {
        "webhook": [f"ROOMGATE_{name}" for name in [*both, "WEB_ORIGINS"]],
        "rooms": [f"ROOMGATE_{name}" for name in both],
        "keeper": [
            "ROOMGATE_HISTORY_DAYS",
            "ROOMGATE_QUARANTINE_BUCKET",
            "ROOMGATE_STACK",
            "ROOMGATE_TABLE",
        ],
        "exporter": [
            "ROOMGATE_EXPORT_REPORTS",
            "ROOMGATE_LAKE_STREAM",
            "ROOMGATE_QUARANTINE_BUCKET",
            "ROOMGATE_STACK",
        ],
        "rotation": ["ROOMGATE_STACK"],
    }


def _leaves(value: Any) -> list[tuple[list[Any], Any]]:
    if not isinstance(value, dict):
        return [([], value)]
    return [([key, *path], leaf) for key, inner in value.items() for path, leaf in _leaves(inner)]
