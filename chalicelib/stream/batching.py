"""Packing rows into Firehose records, and these into calls, so that no room's rows change places.

Firehose bills each record rounded up to 5 KB, so many rows go into one. Of several records of one
call some may fail and be sent again; so a room has at most one record in a call, and what does not
fit into it waits for the next wave of calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

RECORD_ROWS: Final = 500
"""Firehose converts the rows of a record to Parquet together: one that fails may fail all."""

RECORD_BYTES: Final = 1000 * 1024
CALL_RECORDS: Final = 500
CALL_BYTES: Final = 4_000_000
"""Amazon Data Firehose quotas, PutRecordBatch: 1,000 KiB a record before base64; 500 records or
4 MiB a call. Here as base64, with room for what is around it."""

_AROUND_BYTES: Final = 64  # JSON's, of each record
_LINE_FEED: Final = b"\n"


class RowBatch(NamedTuple):
    """One Firehose record.

    Attributes:
        data: its rows, a line each.
        rows: how many.
        rooms: whose rows they are.
    """

    data: bytes
    rows: int
    rooms: tuple[str, ...]

    @property
    def call_bytes(self) -> int:
        """What it adds to a call."""
        return (len(self.data) + 2) // 3 * 4 + _AROUND_BYTES


def calls_of(lines: Mapping[str, Sequence[bytes]]) -> Iterator[list[RowBatch]]:
    """Pack rows into calls, to be made one after the other.

    Args:
        lines: each room's rows in their order, as JSON without line feeds; none is longer than a
            record may be.
    """
    for wave in _waves(lines):
        call: list[RowBatch] = []
        size = 0
        for pack in _packs(wave):
            size += pack.call_bytes
            if call and (len(call) == CALL_RECORDS or size > CALL_BYTES):
                yield call
                call, size = [], pack.call_bytes
            call.append(pack)
        yield call


_Piece = tuple[str, "Sequence[bytes]", int]  # a room, rows of it in one piece, and their bytes


def _waves(lines: Mapping[str, Sequence[bytes]]) -> list[list[_Piece]]:
    """The first piece of each room, the second of those that have one, and so on."""
    waves: list[list[_Piece]] = []
    for room, rows in lines.items():
        for number, (piece, size) in enumerate(_pieces(rows)):
            if number == len(waves):
                waves.append([])
            waves[number].append((room, piece, size))
    return waves


def _pieces(rows: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], int]]:
    """Cut a room's rows into pieces, each no more than a record, with their bytes."""
    start = size = 0
    for place, row in enumerate(rows):
        length = len(row) + len(_LINE_FEED)
        if place - start == RECORD_ROWS or size + length > RECORD_BYTES:
            yield rows[start:place], size
            start, size = place, 0
        size += length
    if size:
        yield rows[start:], size


def _packs(wave: Iterable[_Piece]) -> Iterator[RowBatch]:
    """Fill records with the pieces of a wave; each piece stays whole."""
    held: list[_Piece] = []
    rows = size = 0
    for piece in wave:
        rows += len(piece[1])
        size += piece[2]
        if held and (rows > RECORD_ROWS or size > RECORD_BYTES):
            yield _pack(held)
            held, rows, size = [], len(piece[1]), piece[2]
        held.append(piece)
    yield _pack(held)


def _pack(pieces: Sequence[_Piece]) -> RowBatch:
    lines = [line for _, rows, _ in pieces for line in rows]
    data = _LINE_FEED.join(lines) + _LINE_FEED
    return RowBatch(data, len(lines), tuple(room for room, _, _ in pieces))
