from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError

from chalicelib.roster.head import LEASE
from chalicelib.stream.keeper import may_succeed_later
from chalicelib.table.errors import HistoryGone, StoreUnavailable
from chalicelib.table.item_keys import RoomKey, change_key, head_key
from chalicelib.trtc.identifiers import parse_room
from simulation.kept import ROOM, T0, Kept
from simulation.stream import stream_record
from tests.support.keeping import Failing, failures, is_change, records, refusal

if TYPE_CHECKING:
    from simulation.stream import Record

OTHER = RoomKey(1400037025, parse_room("107688"))


@pytest.fixture
def client() -> Failing:
    """A table that refuses nothing yet."""
    return Failing()


@pytest.fixture
def kept(client: Failing) -> Kept:
    """That table with a keeper."""
    return Kept(client)


def test_as_a_rule_nothing_is_left_to_do(client: Failing, kept: Kept) -> None:
    """Twenty reports of one room cost one read of its head, and no write but sessions."""
    everyone = " ".join(f"user{number:02}" for number in range(20))
    for number in range(20):
        first, *rest = everyone.split()[number:] + everyone.split()[:number]
        kept.take(kept.report(" ".join([first, *rest]), number))
    told = records(client)
    client.reads.clear()
    before = len(client.log)
    batch = kept.keeper.keep(told, T0 + 2000)
    assert client.reads == [(ROOM.pk, "HEAD")]
    assert [new["pk"]["S"][:2] for _, _, new in client.log[before:] if new] == ["U#"] * 20
    assert batch.response == {"batchItemFailures": []}
    assert batch.counts == {"refolded": 20, "sessions": 20}


def test_what_a_dying_webhook_left_is_folded(kept: Kept) -> None:
    """Once it is stored it counts; who folds it is all the same."""
    kept.take(kept.report("anna"))
    kept.drop(kept.report("berta anna", 50))
    kept.drop(kept.report("carla anna berta", 90))
    assert kept.here() == {"anna"}
    kept.run(kept.pump())
    assert kept.here() == {"anna", "berta", "carla"}
    assert sum(batch.counts["healed"] for batch in kept.batches) == 2
    assert {each.user_id for each in kept.sessions()} == kept.here()


def test_what_waited_for_hours_is_folded_as_of_then(kept: Kept) -> None:
    """Nobody leaves and comes again for each report that finds the lease over by now."""
    for number, user in enumerate(("anna", "berta", "carla")):
        kept.drop(kept.report(" ".join([user, *{"anna", "berta", "carla"} - {user}]), number))
    kept.now = T0 + 2 * LEASE
    kept.run(kept.pump())
    story = [(each.user, each.joined) for each in kept.timeline()[ROOM]]
    assert sorted(story) == [("anna", True), ("berta", True), ("carla", True)]
    (change,) = kept.folder.table.changes(ROOM, 0, 1)
    assert ({each.t for each in change.transitions}, change.at) == ({T0}, kept.now)
    kept.folder.settle(ROOM, kept.now)
    assert kept.here() == set()


def test_others_who_write_the_room_all_the_time_make_it_come_again(
    client: Failing, kept: Kept
) -> None:
    """It is not given up: it fails, and is folded when it comes again."""
    kept.drop(kept.report("anna"))
    client.refuses = lambda operation, _pk: "TransactionConflict" * (operation == "transact")
    told = records(client)
    batch = kept.keeper.keep(told, T0)
    assert (failures(batch), batch.poison) == ([1], [])
    client.refuses = lambda _operation, _pk: ""
    assert kept.keeper.keep(told, T0).counts["healed"] == 1
    assert kept.here() == {"anna"}


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_room_that_fails_stops_and_others_go_on(client: Failing, kept: Kept, code: str) -> None:
    """The first record of each key that failed is named; nothing later of that key is done."""
    kept.drop(kept.report("anna"))
    kept.drop(kept.report("dora", ref=OTHER))
    kept.drop(kept.report("berta anna", 5))
    client.refuses = lambda _operation, pk: code * (pk == ROOM.pk)
    batch = kept.keeper.keep(records(client), T0)
    assert failures(batch) == [1]
    assert batch.reasons.total() == 1
    client.refuses = lambda _operation, _pk: ""
    assert (kept.here(), kept.here(OTHER)) == (set(), {"dora"})


