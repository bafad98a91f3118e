"""From the deployed event table to SQL: stream, exporter, Firehose, Parquet, Athena and DuckDB."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest
import requests

from chalicelib.stream.row import COLUMNS
from infra.deploy.stacks import Stacks
from roomgate.analytics.sql import names, query
from tests.support.lake import change_item, expected_row, joins, leaves
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.deploy.cloud import Cloud
    from infra.deploy.deployment import Deployed
    from roomgate.analytics.sql import Value
    from tests.system.conftest import Tenant, Tenants

SECONDS: Final = 30
NAMES: Final = ", ".join(f'"{name}"' for name in COLUMNS)


def at_least(number: int, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]] | None:
    """The rows, if there are so many."""
    return rows if len(rows) >= number else None


@pytest.fixture(scope="module")
def lake(cloud: Cloud, deployed: Deployed) -> dict[str, str]:
    """The outputs of the lake's stack."""
    return Stacks(cloud.cloudformation, print).outputs(f"{deployed.stack}-lake")


@pytest.fixture(scope="module")
def quarantine(cloud: Cloud, deployed: Deployed) -> str:
    """The quarantine's bucket."""
    shared = Stacks(cloud.cloudformation, print).outputs(f"{deployed.stack}-shared")
    return shared["QuarantineBucket"]


@pytest.fixture
def room() -> str:
    """A room of the test's own."""
    return str(1 + secrets.randbelow(2**31))


def put(cloud: Cloud, table: str, *items: dict[str, Any]) -> None:
    for item in items:
        cloud.dynamodb.put_item(TableName=table, Item=item)


def keys(cloud: Cloud, bucket: str, prefix: str) -> Iterator[str]:
    for page in cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (found["Key"] for found in page.get("Contents", []))


def by_athena(cloud: Cloud, lake: dict[str, str], sql: str) -> list[tuple[Any, ...]]:
    """The rows that Athena answers, as texts; null is None."""
    athena: Any = cloud.session.client("athena", endpoint_url=cloud.endpoint)
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=lake["LakeWorkGroup"],
        QueryExecutionContext={"Database": lake["LakeDatabase"]},
    )
    asked = {"QueryExecutionId": started["QueryExecutionId"]}

    def ended() -> Any:
        status = athena.get_query_execution(**asked)["QueryExecution"]["Status"]
        return status if status["State"] not in {"QUEUED", "RUNNING"} else None

    status = until(ended)
    assert status["State"] == "SUCCEEDED", status
    _, *rows = athena.get_query_results(**asked)["ResultSet"]["Rows"]
    return [tuple(datum.get("VarCharValue") for datum in row["Data"]) for row in rows]


