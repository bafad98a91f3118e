"""The exporter's function as it is, with moto's Firehose and S3."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.api.log import NAMESPACE
from simulation.stream import Pump, Settings, stream_record
from tests.support.apps import load_app
from tests.support.lake import (
    STREAM,
    T0,
    StrictFirehose,
    Trouble,
    change_item,
    joins,
    without_repeats,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from mypy_boto3_s3 import S3Client

ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "ROOMGATE_STACK": "testing",
    "ROOMGATE_LAKE_STREAM": "testing-lake",
    "ROOMGATE_QUARANTINE_BUCKET": "quarantine",
    "ROOMGATE_EXPORT_REPORTS": "false",
}
POISON = change_item("9", 1, joins("mallory")) | {"at": {"N": "never"}}


@pytest.fixture
def s3() -> Iterator[S3Client]:
    """S3 and Firehose of moto, with the buckets and the delivery stream."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        for bucket in ("lake", "quarantine"):
            client.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
        firehose: Any = boto3.client("firehose")
        firehose.create_delivery_stream(
            DeliveryStreamName="testing-lake",
            ExtendedS3DestinationConfiguration={
                "BucketARN": "arn:aws:s3:::lake",
                "RoleARN": "arn:aws:iam::123456789012:role/lake",
                "Prefix": "rows/",
            },
        )
        yield client


@pytest.fixture
def function(s3: S3Client) -> ModuleType:
    """The function, as a cold start makes it."""
    assert s3
    return load_app("exporter")


def objects(s3: S3Client, bucket: str) -> dict[str, bytes]:
    """What is in a bucket, by key."""
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = [each["Key"] for each in found]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def rows(s3: S3Client) -> dict[str, dict[str, Any]]:
    """The rows in the lake, by id."""
    lines = (line for body in objects(s3, "lake").values() for line in body.splitlines())
    return without_repeats(json.loads(line) for line in lines)


def event(*items: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [stream_record(each, sequence=n) for n, each in enumerate(items, 1)]}


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_batch_is_rows_in_the_lake(s3: S3Client, function: ModuleType) -> None:
    """Its answer names no failure."""
    answer = function.export(event(change_item("7", 1, joins("anna", "berta"))), None)
    assert answer == {"batchItemFailures": []}
    assert [row["user"] for row in rows(s3).values()] == ["anna", "berta"]
    assert all(key.startswith("rows/") for key in objects(s3, "lake"))


def test_poison_is_an_object_in_the_quarantine(
    s3: S3Client, function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason; the same poison is the same object; the log names it, not what it holds."""
    batch = event(POISON, change_item("9", 2, joins("anna")))
    assert function.export(batch, None) == function.export(batch, None)
    ((key, body),) = objects(s3, "quarantine").items()
    assert key.startswith("exporter/")
    (poison,) = (json.loads(line) for line in body.splitlines())
    assert poison["record"] == batch["Records"][0]
    assert poison["reason"]
    lines = told(capsys)
    assert [line["key"] for line in lines if line["event"] == "quarantine"] == [key, key]
    assert "mallory" not in json.dumps(lines)
    assert len(rows(s3)) == 1


def test_a_quarantine_that_is_not_there_lets_poison_come_again(
    s3: S3Client, function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and nothing is lost: the record's number is the checkpoint."""
    s3.delete_bucket(Bucket="quarantine")
    answer = function.export(event(change_item("7", 1, joins("anna")), POISON), None)
    number = stream_record(POISON, sequence=2)["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert "NoSuchBucket" in json.dumps(told(capsys))


def test_a_delivery_stream_that_is_not_there_fails_the_batch(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda counts it among the function's errors, and brings the batch again."""
    monkeypatch.setattr(function.delivery, "_stream", "gone")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        function.export(event(change_item("7", 1, joins("anna"))), None)


def test_the_log_has_metrics_of_rows_lag_and_poison(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In CloudWatch's embedded format, with units; only what there is something to say of."""
    monkeypatch.setattr(function, "now_ms", lambda: T0 + 4321)
    function.export(event(change_item("7", 1, joins("anna"), at=T0), POISON), None)
    function.export(event(), None)
    with_rows, without = (line for line in told(capsys) if line["event"] == "export")
    assert with_rows["RowsExported"] == 1
    assert with_rows["ExportLag"] == 4321
    assert with_rows["RowsQuarantined"] == 1
    (block,) = with_rows["_aws"]["CloudWatchMetrics"]
    assert block["Namespace"] == NAMESPACE
    assert {each["Name"]: each["Unit"] for each in block["Metrics"]} == {
        "RowsExported": "Count",
        "ExportLag": "Milliseconds",
        "RowsQuarantined": "Count",
    }
    assert "ExportLag" not in without
    assert without["RowsExported"] == 0


def test_the_log_has_what_firehose_did_not_take(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a metric, which an alarm is on, and with Firehose's own words."""
    down = Trouble(call=1)
    monkeypatch.setattr(function.delivery, "_client", StrictFirehose(random.Random(1), down))  # noqa: S311 (no secret)
    monkeypatch.setattr(function.delivery, "_stream", STREAM)
    monkeypatch.setattr(function.delivery, "_sleep", lambda _seconds: None)
    function.export(event(change_item("7", 1, joins("anna", "berta"))), None)
    (line,) = told(capsys)
    assert (line["RowsExported"], line["RowsFailed"]) == (0, 2)
    assert line["reasons"].keys() == {"ServiceUnavailableException"}
    (block,) = line["_aws"]["CloudWatchMetrics"]
    assert {"Name": "RowsFailed", "Unit": "Count"} in block["Metrics"]


def test_reports_are_exported_by_setting(s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says so when the function starts."""
    item = {
        "pk": {"S": "P#1400000001#7#anna"},
        "sk": {"S": "E#1600000000000#0000000001"},
        "received": {"N": str(T0)},
        "age": {"N": "40"},
        "source": {"S": "client"},
        "left": {"BOOL": True},
    }
    load_app("exporter").export(event(item), None)
    assert rows(s3) == {}
    monkeypatch.setenv("ROOMGATE_EXPORT_REPORTS", "true")
    load_app("exporter").export(event(item), None)
    assert [row["ev"] for row in rows(s3).values()] == ["report"]


def test_a_stream_goes_through_it(s3: S3Client, function: ModuleType) -> None:
    """Batch by batch, under AWS's rules, to rows in the lake."""
    settings = Settings(batch=7, bisect=True, retries=3, partial=True)
    pump = Pump(function.export, settings, random.Random(4))  # noqa: S311 (no secret)
    for version in range(1, 31):
        pump.write(change_item(str(version % 3 + 1), version, joins(f"u{version}")))
    pump.run()
    assert len(rows(s3)) == 30
    assert pump.discarded == []
