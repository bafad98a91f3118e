"""News: what a list changes that states another set than the head does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.head import Pending, digest_of
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.transforms import (
    Outcome,
    Step,
    counted,
    heard_by,
    marks_of,
    turned,
    witnessed,
)
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head, RecentChange
    from chalicelib.roster.members import Member
    from chalicelib.roster.reporters import Claim

SMALL_ROOM: Final = 4
"""Members of a room in which often only one is left to see that another goes and comes back."""


class NewsFrom(NamedTuple):
    """A list that is news, and all that it is news to.

    Attributes:
        head: the head; the list's hash is not its.
        members: who is in the room, those about to leave among them.
        hearing: the list, and what is known of its reporter.
        t: unix ms at which the list counts as true: later than the newest one.
        now: unix ms.
    """

    head: Head
    members: Mapping[str, Member]
    hearing: Claim
    t: int
    now: int


class _News(NamedTuple):
    """What a list says against what is expected, as far as it counts.

    Attributes:
        joins: who came: the reporter itself first.
        back: who was about to leave, and is named.
        gone: who is not named any more.
        hash: of the set that is expected after it.
    """

    joins: list[str]
    back: AbstractSet[str]
    gone: list[str]
    hash: str


def merge(case: NewsFrom, most: int) -> Step:
    """Fold in a list that is news.

    Joins count at once. A leave waits for witnesses, or for a while; it is dated at the first list
    that shows it, and any newer list with the user in it cancels it.

    Args:
        case: the list and the room.
        most: most members of the room; who is too many joins with a later list.
    """
    head, members, hearing, t, now = case
    signal = hearing.signal
    marks = {mark.digest: mark for mark in head.marks}
    if signal.user not in members and not hearing.counts(signal.user, t, marks):
        return Step(head, outcome=Outcome.STALE)  # It has left: its list is of before that.
    news = _news(case, marks, most)
    after = _heard(case, news)
    if after == head and not news.joins:
        return Step(head, outcome=Outcome.STALE)
    after = turned(after, news.hash, said=signal.hash, began=t, noted=signal.received)
    after = after._replace(t=max(after.t, t))
    transitions = [*_returns(case, news), *_joins(case, marks, news)]
    if transitions:
        marks_now = marks_of(head, transitions, signal.received)
        after = counted(after, transitions, marks_now, now=now)
    after, leaves = witnessed(after, now=now, members=lambda: members)
    return Step(after, (*transitions, *leaves))


def _news(case: NewsFrom, marks: dict[str, RecentChange], most: int) -> _News:
    head, members, hearing, t, _ = case
    signal = hearing.signal
    stated = {signal.user, *signal.listed}
    leaving = head.leaving(members).keys()
    expected = members.keys() - leaving
    named = stated - expected
    back = named & leaving
    joins = [user for user in sorted(named - back) if hearing.counts(user, t, marks)]
    joins.sort(key=lambda user: user != signal.user)
    del joins[max(0, most - len(members)) :]
    gone = [user for user in sorted(expected - stated) if hearing.counts(user, t, marks)]
    expected = expected.union(joins, back).difference(gone)
    return _News(joins, back, gone, signal.hash if expected == stated else set_hash(expected))


def _heard(case: NewsFrom, news: _News) -> Head:
    """Who is about to leave now, and who has witnessed it."""
    head, members, hearing, t, now = case
    signal = hearing.signal
    kept, doubtful = _kept(head.pending, news.back, members) if news.back else (head.pending, [])
    head = heard_by(head._replace(pending=kept), signal.user, t)
    by_date: dict[int, list[str]] = {}
    for user in (*news.gone, *doubtful):
        by_date.setdefault(max(t, members[user].since), []).append(user)
    fresh = [
        Pending(date, now, signal.source, len(users), *_fewer(users, members), (signal.user,))
        for date, users in by_date.items()
    ]
    return head._replace(pending=(*head.pending, *fresh))


def _kept(
    pending: Iterable[Pending], back: AbstractSet[str], members: Mapping[str, Member]
) -> tuple[tuple[Pending, ...], list[str]]:
    """What is left of the leaves when some users are named again; and of which of them to doubt.

    If a list is without most of a room, and most of those are named again, it says nothing of the
    rest either: its reporter was connecting anew. They leave by the word of others, if at all.
    """
    kept: list[Pending] = []
    doubtful: list[str] = []
    for group in pending:
        users = group.users(members)
        rest = group.keep(back & set(users))
        if group.others and 2 * rest.size < group.size:
            doubtful += [user for user in users if user not in back]
        elif rest.size:
            kept.append(rest)
    return tuple(kept), doubtful


def _fewer(users: list[str], members: Mapping[str, Member]) -> tuple[bool, frozenset[str]]:
    """Whether it takes fewer names to say who stays, and the names."""
    if 2 * len(users) <= len(members):
        return False, frozenset(users)
    return True, frozenset(members.keys() - users)


def _returns(case: NewsFrom, news: _News) -> Iterator[Transition]:
    """In a small room, the one who saw a user go and sees it again is believed about both."""
    head, members, (signal, _, blinked), t, _ = case
    if head.size > SMALL_ROOM or blinked:
        return
    for group in head.pending:
        (user, *others), (first, *_) = group.users(members), group.witnesses
        if not others and user in news.back and first == signal.user != user and t > group.t:
            yield Transition(False, user, group.t, first, group.source, Reason.RETURNED)
            yield Transition(True, user, t, first, signal.source, Reason.LISTED)


def _joins(case: NewsFrom, marks: dict[str, RecentChange], news: _News) -> Iterator[Transition]:
    signal = case.hearing.signal
    for user in news.joins:
        mark = marks.get(digest_of(user)) if marks else None
        t = max(case.t, mark.t) if mark else case.t
        yield Transition(True, user, t, signal.user, signal.source, Reason.LISTED)
