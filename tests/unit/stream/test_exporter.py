"""A batch of the stream: what reaches Firehose, what has to come again, what is poison."""

from __future__ import annotations

import json
import random
import tracemalloc
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.stream.exporter import PART_BYTES, ExportedBatch
from chalicelib.stream.firehose import ROUNDS
from chalicelib.table.item_keys import ReporterKey
from chalicelib.trtc.identifiers import parse_room
from simulation.stream import stream_record
from tests.support.lake import (
    APP,
    T0,
    Shelf,
    StrictFirehose,
    Trouble,
    change_item,
    exporter,
    joins,
    leaves,
    refusal,
    report,
)

MEGABYTE = 1_000_000
POISON = change_item("9", 1, joins("eve")) | {"at": {"N": "never"}}


class Choosy(StrictFirehose):
    """A Firehose that refuses records of some rooms.

    Args:
        refused: how often it refuses a record that holds rows of a room, by the room.
    """

    def __init__(self, refused: dict[str, int]) -> None:
        super().__init__()
        self.refused = refused

    def _take(self, data: bytes) -> dict[str, str]:
        for room in self.refused:
            if self.refused[room] and f'"room":"{room}"'.encode() in data:
                self.refused[room] -= 1
                return {"ErrorCode": "InternalFailure", "ErrorMessage": "It is not you."}
        return super()._take(data)


class Refusing(StrictFirehose):
    """A Firehose whose every call fails with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def put_record_batch(self, **asked: Any) -> dict[str, Any]:
        """Fail."""
        self.calls.append(len(asked["Records"]))
        raise self.error


def stream(*items: dict[str, Any]) -> list[dict[str, Any]]:
    """Stream records of items, numbered from 1."""
    return [stream_record(each, sequence=number) for number, each in enumerate(items, 1)]


def failed(done: ExportedBatch) -> list[int]:
    """The sequence numbers that Lambda is told of."""
    return [int(each["itemIdentifier"]) for each in done.response["batchItemFailures"]]


def full(room: str, version: int = 1) -> dict[str, Any]:
    """A change that fills a Firehose record by itself."""
    return change_item(room, version, joins(*(f"u{number}" for number in range(500))))


def test_a_batch_becomes_one_record() -> None:
    """Few rows are one record of one call, whatever rooms they are of."""
    firehose = StrictFirehose()
    items = [change_item(str(room), 1, joins("anna", "berta")) for room in range(1, 51)]
    done = exporter(firehose).export(stream(*items))
    assert (done.rows, failed(done), len(done.poison), firehose.calls) == (100, [], 0, [1])
    assert len(firehose.rows) == 100


def test_a_batch_without_rows_makes_no_call() -> None:
    """Reports make none unless they are asked for."""
    firehose = StrictFirehose()
    item = report(ReporterKey(APP, parse_room(7), "anna"))
    done = exporter(firehose).export(stream(item))
    assert (done.rows, done.recorded, firehose.calls) == (0, None, [])
    done = exporter(firehose, reports=True).export(stream(item))
    assert [row["ev"] for row in firehose.rows] == ["report"]
    assert (done.rows, done.recorded) == (1, T0)


def test_the_oldest_row_says_how_far_behind_the_export_is() -> None:
    """By when it was recorded, not by when it happened."""
    late = change_item("7", 1, joins("anna", t=T0 - 3_600_000), at=T0 - 50)
    done = exporter(StrictFirehose()).export(stream(change_item("8", 1, joins("b")), late))
    assert done.recorded == T0 - 50


def test_only_what_failed_is_sent_again() -> None:
    """By the answer's rows; what Firehose has is not sent twice."""
    firehose = Choosy({"2": 2})
    done = exporter(firehose).export(stream(full("1"), full("2"), full("3")))
    assert firehose.calls == [3, 1, 1]
    assert [row["room"] for row in firehose.rows[::500]] == ["1", "3", "2"]
    assert (done.rows, done.failed_rows, failed(done)) == (1500, 0, [])
    assert done.reasons == {"InternalFailure": 2}