def by_duckdb(cloud: Cloud, lake: dict[str, str], folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows that DuckDB answers from a copy of the same objects."""
    for key in keys(cloud, lake["LakeBucket"], "rows/"):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        cloud.s3.download_file(lake["LakeBucket"], key, str(path))
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/rows/*/*/*', "  # noqa: S608 (our own folder)
            "hive_partitioning = true, hive_types = {'dt': VARCHAR, 'hour': VARCHAR})"
        )
        return connection.execute(sql).fetchall()


def of_room(room: str, what: str = f"DISTINCT {NAMES}") -> str:
    """A question about a room, the same in both dialects."""
    return f"SELECT {what} FROM events WHERE room = '{room}' ORDER BY 2"  # noqa: S608 (a number)


def test_a_change_is_the_same_rows_in_athena_and_in_duckdb(
    cloud: Cloud, deployed: Deployed, lake: dict[str, str], room: str, tmp_path: Path
) -> None:
    """All columns with their values and types, by the same SQL, from the same Parquet objects."""
    now = int(time.time() * 1000)
    came, went = joins("anna", "berta", t=now - 40), leaves("anna", t=now - 10)
    put(cloud, deployed.table, change_item(room, 1, came, at=now))
    put(cloud, deployed.table, change_item(room, 2, went, at=now + 5))
    wanted = [expected_row(room, 1, place, each, now) for place, each in enumerate(came)]
    wanted.append(expected_row(room, 2, 0, went[0], now + 5))
    asked = until(lambda: at_least(3, by_athena(cloud, lake, of_room(room))))
    rows = [tuple(row.get(name) for name in COLUMNS) for row in wanted]
    assert asked == [tuple(None if value is None else str(value) for value in row) for row in rows]
    assert by_duckdb(cloud, lake, tmp_path, of_room(room)) == rows


@pytest.fixture(scope="module")
def app() -> int:
    """An application of the module's own, whose rows are those that are put here."""
    return 2**32 - 1 - secrets.randbelow(2**20)


@pytest.fixture(scope="module")
def copied(
    cloud: Cloud,
    deployed: Deployed,
    lake: dict[str, str],
    tenants: Tenants,
    app: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, int]:
    """A copy of the lake by the command line, and the unix time in seconds when it was made."""
    now = int(time.time() * 1000)
    here, gone = joins("anna", "berta", t=now - 9000), leaves("anna", t=now - 4000)
    put(cloud, deployed.table, change_item("7", 1, here, at=now, app=app))
    put(cloud, deployed.table, change_item("7", 2, gone, at=now + 5, app=app))
    put(cloud, deployed.table, change_item("7", 3, joins("anna", t=now - 3000), at=now, app=app))
    of_app = f"SELECT DISTINCT id FROM events WHERE app = {app}"  # noqa: S608 (a number)
    until(lambda: at_least(4, by_athena(cloud, lake, of_app)))
    folder = tmp_path_factory.mktemp("copy")
    told = tenants.operator.run("analytics", "sync", "--folder", str(folder))
    assert told["bucket"] == lake["LakeBucket"]
    assert told["copied"] == told["files"] > 0
    return folder, now // 1000


@pytest.mark.parametrize("name", names())
def test_a_named_query_answers_the_same_in_athena_and_on_this_machine(
    cloud: Cloud,
    lake: dict[str, str],
    tenants: Tenants,
    copied: tuple[Path, int],
    app: int,
    name: str,
) -> None:
    """The same text over the same objects: there as a query of Athena, here by its name."""
    folder, now = copied
    values: dict[str, Value] = {"since": now - 3600, "until": now + 3600, "app": app}
    options = [f"--{option}={value}" for option, value in values.items()]
    here = tenants.operator.run("analytics", "query", name, "--folder", str(folder), *options)
    there = by_athena(cloud, lake, query(name).bound(values, now))
    assert [tuple(map(as_athena_tells, row.values())) for row in here["rows"]] == there
    assert there


def as_athena_tells(value: Any) -> str | None:
    """A value of JSON as Athena's results have it."""
    if isinstance(value, str):
        return value.replace("T", " ").removesuffix("Z")
    return None if value is None else str(value)


def test_a_report_over_http_is_rows_in_athena(
    cloud: Cloud, deployed: Deployed, lake: dict[str, str], tenant: Tenant, room: str
) -> None:
    """A member's list, once answered 200, is a join of each one that it names."""
    entry = requests.post(
        f"{deployed.urls['issuer']}/v1/entries",
        headers=tenant.headers,
        json={"sdkAppId": tenant.sdk_app_id, "userId": "alice", "roomId": int(room)},
        timeout=SECONDS,
    ).json()
    stored = requests.post(
        entry["report"]["url"],
        headers={"Authorization": f"Bearer {entry['report']['token']}"},
        json={"seq": 0, "ageMs": 40, "userlist": [{"userid": "bob"}]},
        timeout=SECONDS,
    )
    assert stored.status_code == 200
    what = "DISTINCT ev, user, app, ver, delta, source, reason"
    asked = until(lambda: at_least(2, by_athena(cloud, lake, of_room(room, what))))
    app = str(tenant.sdk_app_id)
    assert asked == [("join", user, app, "1", "1", "client", "listed") for user in ("alice", "bob")]


def test_rows_that_are_exported_once_more_change_no_answer(
    cloud: Cloud, deployed: Deployed, lake: dict[str, str], tenants: Tenants, room: str
) -> None:
    """The command line puts them beside Firehose's, the same in every column."""
    now = int(time.time() * 1000)
    put(cloud, deployed.table, change_item(room, 1, joins("anna", "berta", t=now - 40), at=now))
    once = until(lambda: at_least(2, by_athena(cloud, lake, of_room(room))))
    span = ("--from", str(now // 1000 - 1), "--to", str(now // 1000 + 1))
    told = tenants.operator.run("events", "export", *span)
    assert (told["into"], told["rows"] >= 2) == (f"s3://{lake['LakeBucket']}", True)
    ((rows, ids),) = by_athena(cloud, lake, of_room(room, "count(*), count(DISTINCT id)"))
    assert (int(rows) >= 4, ids) == (True, "2")
    assert by_athena(cloud, lake, of_room(room)) == once


def test_rows_lie_in_the_hour_in_which_they_came(
    cloud: Cloud, deployed: Deployed, lake: dict[str, str], room: str
) -> None:
    """Not in that of what happened: here a day before. Queries prune by it."""
    now = int(time.time() * 1000)
    put(cloud, deployed.table, change_item(room, 1, joins("anna", t=now - 86_400_000), at=now))
    hours = {time.strftime("%Y-%m-%d %H", time.gmtime(now / 1000 + late)) for late in (0, 60)}
    asked = until(lambda: by_athena(cloud, lake, of_room(room, "concat(dt, ' ', hour), t")))
    assert {hour for hour, _ in asked} <= hours


def test_poison_is_quarantined_and_what_comes_after_it_is_exported(
    cloud: Cloud, deployed: Deployed, lake: dict[str, str], quarantine: str, room: str
) -> None:
    """With the record and the reason, under exporter/; nothing of it is among Firehose's errors."""
    good = change_item(room, 2, joins("anna"))
    put(cloud, deployed.table, change_item(room, 1, joins("eve")) | {"at": {"N": "0.5"}})
    put(cloud, deployed.table, good)
    assert until(lambda: by_athena(cloud, lake, of_room(room)))

    def quarantined() -> list[dict[str, Any]]:
        objects = (
            cloud.s3.get_object(Bucket=quarantine, Key=key)["Body"].read()
            for key in keys(cloud, quarantine, "exporter/")
        )
        poison = (json.loads(line) for each in objects for line in each.splitlines())
        return [each for each in poison if each["partition"] == good["pk"]["S"]]

    (poison,) = until(quarantined)
    assert poison["reason"]
    assert poison["record"]["dynamodb"]["Keys"]["sk"] == {"S": "T#0000000001"}
    assert list(keys(cloud, lake["LakeBucket"], "errors/")) == []
