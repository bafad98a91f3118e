from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.table.list_codec import (
    WORTH_SQUEEZING,
    digest_of,
    groups_of,
    names_form,
    names_of,
    pack,
    read,
    unpack,
    written,
)
from tests.support.lists import PREFIX, user_ids, views

if TYPE_CHECKING:
    from chalicelib.roster.view import View


@given(views())
def test_a_list_is_packed_without_loss(view: View) -> None:
    """Each user and its playurl come back."""
    assert view.others == unpack(pack(groups_of(view.others)))


@given(views())
def test_a_list_has_one_text(view: View) -> None:
    """Its order counts for nothing, so a repeat in another order is known again."""
    backwards = dict(reversed(list(view.others.items())))
    assert pack(groups_of(view.others)) == pack(groups_of(backwards))


def test_an_ordinary_list_names_its_playurls_once() -> None:
    """Playurls that differ by the userid alone cost one pattern for all of them."""
    others = {"b": PREFIX + "b", "anna_1": PREFIX + "anna_1", "c": None}
    pattern = PREFIX + "\\n"
    assert f'[["{pattern}","anna_1,b"],[null,"c"]]' == pack(groups_of(others))


def test_the_pattern_of_most_users_comes_first() -> None:
    """So that it can stand for everyone who is not named."""
    others = {"a": None, "b": "x/b", "c": "x/c", "d": "y/d"}
    assert groups_of(others) == [("x/\n", ["b", "c"]), (None, ["a"]), ("y/\n", ["d"])]


@pytest.mark.parametrize("first", ["a", "aa", "ab_a"])
def test_a_list_of_one_pattern_is_grouped_like_any_other(first: str) -> None:
    """Userids that are parts of others, of playurls even, and whoever comes first."""
    users = [first, *({"a", "aa", "ab_a"} - {first})]
    for start in ("room://x/", "a", "xa"):
        others = {user: start + user for user in users}
        alone = [groups_of({user: others[user]}) for user in users]
        assert alone == [[(f"{start}\n", [user])] for user in users]
        assert groups_of(others) == [(f"{start}\n", ["a", "aa", "ab_a"])]
        odd = others | {"b": f"{start}b?x"}
        assert groups_of(odd) == [(f"{start}\n", ["a", "aa", "ab_a"]), (f"{start}\n?x", ["b"])]


@given(st.sets(user_ids))
def test_names_come_back(users: set[str]) -> None:
    """A comma cannot stand in a userid."""
    assert set(names_of(names_form(users))) == users


@pytest.mark.parametrize(
    ("length", "kind"), [(0, "S"), (WORTH_SQUEEZING - 1, "S"), (WORTH_SQUEEZING, "B")]
)
def test_what_is_short_can_be_read_by_eye(length: int, kind: str) -> None:
    """Longer text is compressed, and comes back as it was."""
    text = "x" * length
    value = written(text)
    assert list(value) == [kind]
    assert read(value) == text


def test_a_form_is_written_as_compact_json() -> None:
    """Other languages may read it."""
    assert written([1, "é", None]) == {"S": '[1,"é",null]'}


def test_a_digest_names_the_text() -> None:
    """It is 16 hex digits of its SHA-256."""
    assert digest_of("") == "e3b0c44298fc1c14"