def test_what_failed_is_named_from_the_lowest_on(client: Failing, kept: Kept) -> None:
    """Sequence numbers are numbers: the tenth comes after the ninth, whichever room is first."""
    kept.drop(kept.report("anna"))
    kept.drop(kept.report("dora", ref=OTHER))
    told = records(client)
    for record, number in zip(told, ("10", "9"), strict=True):
        record["dynamodb"]["SequenceNumber"] = number
    client.refuses = lambda _operation, _pk: "ThrottlingException"
    assert failures(kept.keeper.keep(told, T0)) == [9, 10]


def test_a_rooms_changes_stop_at_the_first_that_fails(client: Failing, kept: Kept) -> None:
    """Else a leave would find no session to close. What is said in the room is folded meanwhile."""
    kept.take(kept.report("anna berta"))
    kept.take(kept.report("anna", 5, seq=2))
    kept.folder.settle(ROOM, T0 + 60_000)
    kept.drop(kept.report("carla anna", 90_000))
    told = records(client)
    client.refuses = lambda _operation, pk: "ThrottlingException" * pk.endswith("#berta")
    batch = kept.keeper.keep(told, T0 + 90_000)
    first = next(place for place, each in enumerate(told) if is_change(each))
    assert failures(batch) == [int(told[first]["dynamodb"]["SequenceNumber"])]
    assert [each.user_id for each in kept.sessions()] == ["anna"]
    assert kept.here() == {"anna", "carla"}
    client.refuses = lambda _operation, _pk: ""
    again = kept.keeper.keep(told[first:], T0 + 90_000)
    assert failures(again) == []
    ended = {each.user_id: each.left is not None for each in kept.sessions()}
    assert ended == {"anna": False, "berta": True}


def broken(record: Record, how: str) -> None:
    """Spoil a record in a way that no retry can cure."""
    inside = record["dynamodb"]
    image = inside["NewImage"]
    if how == "key":
        inside["Keys"]["pk"]["S"] = image["pk"]["S"] = "P#no number#1#anna"
    elif how == "kind":
        inside["Keys"]["pk"]["S"] = image["pk"]["S"] = "X#1#1"
    elif how == "binary":
        image["list"] = {"B": "no base64!"}
    elif how == "squeezed":
        image["list"] = {"B": "bm90IGRlZmxhdGVk"}
    elif how == "json":
        image["list"] = {"S": "[["}
    elif how == "base":
        image |= {"base": {"N": "999"}, "list": {"S": '["","",[[null,"*"]]]'}}
    else:
        del image[how]


@pytest.mark.parametrize(
    "how", ["key", "kind", "binary", "squeezed", "json", "base", "hash", "received", "sk"]
)
def test_what_can_never_be_folded_is_kept_and_blocks_nobody(
    client: Failing, kept: Kept, how: str
) -> None:
    """It goes to the quarantine with its reason, and even its own room goes on."""
    kept.drop(kept.report("anna"))
    kept.drop(kept.report("berta anna", 5))
    kept.drop(kept.report("carla anna berta", 9))
    told = records(client)
    broken(told[1], how)
    batch = kept.keeper.keep(told, T0)
    assert failures(batch) == []
    (poison,) = kept.bucket.poison
    assert poison["record"] == told[1]
    assert poison["sequence"] == told[1]["dynamodb"]["SequenceNumber"]
    assert poison["reason"]
    assert "berta" not in poison["reason"]
    assert kept.here() == {"anna", "berta", "carla"}  # By carla's list.


def test_a_change_that_cannot_be_read_is_kept_and_the_next_is_written(
    client: Failing, kept: Kept
) -> None:
    """The one who came by it has no session; that is told when it leaves."""
    kept.take(kept.report("anna"))
    kept.take(kept.report("anna berta", 5, seq=2))
    kept.take(kept.report("anna", 9, seq=3))
    kept.folder.settle(ROOM, T0 + 60_000)
    told = [each for each in records(client) if is_change(each)]
    told[1]["dynamodb"]["NewImage"]["transitions"] = {"S": "[[1,2]]"}
    batch = kept.keeper.keep(told, T0)
    assert failures(batch) == []
    assert batch.counts["missing"] == 1
    assert len(kept.bucket.poison) == 1
    assert [each.user_id for each in kept.sessions()] == ["anna"]


