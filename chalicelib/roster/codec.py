"""Heads, members and transitions as plain JSON, small.

Times are written as differences, and what is alike as one group, so that a compressor has little
left to do but the names. A comma cannot stand in a userid, nor can "=", which means "itself".

What each form costs, as JSON and deflated, stands in the tests.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from chalicelib.roster.head import DIGEST, Head, Lease, PastState, Pending, RecentChange
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
        "said": head.said,
        "size": head.size,
        "heard": zero,
        "beating": int(head.lease.beating),
        "t": head.t - zero,
        "began": head.began - zero,
        "noted": head.noted - head.began,
        "ring": [[it.hash, it.said, it.began - zero, it.noted - it.began] for it in head.ring],
        "pending": [_pending_form(group, zero) for group in head.pending],
        "marks": list(_mark_forms(head.marks, zero)),
    }


def head_of(form: Mapping[str, Any]) -> Head:
    """Read what `head_form` wrote."""
    zero = form["heard"]
    began = zero + form["began"]
    return Head(
        version=form["version"],
        revision=form["revision"],
        hash=form["hash"],
        said=form["said"],
        t=zero + form["t"],
        began=began,
        noted=began + form["noted"],
        size=form["size"],
        lease=Lease(zero, bool(form["beating"])),
        ring=tuple(_stop_of(zero, *each) for each in form["ring"]),
        pending=tuple(_pending_of(zero, *each) for each in form["pending"]),
        marks=tuple(mark for each in form["marks"] for mark in _marks_of(zero, *each)),
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


def _stop_of(zero: int, hash_: str, said: str, began: int, noted: int) -> PastState:
    return PastState(hash_, said, zero + began, zero + began + noted)


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
