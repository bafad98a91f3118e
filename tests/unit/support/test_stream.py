"""The pump that carries a table's writes to a function keeps AWS's rules for stream consumers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from simulation.stream import Crash, Pump, Settings, stream_record, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHANGES = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "T#"}]}}}}


def item(pk: str, number: int) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": f"T#{number:03}"}, "squeezed": {"B": b"\x00\xff"}}


def name_of(record: dict[str, Any]) -> str:
    keys = record["dynamodb"]["Keys"]
    return f"{keys['pk']['S']}{keys['sk']['S'][2:]}"


class Function:
    """A function that notes what it was called with.

    Args:
        trouble: what it does about each record's name: raise, or say True for "it failed".
    """

    def __init__(self, trouble: Callable[[str], bool | None] = lambda _: None) -> None:
        self.batches: list[list[str]] = []
        self._trouble = trouble

    def __call__(self, event: Any, _context: object) -> Any:
        """Take the batch up to the first record that fails, and report that one."""
        self.batches.append([name_of(record) for record in event["Records"]])
        for record in event["Records"]:
            if self._trouble(name_of(record)):
                sequence = record["dynamodb"]["SequenceNumber"]
                return {"batchItemFailures": [{"itemIdentifier": sequence}]}
        return {"batchItemFailures": []}


def pumped(
    function: Callable[[Any, Any], Any], settings: Settings, names: Sequence[str] = "aaaaaa"
) -> Pump:
    """A pump that carried an item for each letter, all through one lane."""
    pump = Pump(function, settings, random.Random(1), lanes=1)  # noqa: S311 (no secret)
    for number, name in enumerate(names):
        pump.write(item(name, number))
    pump.run()
    return pump


def fails(*names: str) -> Callable[[str], bool]:
    return lambda name: name in names


def crashes(*names: str, crash: type[BaseException] = ValueError) -> Callable[[str], None]:
    def trouble(name: str) -> None:
        if name in names:
            raise crash

    return trouble


def test_batches_come_in_order_and_once() -> None:
    """Without failures each record comes once, in batches of at most so many."""
    function = Function()
    pump = pumped(function, Settings(batch=4, partial=True))
    assert function.batches == [["a000", "a001", "a002", "a003"], ["a004", "a005"]]
    assert pump.discarded == []


def test_records_of_one_key_stay_in_order_whatever_lane_is_next() -> None:
    """Lanes may overtake one another; within a key nothing does."""
    function = Function()
    pump = Pump(function, Settings(batch=2), random.Random(3), lanes=4)  # noqa: S311 (no secret)
    for number in range(40):
        pump.write(item("abcdefgh"[number % 8], number))
    pump.run()
    came = [name for batch in function.batches for name in batch]
    assert len(came) == 40
    assert came != sorted(came, key=lambda name: name[1:])
    for key in "abcdefgh":
        of_key = [name for name in came if name.startswith(key)]
        assert of_key == sorted(of_key)


def test_all_from_the_lowest_failure_on_comes_again() -> None:
    """What was done after it comes a second time."""
    tries = iter([True, False, False])
    function = Function(lambda name: name == "a002" and next(tries))
    pumped(function, Settings(partial=True), "aaaaa")
    assert function.batches == [
        ["a000", "a001", "a002", "a003", "a004"],
        ["a002", "a003", "a004"],
    ]


def test_without_report_batch_item_failures_the_answer_counts_for_nothing() -> None:
    """The failure reported is lost: so the setting must be there."""
    function = Function(fails("a001"))
    pump = pumped(function, Settings(), "aaa")
    assert function.batches == [["a000", "a001", "a002"]]
    assert pump.discarded == []


@pytest.mark.parametrize("identifier", [None, "", "99"])
def test_a_failure_that_names_no_record_fails_the_batch(identifier: str | None) -> None:
    """A null, an empty or a foreign number: all of it comes again."""
    batches: list[int] = []

    def function(event: Any, _context: object) -> Any:
        batches.append(len(event["Records"]))
        failures = [{"itemIdentifier": identifier}] if len(batches) == 1 else []
        return {"batchItemFailures": failures}

    pumped(function, Settings(partial=True), "aaa")
    assert batches == [3, 3]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}])
def test_no_answer_is_a_success(answer: Any) -> None:
    """AWS takes an empty answer for "all done"."""
    pump = pumped(lambda *_: answer, Settings(partial=True))
    assert (pump.calls, pump.discarded) == (1, [])


@pytest.mark.parametrize("crash", [ValueError, Crash])
def test_bisect_finds_the_record_that_crashes_the_function(crash: type[BaseException]) -> None:
    """It alone is given up; all others are done, in order."""
    function = Function(crashes("a003", crash=crash))
    pump = pumped(function, Settings(bisect=True, retries=2, partial=True))
    assert [name_of(r) for each in pump.discarded for r in each.records] == ["a003"]
    assert [each.condition for each in pump.discarded] == ["RetryAttemptsExhausted"]
    assert function.batches.count(["a003"]) == 3
    done = [batch for batch in function.batches if "a003" not in batch]
    assert [name for batch in done for name in batch] == ["a000", "a001", "a002", "a004", "a005"]


def test_without_bisect_the_good_ones_are_lost_with_it() -> None:
    """Which is why the setting must be there."""
    pump = pumped(Function(crashes("a003")), Settings(retries=2))
    assert [len(each.records) for each in pump.discarded] == [6]


def test_a_failure_that_stays_is_given_up_with_all_behind_it() -> None:
    """The checkpoint does not move, so what a lane may retry is over for the whole remainder."""
    pump = pumped(Function(fails("a004")), Settings(partial=True, retries=1, bisect=True))
    assert pump.calls == 2
    assert [name_of(r) for each in pump.discarded for r in each.records] == ["a004", "a005"]


def test_what_is_too_old_is_given_up_and_the_lane_goes_on() -> None:
    """With retries for ever, age ends it."""
    function = Function(fails("a000"))
    pump = Pump(function, Settings(partial=True, age=10), random.Random(1), lanes=1)  # noqa: S311 (no secret)
    pump.write(item("a", 0))
    pump.run()
    assert [each.condition for each in pump.discarded] == ["RecordAgeExceeded"]
    assert pump.calls == 11
    pump.write(item("a", 1))
    pump.run()
    assert function.batches[-1] == ["a001"]


def test_a_batch_is_no_larger_than_a_call_may_be() -> None:
    """6 MB, however many records that is."""
    function = Function()
    pump = Pump(function, Settings(), random.Random(1), lanes=1)  # noqa: S311 (no secret)
    for number in range(5):
        pump.write(item("a", number) | {"pad": {"S": "x" * 2_500_000}})
    pump.run()
    assert [len(batch) for batch in function.batches] == [2, 2, 1]


def test_only_what_a_filter_wants_comes() -> None:
    """A filter looks at the record's name and at prefixes of its keys."""
    function = Function()
    pump = Pump(function, Settings(filters=(CHANGES,)), random.Random(1), lanes=1)  # noqa: S311 (no secret)
    pump.write(item("a", 0))
    pump.write(item("a", 1), old=item("a", 1))
    pump.write(None, old=item("a", 2))
    pump.write(item("a", 3) | {"sk": {"S": "HEAD"}})
    pump.run()
    assert function.batches == [["a000"]]


