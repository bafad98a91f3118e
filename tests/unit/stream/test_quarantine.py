from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.stream.quarantine import Quarantine

POISON = {"sequence": "000007", "reason": "KeyError at _report:1", "record": {"eventID": "x"}}


class Bucket:
    """S3, as far as a quarantine knows it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self._error = error

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 (AWS's)
        """See S3."""
        assert Bucket == "bucket"
        if self._error:
            raise self._error
        self.objects[Key] = Body


def quarantine(bucket: Bucket) -> tuple[Quarantine, list[tuple[str, str]]]:
    """A quarantine in a bucket, and what it tells."""
    told: list[tuple[str, str]] = []
    client: Any = lambda: bucket  # noqa: E731 (a def would need the types of S3)
    return Quarantine(client, "bucket", "keeper/", lambda *it: told.append(it)), told


def test_what_is_kept_has_its_reason_and_its_record() -> None:
    """One object, a JSON object a line; its name begins with where the first one stood."""
    bucket = Bucket()
    keeps, told = quarantine(bucket)
    assert keeps.put([POISON, POISON | {"sequence": "000009"}])
    ((key, body),) = bucket.objects.items()
    assert key.startswith("keeper/000007-")
    assert [json.loads(line) for line in body.splitlines()] == [
        POISON,
        POISON | {"sequence": "000009"},
    ]
    assert told == [(key, "KeyError at _report:1")]


def test_the_same_poison_makes_the_same_object() -> None:
    """However often it comes; other poison makes another one."""
    bucket = Bucket()
    keeps, _ = quarantine(bucket)
    assert all(keeps.put([POISON]) for _ in range(3))
    assert keeps.put([POISON | {"reason": "another"}])
    assert len(bucket.objects) == 2


def test_a_bucket_that_takes_nothing_is_told() -> None:
    """Whoever puts has to bring it again."""
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
    away = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    for error, reason in ((denied, "AccessDenied"), (away, "EndpointConnectionError")):
        keeps, told = quarantine(Bucket(error))
        assert not keeps.put([POISON])
        assert [said for _, said in told] == [reason]