def test_pauses_grow_and_sending_ends() -> None:
    """Each about twice the one before; after five rounds it is the stream's turn."""
    pauses: list[float] = []
    firehose = Choosy({"1": ROUNDS})
    done = exporter(firehose, sleep=pauses.append).export(stream(full("1")))
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert (done.rows, done.failed_rows, failed(done)) == (0, 500, [1])


def test_of_a_room_that_failed_nothing_later_is_sent_and_others_go_on() -> None:
    """Its first record is where AWS goes on; the answer names it."""
    firehose = Choosy({"2": 99})
    items = [full("1"), full("2"), full("2", 2), full("3"), full("2", 3), full("3", 2)]
    done = exporter(firehose).export(stream(*items))
    assert failed(done) == [2]
    assert [(row["room"], row["ver"]) for row in firehose.rows[::500]] == [
        ("1", 1),
        ("3", 1),
        ("3", 2),
    ]
    assert (done.rows, done.failed_rows) == (1500, 1500)


def test_what_shares_a_record_with_a_room_that_failed_comes_again_too() -> None:
    """Nothing that was not sent counts as done."""
    small = change_item("4", 1, joins("anna"))
    big = [change_item("2", version, joins(*(f"u{n}" for n in range(300)))) for version in (1, 2)]
    more = [change_item("3", version, joins(*(f"u{n}" for n in range(299)))) for version in (1, 2)]
    firehose = Choosy({"2": 99})
    done = exporter(firehose).export(stream(small, *big, *more))
    there = {row["id"] for row in firehose.rows}
    assert done.rows == len(there)
    everything = exporter(whole := StrictFirehose()).export(stream(small, *big, *more))
    rooms_missing = {row["room"] for row in whole.rows if row["id"] not in there}
    assert everything.rows - done.rows == done.failed_rows
    assert "2" in rooms_missing
    firsts = {"4": 1, "2": 2, "3": 4}
    assert failed(done) == sorted(firsts[room] for room in rooms_missing)


def test_of_a_room_that_failed_in_one_part_nothing_is_sent_in_the_next() -> None:
    """A batch is sent in parts; the room's order holds across them."""
    many = [f"{number:032}" for number in range(15_000)]
    items = [change_item("1", 1, joins(*many)), change_item("2", 1, joins(*many))]
    items += [change_item(str(room), 2, joins("anna")) for room in (1, 2, 3)]
    firehose = Choosy({"1": 99})
    done = exporter(firehose).export(stream(*items))
    assert failed(done) == [1]
    assert {row["room"] for row in firehose.rows} == {"2", "3"}
    assert len(firehose.rows) == 15_002


@pytest.mark.parametrize(
    "error",
    [
        refusal("ServiceUnavailableException", 503),
        refusal("ThrottlingException"),
        refusal("LimitExceededException"),
        refusal("Unknown", 500),
        EndpointConnectionError(endpoint_url="https://firehose.test"),
    ],
)
def test_a_call_that_fails_is_made_again(error: Exception) -> None:
    """All of its records count as failed, and come again when it stays so."""
    firehose = Refusing(error)
    done = exporter(firehose).export(stream(full("1"), full("2")))
    assert firehose.calls == [2] * ROUNDS
    assert (done.rows, failed(done)) == (0, [1, 2])
    assert done.reasons.total() == 2 * ROUNDS


def test_a_firehose_that_is_down_is_not_asked_again_for_each_part() -> None:
    """The rest of the batch comes again anyway, from the first record on; the time is short."""
    firehose = Refusing(refusal("ServiceUnavailableException", 503))
    many = joins(*(f"{number:032}" for number in range(15_000)))
    items = [change_item(str(room), 1, many) for room in range(1, 5)]
    done = exporter(firehose).export(stream(*items))
    assert firehose.calls == [1] * ROUNDS
    assert (done.rows, failed(done)) == (0, [1])


def test_a_failure_that_does_not_pass_is_raised() -> None:
    """A missing right, or a delivery stream that is not there: people have to know."""
    with pytest.raises(ClientError):
        exporter(Refusing(refusal("AccessDeniedException"))).export(stream(full("1")))


