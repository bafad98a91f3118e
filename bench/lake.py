"""What a row costs on its way to the lake: the exporter's time, and Firehose's price.

The function's own app.py exports a batch as Lambda hands it over, already parsed. Firehose's client
is the real one, which signs and encodes; its answer comes from a stand-in instead of the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from bench.figures import BenchError, Figure
from bench.handler import load_app, log_to_nobody
from bench.rounds import figure, take_turns
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Source
from chalicelib.stream.batching import pack_calls
from chalicelib.stream.row import row_text
from chalicelib.stream.rows import rows_of_record
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.rooms import Change, change_item
from chalicelib.trtc.identifiers import parse_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.material import Material
    from chalicelib.stream.row import Row

CHANGES: Final = 2000
ROUNDS: Final = 25
TURN_SECONDS: Final = 0.05
BOUND: Final = 6.0
_WHAT: Final = "exporting a row, from the stream's batch to Firehose's client"
_DUMPS: Final = "json.dumps of the row"

# Amazon Data Firehose, us-east-1: direct PUT and conversion to Parquet, both by the GB that comes
# in, each record rounded up to 5 KB.
DOLLARS_A_GB: Final = 0.029 + 0.018
STEP_BYTES: Final = 5 * 1024
GB: Final = 1024**3
MILLION: Final = 1_000_000
_START_MS: Final = 1_600_000_000_000


def lake_figures(_material: Material) -> list[Figure]:
    """The time of a row against json.dumps of it; the price of a million against unpacked ones."""
    records = batch()
    rows = [row for record in records for row in rows_of_record(record, reports=False)]
    with _environment(), log_to_nobody():
        exporter = load_app("exporter")
        _answer_at_once(exporter.delivery._client)  # noqa: SLF001 (the network is not measured)
        event = {"Records": records}
        if exporter.export(event, None) != {"batchItemFailures": []}:
            raise BenchError("The exporter did not export its batch.")
        members = [row._asdict() for row in rows]
        subjects = {
            _DUMPS: lambda: [json.dumps(each) for each in members],
            _WHAT: lambda: exporter.export(event, None),
        }
        series = take_turns(subjects, ROUNDS, TURN_SECONDS)
    a_row = {name: [each / len(rows) for each in batches] for name, batches in series.items()}
    return [figure(a_row, _WHAT, _DUMPS, BOUND), price(rows)]


def price(rows: list[Row]) -> Figure:
    """What Firehose takes for a million rows, packed and each by itself, with the arithmetic."""
    lines: dict[str, list[bytes]] = {}
    for row in rows:
        lines.setdefault(row.room, []).append(row_text(row).encode())
    packed = [len(pack.data) for call in pack_calls(lines) for pack in call]
    alone = [len(line) + 1 for room in lines.values() for line in room]
    ours, theirs = (_cents("packed", packed, len(rows)), _cents("alone", alone, len(rows)))
    what = "Firehose's price of a million rows"
    return Figure(what, ours, "a record for each row", theirs, "ct", ours / theirs, 0.1)


def _cents(how: str, sizes: list[int], rows: int) -> float:
    billed = sum(-(-size // STEP_BYTES) * STEP_BYTES for size in sizes)
    gb = billed * MILLION / rows / GB
    print(
        f"   {how}: {rows} rows of {sum(sizes) / rows:.0f} bytes in {len(sizes)} records,"
        f" billed as {billed / rows:.0f} bytes a row;"
        f" a million are {gb:.3f} GB, at ${DOLLARS_A_GB} a GB"
    )
    return gb * DOLLARS_A_GB * 100


def batch() -> list[dict[str, Any]]:
    """Records of the stream: mostly one or two who come or go, in 200 rooms, now and then many."""
    chance = random.Random(7)  # noqa: S311 (no secret)
    records = []
    for number in range(CHANGES):
        ref = RoomKey(1400000001, parse_room(1 + number % 200))
        many = 30 if number % 100 == 0 else chance.choice((1, 1, 1, 2))
        at = _START_MS + 50 * number
        transitions = tuple(_transition(chance, at) for _ in range(many))
        change = Change(ref, 1 + number // 200, at, 9, at, transitions)
        records.append(_record(change_item(change, at // 1000), number))
    return records


def _transition(chance: random.Random, at: int) -> Transition:
    user = f"oGZUI0{chance.randrange(10**22):022}"  # As long as an openid.
    came = chance.random() < 0.5
    reason = Reason.LISTED if came else Reason.WITNESSED
    return Transition(came, user, at - chance.randrange(9000), user, Source.CLIENT, reason)


def _record(item: dict[str, Any], number: int) -> dict[str, Any]:
    inside = {
        "Keys": {"pk": item["pk"], "sk": item["sk"]},
        "NewImage": json.loads(json.dumps(item, default=_base64)),
        "SequenceNumber": str(number),
    }
    return {"eventName": "INSERT", "eventID": f"{number:032x}", "dynamodb": inside}


def _base64(binary: bytes) -> str:
    return b64encode(binary).decode()


def _answer_at_once(client: Any) -> None:
    """Firehose takes everything, without a network."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        taken = [{"RecordId": "x"}] * request.body.count(b'"Data"')
        body = json.dumps({"FailedPutCount": 0, "RequestResponses": taken}).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(body))

    client.meta.events.register("before-send.firehose.PutRecordBatch", answer)


class _Raw:
    """An answer's body, as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """All of it at once."""
        yield self._body


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROOMGATE_STACK": "bench",
        "ROOMGATE_LAKE_STREAM": "bench",
        "ROOMGATE_QUARANTINE_BUCKET": "bench",
        "ROOMGATE_EXPORT_REPORTS": "false",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