def test_a_rule_that_the_pump_does_not_know_is_said() -> None:
    """Better than a filter that silently wants everything."""
    with pytest.raises(ValueError, match="numeric"):
        wanted(stream_record(item("a", 0)), [{"eventName": [{"numeric": [">", 0]}]}])


def test_images_are_as_lambda_hands_them_over() -> None:
    """Binary as base64; the name by the images; both images where there are both."""
    made = stream_record(item("a", 0))
    assert made["dynamodb"]["NewImage"]["squeezed"] == {"B": "AP8="}
    assert (made["eventName"], "OldImage" in made["dynamodb"]) == ("INSERT", False)
    assert stream_record(item("a", 0), item("a", 0))["eventName"] == "MODIFY"
    removed = stream_record(None, item("a", 0))
    assert (removed["eventName"], "NewImage" in removed["dynamodb"]) == ("REMOVE", False)


def test_settings_are_read_from_a_mapping_with_the_defaults_of_aws() -> None:
    """Without a word retries and age are for ever, and answers count for nothing."""
    assert Settings.of({}) == Settings()
    told = {
        "BatchSize": 1000,
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 5,
        "MaximumRecordAgeInSeconds": 60,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
    }
    assert Settings.of(told) == Settings(1000, True, 5, 60, True, ({"eventName": ["INSERT"]},))
