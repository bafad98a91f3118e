from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.roster.signal import Order, PastReport, Source
from chalicelib.roster.userlist import ListTooLarge
from chalicelib.roster.view import View, set_hash, view_of
from chalicelib.table.item_keys import ReporterKey, item_bytes, report_key
from chalicelib.table.reports import (
    MOST_ITEM_BYTES,
    UNIT_BYTES,
    DeltaBase,
    Report,
    report_item,
    report_of,
    said_of,
    same_as_stored,
    signal_of,
)
from chalicelib.trtc.identifiers import parse_room
from tests.support.lists import plain_view, user_ids, views

if TYPE_CHECKING:
    from collections.abc import Collection

EPOCH = 1_600_000_000_000
TTL = EPOCH // 1000 + 7 * 86_400
rooms = st.integers(1, 2**32 - 1) | st.sampled_from(["adbjkl", "123", "a#b", "~ !|"])


def report_with(view: View | None, room: int | str = 107688, user: str = "anna") -> Report:
    """A report of a view, 234 ms old when it was sent."""
    place = ReporterKey(1400037025, parse_room(room), view.reporter if view else user)
    return Report(place, EPOCH, 7, EPOCH + 1234, 234, Source.CLIENT, view)


def roster(
    members: Collection[str], leaving: Collection[str] | None = (), version: int = 5
) -> DeltaBase:
    """A roster to write beside."""
    staying = set(members) - set(leaving or ())
    return DeltaBase(version, set_hash(staying), leaving, lambda: members)


NOTHING = roster((), version=0)
"""A room that was never seen."""


def never(version: int) -> Any:
    """No list that is stored whole may look at the roster of a version."""
    raise AssertionError(version)


@given(views(), rooms, st.integers(0, 2**31 - 1), st.integers(0, 86_400_000), st.booleans())
def test_an_item_gives_back_the_report(
    view: View,
    room: int | str,
    seq: int,
    age: int,
    resent: bool,  # noqa: FBT001 (drawn)
) -> None:
    """What is stored is what was reported, whatever the playurls and the room's name."""
    report = report_with(view, room)._replace(seq=seq, age=age, resent=resent)
    assert report == report_of(report_item(report, TTL, NOTHING), never)


@given(views(), st.sets(user_ids, max_size=8), st.sets(user_ids, max_size=4), st.booleans())
def test_a_difference_gives_back_the_report(
    view: View,
    strangers: set[str],
    leaving: set[str],
    large: bool,  # noqa: FBT001 (drawn)
) -> None:
    """Whatever the roster is that it is written beside, and whoever is about to leave it."""
    filler = dict.fromkeys(plain_view(60).others) if large else {}
    view = view_of(view.reporter, {**view.others, **filler})
    members = {*filler, *list(view.others)[::2], *strangers, *leaving}
    beside = roster(members, leaving & members)
    report = report_with(view)
    item = report_item(report, TTL, beside)
    assert report_of(item, {5: members}.__getitem__) == report
    assert ("base" in item) == large
    stored = signal_of(item, {5: members}.__getitem__)
    assert stored._replace(listed=frozenset()) == report.signal._replace(listed=frozenset())
    assert set(stored.listed) | {view.reporter} == {view.reporter, *view.others}


def test_a_difference_is_without_those_who_are_about_to_leave() -> None:
    """They are in the roster still, and not in the list, which states what the roster does."""
    view = plain_view(60)
    members = {view.reporter, *view.others, "zoe"}
    report = report_with(view)
    item = report_item(report, TTL, roster(members, {"zoe"}))
    assert "base" in item
    assert report_of(item, {5: members}.__getitem__) == report


def test_that_somebody_left_is_a_report_without_a_list() -> None:
    """It is stored, and read, and recalled as a list of nobody."""
    report = report_with(None)
    item = report_item(report, TTL, roster(["anna", "berta"]))
    assert report_of(item, never) == report
    assert signal_of(item, never) == report.signal
    assert said_of(item).members == 0
    assert same_as_stored(report, item)
    assert not same_as_stored(report_with(view_of("anna", {})), item)


@pytest.mark.parametrize("members", [1, 2, 5, 20])
def test_a_small_list_stays_whole(members: int) -> None:
    """An item of up to 1 KB is one write unit whatever is done, and can be read by eye."""
    view = plain_view(members)
    item = report_item(report_with(view), TTL, roster([view.reporter, *view.others]))
    assert item_bytes(item) <= UNIT_BYTES
    assert "base" not in item
    assert "S" in item["list"]


