"""Packs rows into Firehose records, and records into calls, keeping the order of each room's rows.

Firehose bills each record rounded up to 5 KB, so a record holds many rows. Some records of a call
may fail and be sent again, after later ones succeeded. So a room has at most one record in a call,
and its remaining rows wait for a later call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

RECORD_ROWS: Final = 500
"""Most rows of a record. Firehose converts them to Parquet together: a bad one may fail all."""

RECORD_BYTES: Final = 1000 * 1024
CALL_RECORDS: Final = 500
CALL_BYTES: Final = 4_000_000
"""Quotas of PutRecordBatch (AWS: "Amazon Data Firehose quotas"): 1,000 KiB a record before base64,
500 records or 4 MiB a call. ``CALL_BYTES`` counts base64, and leaves room for the JSON around."""

_ENVELOPE_BYTES: Final = 64  # The JSON around each record.
_LINE_FEED: Final = b"\n"


class FirehoseRecord(NamedTuple):
    """One record for Firehose.

    Attributes:
        data: its rows, one a line.
        rows: how many rows.
        rooms: the partition keys of the rooms that the rows are about.
    """

    data: bytes
    rows: int
    rooms: tuple[str, ...]

    @property
    def call_bytes(self) -> int:
        """The bytes that it adds to a call."""
        return (len(self.data) + 2) // 3 * 4 + _ENVELOPE_BYTES


def pack_calls(lines: Mapping[str, Sequence[bytes]]) -> Iterator[list[FirehoseRecord]]:
    """Pack rows into calls, which are to be made one after the other.

    Args:
        lines: by room, its rows in their order, as JSON without line feeds; no row is longer than
            a record may be.
    """
    for wave in _waves(lines):
        call: list[FirehoseRecord] = []
        size = 0
        for record in _records(wave):
            size += record.call_bytes
            if call and (len(call) == CALL_RECORDS or size > CALL_BYTES):
                yield call
                call, size = [], record.call_bytes
            call.append(record)
        yield call


_Piece = tuple[str, "Sequence[bytes]", int]  # A room, some of its rows, and the rows' bytes.


def _waves(lines: Mapping[str, Sequence[bytes]]) -> list[list[_Piece]]:
    """The first piece of each room, then the second of each room that has one, and so on."""
    waves: list[list[_Piece]] = []
    for room, rows in lines.items():
        for number, (piece, size) in enumerate(_pieces(rows)):
            if number == len(waves):
                waves.append([])
            waves[number].append((room, piece, size))
    return waves


def _pieces(rows: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], int]]:
    """Cut a room's rows into pieces that fit into a record, each with its bytes."""
    start = size = 0
    for place, row in enumerate(rows):
        length = len(row) + len(_LINE_FEED)
        if place - start == RECORD_ROWS or size + length > RECORD_BYTES:
            yield rows[start:place], size
            start, size = place, 0
        size += length
    if size:
        yield rows[start:], size


def _records(wave: Iterable[_Piece]) -> Iterator[FirehoseRecord]:
    """Fill records with the pieces of a wave; a piece is never split."""
    pieces: list[_Piece] = []
    rows = size = 0
    for piece in wave:
        rows += len(piece[1])
        size += piece[2]
        if pieces and (rows > RECORD_ROWS or size > RECORD_BYTES):
            yield _record(pieces)
            pieces, rows, size = [], len(piece[1]), piece[2]
        pieces.append(piece)
    yield _record(pieces)


def _record(pieces: Sequence[_Piece]) -> FirehoseRecord:
    lines = [line for _, rows, _ in pieces for line in rows]
    data = _LINE_FEED.join(lines) + _LINE_FEED
    return FirehoseRecord(data, len(lines), tuple(room for room, _, _ in pieces))
