"""Answers are declared once: what is declared is what is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import issuer, rooms, signed, webhook
from chalicelib.entries import Entry, IssuedPrivateMapKey, IssuedUserSig, ReportGrant
from chalicelib.schema import Array, Record
from chalicelib.trtc.identifiers import parse_room

if TYPE_CHECKING:
    from types import ModuleType

MODULES: tuple[ModuleType, ...] = (issuer, rooms, webhook, signed)
RECORDS = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Record) and not name.endswith("REQUEST")
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_member_is_an_attribute(name: str) -> None:
    """An answer's declaration names attributes that its Python type has, and leaves none out."""
    record: Record[Any] = RECORDS[name]
    make: Any = record.make
    attributes = {field.into for field in record.fields.values()}
    assert all(hasattr(make, attribute) for attribute in attributes)
    if make.__module__.startswith(("chalicelib.api", "chalicelib.entries")):
        assert attributes == set(make._fields)


@pytest.mark.parametrize("name", RECORDS)
def test_alternatives_say_which_one_holds(name: str) -> None:
    """Members that share an attribute can be told apart when they are written."""
    by_attribute: dict[str, list[Any]] = {}
    for field in RECORDS[name].fields.values():
        by_attribute.setdefault(field.into, []).append(field)
    alternatives = [fields for fields in by_attribute.values() if len(fields) > 1]
    assert all(field.when for fields in alternatives for field in fields)


def test_nothing_issued_is_shown() -> None:
    """The reprs of what holds a ticket or a token hide it."""
    secret = "eJw-secret"
    grant = ReportGrant("https://example.test", "https://example.test/roster", secret, 1, 1)
    entry = Entry(1, "a", parse_room(1), [], "k", secret, 1, secret, 1, None, secret, grant)
    user_sig = IssuedUserSig(1, "a", secret, 1, "k")
    private_map_key = IssuedPrivateMapKey(1, "a", parse_room(1), [], secret, 1, "k")
    assert secret not in repr((grant, entry, user_sig, private_map_key))


def test_lists_hold_records() -> None:
    """The sample is not empty: pages hold records in arrays."""
    arrays = [
        field.type
        for record in RECORDS.values()
        for field in record.fields.values()
        if isinstance(field.type, Array)
    ]
    assert any(isinstance(array.item, Record) for array in arrays)
