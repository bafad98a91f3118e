"""What Roomgate's roster does not know of the old clients' rooms, in one SQLite file.

That is a room's title, type and creator, its members' nicknames, and who is present by its own
heartbeat. Each method is one transaction, so threads and processes may share the file, and a
restart loses nothing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HEARTBEAT_LOST: Final = 20.0
"""Seconds without a heartbeat after which a member is gone (the old backend's rule)."""

ROOM_KEPT: Final = 60.0
"""Seconds that a room is kept after the last heartbeat: its only member's network may come back."""

_BUSY_SECONDS: Final = 5.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS rooms (
    room_id INTEGER PRIMARY KEY, title TEXT NOT NULL, type TEXT NOT NULL, creator TEXT NOT NULL,
    created REAL NOT NULL, alive REAL NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    room_id INTEGER NOT NULL, user_id TEXT NOT NULL, nickname TEXT NOT NULL, heard REAL NOT NULL,
    departed REAL, quit INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL DEFAULT -1, reported TEXT, reported_at REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, user_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS heard ON members (heard) WHERE departed IS NULL;
"""


class RoomFull(Exception):
    """All seats are taken, and not by this user."""


class NoSuchRoom(Exception):
    """There is no room of this number, or it is over."""


class Room(NamedTuple):
    """A room as the old clients know it."""

    room_id: int
    title: str
    type: str
    creator: str


class Departure(NamedTuple):
    """A stay that is over, as a relay reports it.

    Attributes:
        room_id, user_id: who was where.
        epoch: unix ms at which the stay began.
        seq: of the report that says so.
    """

    room_id: int
    user_id: str
    epoch: int
    seq: int


class Report(NamedTuple):
    """What is due to be relayed of a member.

    Attributes:
        epoch: unix ms at which the stay began.
        seq: of the list, or of the last one where this is a heartbeat.
        others: userids of those who are present beside the member.
        heartbeat: whether nothing has changed since the last list.
    """

    epoch: int
    seq: int
    others: list[str]
    heartbeat: bool


class WeappStore:
    """Rooms and members. All times are unix seconds.

    Args:
        path: of the SQLite file; made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as db:
            db.execute("PRAGMA journal_mode=WAL")  # Kept in the file.
            db.executescript(_TABLES)

    def create(self, room: Room, nickname: str, now: float) -> None:
        """Make a room with its creator in it; IntegrityError if there is one of this number."""
        with self._transaction() as db:
            db.execute("INSERT INTO rooms VALUES (?, ?, ?, ?, ?, ?)", (*room, now, now))
            _seat(db, room.room_id, room.creator, nickname, now)

    def room(self, room_id: int) -> Room:
        """A room; raises NoSuchRoom."""
        with self._transaction() as db:
            return _room(db, room_id)

    def rooms(self, index: int, count: int, kind: str, now: float) -> list[Room]:
        """Rooms in which somebody was heard of lately, the newest first.

        Args:
            index: how many to skip.
            count: how many at most.
            kind: of this type only, if not empty.
            now: the time.
        """
        query = (
            "SELECT room_id, title, type, creator FROM rooms WHERE alive >= ? AND ? IN ('', type) "
            "ORDER BY created DESC, room_id LIMIT ? OFFSET ?"
        )
        with self._transaction() as db:
            rows = db.execute(query, (now - ROOM_KEPT, kind, count, index)).fetchall()
        return [Room(*row) for row in rows]

    def join(
        self,
        room_id: int,
        user_id: str,
        nickname: str,
        *,
        elsewhere: set[str],
        capacity: int,
        now: float,
    ) -> None:
        """Seat a user: count and seat are one transaction. Who is present keeps the seat.

        Args:
            room_id: the room.
            user_id: who enters.
            nickname: replaces the one that the user had there.
            elsewhere: who is inside by the roster; those that have no seat here count too.
            capacity: how many the room holds.
            now: the time.

        Raises:
            NoSuchRoom: it is over by now.
            RoomFull: it holds that many others.
        """
        with self._transaction() as db:
            _room(db, room_id)
            present = set(_present(db, room_id))
            if user_id not in present and len((present | elsewhere) - {user_id}) >= capacity:
                raise RoomFull
            _seat(db, room_id, user_id, nickname, now)
            _keep(db, room_id, now)

    def hear(self, room_id: int, user_id: str, now: float) -> bool:
        """Take a heartbeat; whether its sender is present. Raises NoSuchRoom."""
        with self._transaction() as db:
            _room(db, room_id)
            heard = db.execute(
                "UPDATE members SET heard = ? "
                "WHERE room_id = ? AND user_id = ? AND departed IS NULL",
                (now, room_id, user_id),
            )
            if heard.rowcount:
                _keep(db, room_id, now)
            return bool(heard.rowcount)

    def lost_nickname(self, room_id: int, user_id: str) -> str | None:
        """The nickname of a member whose heartbeats had stopped, or None: it quit or never came."""
        query = "SELECT nickname FROM members WHERE room_id = ? AND user_id = ? AND NOT quit"
        with self._transaction() as db:
            row = db.execute(query, (room_id, user_id)).fetchone()
        return row[0] if row else None

    def quit(self, room_id: int, user_id: str, now: float) -> Departure | None:
        """A member leaves; a room that all have quit is over at once. None if it was not inside."""
        with self._transaction() as db:
            row = db.execute(
                "UPDATE members SET quit = 1, departed = ?3, seq = seq + 1 "
                "WHERE room_id = ?1 AND user_id = ?2 AND NOT quit RETURNING epoch, seq",
                (room_id, user_id, now),
            ).fetchone()
            left = "SELECT 1 FROM members WHERE room_id = ? AND NOT quit"
            if not db.execute(left, (room_id,)).fetchone():
                db.execute("UPDATE rooms SET alive = 0 WHERE room_id = ?", (room_id,))
        return Departure(room_id, user_id, *row) if row else None

    def expire(self, now: float) -> list[Departure]:
        """Those whose heartbeats stopped are gone; each is returned once."""
        with self._transaction() as db:
            rows = db.execute(
                "UPDATE members SET departed = heard, seq = seq + 1 "
                "WHERE departed IS NULL AND heard < ? RETURNING room_id, user_id, epoch, seq",
                (now - HEARTBEAT_LOST,),
            ).fetchall()
        return [Departure(*row) for row in rows]

    def members(self, room_id: int) -> dict[str, str]:
        """Who is present by its heartbeats, and their nicknames."""
        query = "SELECT user_id, nickname FROM members WHERE room_id = ? AND departed IS NULL"
        with self._transaction() as db:
            return dict(db.execute(query, (room_id,)).fetchall())

    def departures(self, room_id: int) -> dict[str, float]:
        """Who was in the room and left it, and when."""
        query = "SELECT user_id, departed FROM members WHERE room_id = ? AND departed NOT NULL"
        with self._transaction() as db:
            return dict(db.execute(query, (room_id,)).fetchall())

    def abandoned(self, now: float, limit: int) -> list[int]:
        """Rooms of which nothing was heard for so long that they may be over."""
        query = "SELECT room_id FROM rooms WHERE alive < ? LIMIT ?"
        with self._transaction() as db:
            return [row[0] for row in db.execute(query, (now - ROOM_KEPT, limit))]

    def keep(self, room_id: int, now: float) -> None:
        """A room is alive all the same: somebody is in it by the roster."""
        with self._transaction() as db:
            _keep(db, room_id, now)

    def forget(self, room_id: int, now: float) -> None:
        """Delete a room and what is known of its members, unless somebody was heard of since."""
        with self._transaction() as db:
            done = db.execute(
                "DELETE FROM rooms WHERE room_id = ? AND alive < ?", (room_id, now - ROOM_KEPT)
            )
            if done.rowcount:
                db.execute("DELETE FROM members WHERE room_id = ?", (room_id,))

    def due(self, room_id: int, user_id: str, every: float, now: float) -> Report | None:
        """Claim what is to be relayed of a present member now; no other thread gets the same.

        Args:
            room_id: the room.
            user_id: the member.
            every: seconds between two heartbeats while nothing changes.
            now: the time.
        """
        with self._transaction() as db:
            row = db.execute(
                "SELECT epoch, seq, reported, reported_at FROM members "
                "WHERE room_id = ? AND user_id = ? AND departed IS NULL",
                (room_id, user_id),
            ).fetchone()
            if row is None:
                return None
            epoch, seq, reported, reported_at = row
            others = [other for other in _present(db, room_id) if other != user_id]
            heartbeat = reported == " ".join(others)
            if heartbeat and now - reported_at < every:
                return None
            report = Report(epoch, seq if heartbeat else seq + 1, others, heartbeat)
            db.execute(
                "UPDATE members SET seq = ?, reported = ?, reported_at = ? "
                "WHERE room_id = ? AND user_id = ?",
                (report.seq, " ".join(others), now, room_id, user_id),
            )
        return report

    def not_reported(self, room_id: int, user_id: str, report: Report) -> None:
        """A report did not arrive, or the list is asked for again: the next one is a list."""
        with self._transaction() as db:
            db.execute(
                "UPDATE members SET reported = NULL "
                "WHERE room_id = ? AND user_id = ? AND epoch = ? AND seq = ?",
                (room_id, user_id, report.epoch, report.seq),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may write: from its first statement on nobody else may."""
        db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            with db:  # Commits, or rolls back what an exception left half done.
                yield db
        finally:
            db.close()


def _room(db: sqlite3.Connection, room_id: int) -> Room:
    query = "SELECT room_id, title, type, creator FROM rooms WHERE room_id = ?"
    row = db.execute(query, (room_id,)).fetchone()
    if row is None:
        raise NoSuchRoom
    return Room(*row)


def _present(db: sqlite3.Connection, room_id: int) -> Sequence[str]:
    query = "SELECT user_id FROM members WHERE room_id = ? AND departed IS NULL ORDER BY user_id"
    return [row[0] for row in db.execute(query, (room_id,))]


def _seat(db: sqlite3.Connection, room_id: int, user_id: str, nickname: str, now: float) -> None:
    """A stay begins, or goes on; epochs of one user only grow."""
    db.execute(
        "INSERT INTO members (room_id, user_id, nickname, heard, epoch) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET nickname = ?3, heard = ?4, "
        "epoch = iif(departed IS NULL, epoch, max(epoch + 1, ?5)), "
        "seq = iif(departed IS NULL, seq, -1), "
        "reported = iif(departed IS NULL, reported, NULL), departed = NULL, quit = 0",
        (room_id, user_id, nickname, now, int(now * 1000)),
    )


def _keep(db: sqlite3.Connection, room_id: int, now: float) -> None:
    db.execute("UPDATE rooms SET alive = ? WHERE room_id = ?", (now, room_id))