@pytest.mark.parametrize(
    ("members", "length", "most"),
    [(30, 28, 1024), (50, 28, 1600), (1000, 28, 23_000), (5001, 32, 130_000)],
)
def test_the_first_large_list_is_compressed(members: int, length: int, most: int) -> None:
    """With no roster to write it beside, it takes some 22 bytes a member."""
    view = plain_view(members, length=length)
    item = report_item(report_with(view), TTL, NOTHING)
    assert "base" not in item
    assert item_bytes(item) <= most


@pytest.mark.parametrize("members", [50, 1000, 5000])
@pytest.mark.parametrize("more", [0, 10])
def test_a_list_that_the_roster_nearly_holds_costs_one_write_unit(members: int, more: int) -> None:
    """However long it is; and if the roster states the same, its members are not even looked at."""
    view = plain_view(members)
    others = dict(list(view.others.items())[more:])
    here = [view.reporter, *others]
    beside = roster(here)
    if not more:
        beside = beside._replace(members=lambda: never(5))
    item = report_item(report_with(view), TTL, beside)
    assert item_bytes(item) <= UNIT_BYTES
    assert report_of(item, {5: here}.__getitem__).view == view


def test_a_list_that_has_little_to_do_with_the_roster_stays_whole() -> None:
    """The difference would be longer than the list."""
    view, other = plain_view(60), plain_view(60, seed=2)
    item = report_item(report_with(view), TTL, roster([other.reporter, *other.others]))
    assert "base" not in item
    assert report_of(item, never).view == view


def test_what_is_recalled_needs_no_other_item() -> None:
    """Of a difference the parts, of a whole list everyone, the reporter among them."""
    view = plain_view(60)
    here = [view.reporter, *list(view.others)[1:], "zoe"]
    said = said_of(report_item(report_with(view), TTL, roster(here)))
    common = (Order(EPOCH, 7), EPOCH + 1000, EPOCH + 1234, view.hash, 60)
    assert said == PastReport(*common, 5, {next(iter(view.others))}, {"zoe"})
    small = plain_view(3)
    said = said_of(report_item(report_with(small), TTL, roster(here)))
    assert (said.base, said.plus) == (None, {small.reporter, *small.others})


@pytest.mark.parametrize("members", [3, 60])
def test_the_same_report_is_known_again_however_it_is_written(members: int) -> None:
    """By the set and the playurls; neither the order of the list nor the roster beside counts."""
    view = plain_view(members)
    here = [view.reporter, *view.others]
    item = report_item(report_with(view), TTL, roster(here))
    backwards = view_of(view.reporter, dict(reversed(list(view.others.items()))))
    assert same_as_stored(report_with(backwards), item)
    for user in list(view.others)[:2]:
        for playurl in (None, "room://elsewhere/" + user):
            other = view_of(view.reporter, {**view.others, user: playurl})
            assert not same_as_stored(report_with(other), item)


def test_playurls_that_repeat_nothing_are_refused() -> None:
    """A list that no writing brings under DynamoDB's limit is refused before it is written."""
    chance = random.Random(1)  # noqa: S311 (noise, no secret)
    others: dict[str, str | None] = {
        f"u{number}": chance.randbytes(250).hex() for number in range(1700)
    }
    view = view_of("anna", others)
    for beside in (NOTHING, roster(["anna", *others])):
        with pytest.raises(ListTooLarge) as caught:
            report_item(report_with(view), TTL, beside)
        assert caught.value.code == "list-too-large"


def test_the_largest_item_is_within_dynamodbs_limit() -> None:
    """An item counts with its attribute names; 400 KB is AWS's limit for all of it."""
    assert MOST_ITEM_BYTES == 409_600
    assert item_bytes({"pk": {"S": "é"}, "n": {"N": "123"}, "b": {"B": b"1234"}}) == 4 + 4 + 5
    assert item_bytes({"yes": {"BOOL": True}, "l": {"L": [{"S": "ab"}, {"S": ""}]}}) == 4 + 8


def test_reports_sort_by_epoch_then_seq() -> None:
    """The order of the keys is the order of the reports."""
    place = ReporterKey(1, parse_room(2), "anna")
    orders = [(5, 9), (5, 10), (EPOCH, 0), (EPOCH, 2**31 - 1), (EPOCH + 1, 0)]
    keys = [report_key(place, epoch, seq)["sk"]["S"] for epoch, seq in orders]
    assert keys == sorted(keys)
    assert report_key(place, EPOCH, 7) == {
        "pk": {"S": "P#1#2#anna"},
        "sk": {"S": "E#1600000000000#0000000007"},
    }


def test_t_is_when_the_list_was_true() -> None:
    """A report that waited is dated by what the client says of its age."""
    assert report_with(plain_view(2)).t == EPOCH + 1000
