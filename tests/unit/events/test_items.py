from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.events.items import (
    MOST_ITEM_BYTES,
    WHOLE_ITEM_BYTES,
    Place,
    Report,
    item_bytes,
    report_item,
    report_key,
    report_of,
)
from chalicelib.events.packing import pack, squeeze, unpack, unsqueeze
from chalicelib.roster.parse import ListTooLarge
from chalicelib.roster.view import View, view_of
from tests.support.lists import PREFIX, plain_view, views

EPOCH = 1_600_000_000_000
TTL = EPOCH // 1000 + 7 * 86_400
rooms = st.integers(1, 2**32 - 1) | st.sampled_from(["adbjkl", "123", "a#b", "~ !|"])


def report_with(view: View, room: int | str = 107688) -> Report:
    """A report of a view, 234 ms old when it was sent."""
    place = Place(1400037025, room, view.reporter)
    return Report(place, EPOCH, 7, EPOCH + 1234, 234, "client", view)


@given(views(), rooms, st.integers(0, 2**31 - 1), st.integers(0, 86_400_000))
def test_an_item_gives_back_the_report(view: View, room: int | str, seq: int, age: int) -> None:
    """What is stored is what was reported, whatever the playurls and the room's name."""
    report = report_with(view, room)._replace(seq=seq, age=age)
    assert report == report_of(report_item(report, TTL))


@given(views())
def test_a_list_is_packed_and_squeezed_without_loss(view: View) -> None:
    """Both forms of a stored list give back each user and its playurl."""
    assert view.others == unpack(pack(view.others))
    assert view.others == unpack(unsqueeze(squeeze(pack(view.others))))


def test_an_ordinary_list_names_its_playurls_once() -> None:
    """Playurls that differ by the userid alone cost one pattern for all of them."""
    others = {"anna_1": PREFIX + "anna_1", "b": PREFIX + "b", "c": None}
    pattern = PREFIX + "\\n"
    assert f'[["{pattern}","anna_1,b"],[null,"c"]]' == pack(others)


@pytest.mark.parametrize("members", [1, 2, 5, 20])
def test_a_small_list_stays_whole(members: int) -> None:
    """An item of up to 1 KB is one write unit whatever is done, and can be read by eye."""
    item = report_item(report_with(plain_view(members)), TTL)
    assert item_bytes(item) <= WHOLE_ITEM_BYTES
    assert "S" in item["list"]


@pytest.mark.parametrize(
    ("members", "length", "most"),
    [(30, 28, 1024), (50, 28, 1500), (1000, 28, 23_000), (5001, 32, 130_000)],
)
def test_a_large_list_is_compressed(members: int, length: int, most: int) -> None:
    """A list over 1 KB takes some 22 bytes a member; the largest fits three times over."""
    item = report_item(report_with(plain_view(members, length=length)), TTL)
    assert "B" in item["list"]
    assert item_bytes(item) <= most


def test_playurls_that_repeat_nothing_are_refused() -> None:
    """A list that no packing brings under DynamoDB's limit is refused before it is written."""
    chance = random.Random(1)  # noqa: S311 (noise, no secret)
    others: dict[str, str | None] = {
        f"u{number}": chance.randbytes(250).hex() for number in range(1700)
    }
    with pytest.raises(ListTooLarge) as caught:
        report_item(report_with(view_of("anna", others)), TTL)
    assert caught.value.code == "list-too-large"


def test_the_largest_item_is_within_dynamodbs_limit() -> None:
    """An item counts with its attribute names; 400 KB is AWS's limit for all of it."""
    assert MOST_ITEM_BYTES == 409_600
    assert item_bytes({"pk": {"S": "é"}, "n": {"N": "123"}, "b": {"B": b"1234"}}) == 4 + 4 + 5


def test_reports_sort_by_epoch_then_seq() -> None:
    """The order of the keys is the order of the reports."""
    place = Place(1, 2, "anna")
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
