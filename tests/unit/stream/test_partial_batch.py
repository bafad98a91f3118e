"""The rule by which keeper and exporter answer Lambda."""

from __future__ import annotations

from chalicelib.stream.partial_batch import PartialBatch
from simulation.kept import Bucket


def named(batch: PartialBatch) -> list[int]:
    """The sequence numbers in the response, in its order."""
    return [int(failure["itemIdentifier"]) for failure in batch.response["batchItemFailures"]]


def test_the_lowest_failure_is_named_first_by_number() -> None:
    """Sequence numbers are texts of differing length."""
    batch = PartialBatch()
    for key, sequence in (("a", "1000"), ("b", "999"), ("c", "99900")):
        batch.fail(key, sequence)
    assert named(batch) == [999, 1000, 99900]


def test_a_key_fails_from_its_lowest_record_on() -> None:
    """Whichever of its records failed first; the key counts once, and each reason as it came."""
    batch = PartialBatch()
    batch.fail("a", "10", "throttled")
    batch.fail("a", "9", "throttled")
    batch.fail("a", "11", "refused")
    assert (named(batch), batch.failed_keys) == ([9], 1)
    assert batch.reasons == {"throttled": 2, "refused": 1}
    assert batch.has_failed(["b", "a"])
    assert not batch.has_failed(["b"])


def test_a_failure_whose_reason_was_counted_is_not_counted_again() -> None:
    """Firehose's error codes are counted as they come, before a room is given up."""
    batch = PartialBatch()
    batch.fail("a", "1")
    assert (named(batch), batch.reasons) == ([1], {})


def test_poison_fails_nothing_where_the_quarantine_stores_it() -> None:
    """It is stored in the order of the stream, and the same part of a record once."""
    batch, bucket = PartialBatch(), Bucket()
    batch.isolate("10", "broken", {"record": 1})
    batch.isolate("9", "first reason", {"row": 2}, part=1)
    batch.isolate("9", "second reason", {"row": 2}, part=1)
    batch.isolate("9", "other row", {"row": 3}, part=0)
    batch.store_poison(bucket)
    assert named(batch) == []
    assert bucket.poison == [
        {"sequence": "9", "reason": "other row", "row": 3},
        {"sequence": "9", "reason": "first reason", "row": 2},
        {"sequence": "10", "reason": "broken", "record": 1},
    ]


def test_poison_that_the_quarantine_refuses_comes_again() -> None:
    """Each of its records fails, whatever its key did."""
    batch, bucket = PartialBatch(), Bucket()
    bucket.full = True
    batch.fail("a", "3", "throttled")
    batch.isolate("2", "broken", {"record": 1})
    batch.isolate("2", "broken", {"record": 1}, part=1)
    batch.store_poison(bucket)
    assert (named(batch), batch.failed_keys) == ([2, 3], 2)
    assert batch.reasons == {"throttled": 1, "quarantine": 1}


def test_without_poison_the_quarantine_is_not_asked() -> None:
    """S3's client is made only when it is needed."""
    batch, bucket = PartialBatch(), Bucket()
    bucket.full = True
    batch.store_poison(bucket)
    assert named(batch) == []