def test_poison_goes_to_quarantine_and_blocks_nobody() -> None:
    """Neither its own room nor the others wait for it, and it does not come again."""
    firehose, shelf = StrictFirehose(), Shelf()
    good, later = change_item("1", 1, joins("anna")), change_item("9", 2, leaves("eve"))
    done = exporter(firehose, shelf).export(stream(good, POISON, later))
    assert [(row["room"], row["ver"]) for row in firehose.rows] == [("1", 1), ("9", 2)]
    assert (done.rows, len(done.poison), failed(done)) == (2, 1, [])
    (poison,) = shelf.poison
    assert poison["reason"] == "ValueError: the item is not as Roomgate writes it"
    assert (poison["partition"], int(poison["sequence"])) == (f"R#{APP}#9", 2)
    assert poison["record"] == stream_record(POISON, sequence=2)


def test_of_a_change_with_a_bad_row_the_good_ones_are_exported() -> None:
    """The bad row itself is quarantined, with the column that is wrong."""
    firehose, shelf = StrictFirehose(), Shelf()
    change = change_item("1", 1, joins("anna", "no such user", "carl"))
    done = exporter(firehose, shelf).export(stream(change))
    assert [row["user"] for row in firehose.rows] == ["anna", "carl"]
    assert (done.rows, len(done.poison)) == (2, 1)
    (poison,) = shelf.poison
    assert poison["reason"].startswith("user ")
    assert poison["row"]["id"] == f"{APP}/1/1/1"


def test_poison_that_cannot_be_kept_comes_again() -> None:
    """Until the quarantine takes it; nothing is lost."""
    shelf = Shelf()
    shelf.full = True
    done = exporter(StrictFirehose(), shelf).export(
        stream(change_item("1", 1, joins("anna")), POISON)
    )
    assert (done.rows, failed(done)) == (1, [2])


def peak_of(firehose: StrictFirehose, items: list[dict[str, Any]]) -> int:
    """The most bytes that exporting a batch takes, its event as Lambda parses it among them."""
    event = json.dumps(stream(*items))
    tracemalloc.start()
    try:
        done = exporter(firehose).export(json.loads(event))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failed(done) == []
    return peak


def test_a_batch_of_10000_records_takes_less_than_100_mb() -> None:
    """The most that AWS hands over at once, a join and a leave in each."""
    items = [
        change_item(str(1 + n % 700), 1 + n // 700, [*joins("anna"), *leaves("berta")])
        for n in range(10_000)
    ]
    sink = Sink()
    peak = peak_of(sink, items)
    assert sink.rows_taken == 20_000
    assert peak < 100 * MEGABYTE


def test_memory_grows_with_the_parts_and_not_with_the_rows() -> None:
    """Squeezed changes make many times their bytes of rows, which are sent part by part."""
    names = [f"{number:032}" for number in range(3000)]
    sink = Sink()
    items = [change_item(str(room), 1, joins(*names)) for room in range(1, 14)]
    one, all_of_them = peak_of(Sink(), items[:1]), peak_of(sink, items)
    assert sink.bytes_taken > 2 * PART_BYTES
    assert all_of_them < one + 2 * PART_BYTES


class Sink(StrictFirehose):
    """A Firehose that counts and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes_taken = self.rows_taken = 0

    def _take(self, data: bytes) -> dict[str, str]:
        self.bytes_taken += len(data)
        self.rows_taken += data.count(b"\n")
        return {"RecordId": "1"}


def test_trouble_of_every_kind_ends() -> None:
    """With half of all records refused, and calls and answers lost, some rows get through."""
    trouble = Trouble(entry=0.5, call=0.2, lost=0.2)
    firehose = StrictFirehose(random.Random(5), trouble)  # noqa: S311 (no secret)
    done = exporter(firehose).export(stream(*(full(str(room)) for room in range(1, 20))))
    assert 0 < done.rows <= 19 * 500
    there = {row["room"] for row in firehose.rows}
    assert {f"{room}" for room in range(1, 20)} - there <= {str(each) for each in failed(done)}