def test_a_room_whose_history_is_gone_is_kept(client: Failing, kept: Kept) -> None:
    """What its members were cannot be read, so nothing of the room can be folded, ever."""
    chance = random.Random(1)  # noqa: S311 (noise, which takes room)
    kept.take(kept.report(" ".join(chance.randbytes(16).hex() for _ in range(300))))
    kept.drop(kept.report("zoe", 60_000))
    client.delete_item(TableName="events", Key=change_key(ROOM, 1))
    fresh = Kept(client)  # One that remembers no roster.
    batch = fresh.keeper.keep(records(client)[2:], T0)
    assert [each["reason"] for each in fresh.bucket.poison] == ["history-gone"]
    assert failures(batch) == []


def test_a_request_that_dynamodb_never_takes_is_poison(client: Failing, kept: Kept) -> None:
    """An item too large, for one; whether it stands alone or in a transaction."""
    kept.drop(kept.report("anna"))
    told = records(client)
    client.refuses = lambda operation, _pk: "ValidationError" * (operation == "transact")
    assert failures(kept.keeper.keep(told, T0)) == []
    client.refuses = lambda operation, _pk: "ValidationException" * (operation == "get")
    assert failures(kept.keeper.keep(told, T0)) == []
    reasons = [each["reason"] for each in kept.bucket.poison]
    assert reasons == [
        "AWS refused transact: TransactionCanceledException",
        "AWS refused get: ValidationException",
    ]


def test_poison_that_nothing_keeps_comes_again(client: Failing, kept: Kept) -> None:
    """Nothing is thrown away, so without a quarantine it has to fail."""
    kept.drop(kept.report("anna"))
    kept.drop(kept.report("berta anna", 5))
    told = records(client)
    broken(told[1], "hash")
    kept.bucket.full = True
    batch = kept.keeper.keep(told, T0)
    assert failures(batch) == [2]
    assert kept.here() == {"anna"}
    broken(told[0], "hash")
    assert failures(kept.keeper.keep(reversed(told), T0)) == [1, 2]


def test_a_change_some_of_whose_sessions_can_never_be_written_is_kept_once(
    client: Failing, kept: Kept
) -> None:
    """It is one record; the sessions of its other users are written."""
    kept.take(kept.report("anna berta carla"))
    told = [each for each in records(client) if is_change(each)]
    bad = ("#anna", "#berta")
    client.refuses = lambda _operation, pk: "ValidationException" * pk.endswith(bad)
    batch = kept.keeper.keep(told, T0)
    assert failures(batch) == []
    assert [each["record"] for each in kept.bucket.poison] == told
    assert [each.user_id for each in kept.sessions()] == ["carla"]


def test_callbacks_that_say_nothing_of_who_is_there_are_passed_over(
    client: Failing, kept: Kept
) -> None:
    """Tencent tells of much else, and of events without a room."""
    told = [callback("", 101), callback("107688", 201, "anna"), callback("107688", 103, "anna")]
    batch = kept.keeper.keep(told, T0)
    assert (failures(batch), kept.bucket.poison) == ([], [])
    assert batch.counts["refolded"] == 1
    assert kept.here() == {"anna"}
    assert client.reads[0] == (ROOM.pk, head_key(ROOM)["sk"]["S"])


def callback(room: str, kind: int, user: str = "") -> Record:
    """A record of a callback's item."""
    info = {"RoomId": int(room or 0), "EventMsTs": T0, "UserId": user}
    body = {"EventGroupId": 1, "EventType": kind, "CallbackTs": T0, "EventInfo": info}
    item = {
        "pk": {"S": f"C#1400037025#{room}"},
        "sk": {"S": f"{T0}#{kind}#{user}"},
        "received": {"N": str(T0 + 200)},
        "ttl": {"N": str(T0 // 1000)},
        "body": {"S": json.dumps(body)},
    }
    return stream_record(item, None, kind)


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (StoreUnavailable(), True),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), True),
        (refusal("AccessDeniedException", "get"), True),
        (refusal("ValidationException", "get"), False),
        (refusal("ValidationError", "transact"), False),
        (ParamValidationError(report="Invalid type"), False),
        (HistoryGone(), False),
        (ZeroDivisionError(), False),
    ],
)
def test_what_may_succeed_another_time(error: Exception, *, passing: bool) -> None:
    """The store's faults pass, and missing rights are put right; a record's faults stay."""
    assert may_succeed_later(error) is passing
