"""Heads, members and transitions as plain JSON, small.

Times are written as differences, and what is alike as one group, so that a compressor has little
left to do but the names. A comma cannot stand in a userid, nor can "=", which means "itself".

What each form costs, as JSON and deflated, stands in the tests.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from chalicelib.roster.head import (
    DIGEST,
    Beat,
    Head,
    Lease,
    PastState,
    Pending,
    RecentChange,
    Reconnect,
)
from chalicelib.roster.members import Member, Reason, Transition
from chalicelib.roster.signal import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ITSELF = "="


def head_form(head: Head) -> dict[str, Any]:
    """Write a head."""
    zero = head.lease.heard
    return {
        "version": head.version,
        "revision": head.revision,
        "hash": head.hash,
        "size": head.size,
        "heard": zero,
        "agreed": _since_form(head.lease.agreed, zero),
        "floor": _since_form(head.floor, zero),
        "began": head.began - zero,
        "noted": head.noted - head.began,
        "ring": [[it.hash, it.began - zero, it.noted - it.began] for it in head.ring],
        "pending": [_pending_form(group, zero) for group in head.pending],
        "marks": list(_mark_forms(head.marks, zero)),
        "beats": [[it.user, it.t - zero] for it in head.beats],
        "reconnects": [[it.user, it.times, it.t - zero] for it in head.reconnects],
    }


def head_of(form: Mapping[str, Any]) -> Head:
    """Read what `head_form` wrote."""
    zero = form["heard"]
    began = zero + form["began"]
    return Head(
        version=form["version"],
        revision=form["revision"],
        hash=form["hash"],
        floor=_since_of(form["floor"], zero),
        began=began,
        noted=began + form["noted"],
        size=form["size"],
        lease=Lease(zero, _since_of(form["agreed"], zero)),
        ring=tuple(_stop_of(zero, *each) for each in form["ring"]),
        pending=tuple(_pending_of(zero, *each) for each in form["pending"]),
        marks=tuple(mark for each in form["marks"] for mark in _marks_of(zero, *each)),
        beats=tuple(Beat(user, zero + t) for user, t in form["beats"]),
        reconnects=tuple(Reconnect(user, times, zero + t) for user, times, t in form["reconnects"]),
    )


def members_form(members: Mapping[str, Member]) -> list[Any]:
    """Write a roster: ``[[since, by, source, "user,user,…"], …]``.

    The first ``since`` is in unix ms, each other one in ms after the one before.
    """
    forms: list[Any] = []
    before = 0
    rows = sorted(
        (it.since, _by_form(it.by, user), it.source, user) for user, it in members.items()
    )
    for (since, by, source), group in groupby(rows, key=lambda row: row[:3]):
        forms.append([since - before, by, source, ",".join(row[3] for row in group)])
        before = since
    return forms


def members_of(form: Iterable[Any]) -> dict[str, Member]:
    """Read what `members_form` wrote."""
    members = {}
    since = 0
    for after, by, source, users in form:
        since += after
        for user in users.split(","):
            members[user] = Member(since, _by_of(by, user), Source(source))
    return members


def transitions_form(transitions: Iterable[Transition]) -> list[Any]:
    """Write transitions, in their order.

    The form is ``[[1 or -1, t, by, source, reason, "user,user,…"], …]``, t in unix ms.
    """
    rows = [
        (1 if it.joined else -1, it.t, _by_form(it.by, it.user), it.source, it.reason, it.user)
        for it in transitions
    ]
    return [
        [*alike, ",".join(row[-1] for row in group)]
        for alike, group in groupby(rows, key=lambda row: row[:-1])
    ]


def transitions_of(form: Iterable[Any]) -> tuple[Transition, ...]:
    """Read what `transitions_form` wrote."""
    return tuple(
        Transition(way > 0, user, t, _by_of(by, user), Source(source), Reason(reason))
        for way, t, by, source, reason, users in form
        for user in users.split(",")
    )


def _by_form(by: str, user: str) -> str:
    return _ITSELF if by == user else by


def _by_of(by: str, user: str) -> str:
    return user if by == _ITSELF else by


def _since_form(t: int, zero: int) -> int | None:
    return t - zero if t else None


def _since_of(form: int | None, zero: int) -> int:
    return 0 if form is None else zero + form


def _stop_of(zero: int, hash_: str, began: int, noted: int) -> PastState:
    return PastState(hash_, zero + began, zero + began + noted)


def _pending_form(group: Pending, zero: int) -> list[Any]:
    names, witnesses = ",".join(sorted(group.names)), ",".join(group.witnesses)
    times = [group.t - zero, group.noted - group.t]
    return [*times, group.source, group.size, int(group.others), names, witnesses]


def _pending_of(  # noqa: PLR0917 (a form's fields)
    zero: int, t: int, noted: int, source: str, size: int, others: int, names: str, witnesses: str
) -> Pending:
    return Pending(
        zero + t,
        zero + t + noted,
        Source(source),
        size,
        bool(others),
        frozenset(names.split(",") if names else ()),
        tuple(witnesses.split(",")),
    )


def _mark_forms(marks: Iterable[RecentChange], zero: int) -> Iterator[list[Any]]:
    for (t, noted, version, present), group in groupby(marks, key=lambda mark: mark[1:]):
        digests = "".join(mark.digest for mark in group)
        yield [t - zero, noted - t, version, int(present), digests]


def _marks_of(  # noqa: PLR0917 (likewise)
    zero: int, t: int, noted: int, version: int, present: int, digests: str
) -> Iterator[RecentChange]:
    for at in range(0, len(digests), DIGEST):
        digest = digests[at : at + DIGEST]
        yield RecentChange(digest, zero + t, zero + t + noted, version, bool(present))
