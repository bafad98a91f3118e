"""News: what a list changes that states another set than the head does.

It is evidence of presence for all whom it names, and of a leave for those whom its reporter named
before. Each member is judged for itself: nobody need see everyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.head import CONTESTED, STRAGGLER, Pending, digest_of
from chalicelib.roster.leases import agreed
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.places import Places, room_for
from chalicelib.roster.reporters import marks_by_digest, names
from chalicelib.roster.transforms import (
    Outcome,
    Step,
    counted,
    heard_at,
    mark_of,
    marks_of,
    reconnected,
    seen,
    turned,
    without,
)
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head
    from chalicelib.roster.known import Known
    from chalicelib.roster.members import Member
    from chalicelib.roster.reporters import Claim, Marks
    from chalicelib.roster.signal import Signal

FEW = 4
"""Members that a late list may show to have left, and whose own words are read then."""


class NewsFrom(NamedTuple):
    """A list that is news, and all that it is news to.

    Attributes:
        head: the head; the list's hash is not its.
        members: who is in the room, those about to leave among them.
        claim: the list, and what is known of its reporter.
        now: unix ms.
    """

    head: Head
    members: Mapping[str, Member]
    claim: Claim
    now: int


class _News(NamedTuple):
    """What a list says against what is expected, as far as it counts.

    Attributes:
        came: who is named and was not in the room: the reporter first.
        back: who was about to leave, and stays.
        held: who is about to leave, and leaves later, since its leave is contested.
        gone: who is not named any more.
    """

    came: list[str]
    back: AbstractSet[str]
    held: AbstractSet[str]
    gone: list[str]


def merge(news_from: NewsFrom, known: Known, most: int) -> Step:
    """Fold in a list that is news.

    Joins count at once. A leave waits; it is dated at the first list that shows it, and a newer
    word of the member's, or of one who can know, cancels it.

    Args:
        news_from: the list and the room.
        known: what was read; of a few members that a late list shows to have left, the last words.
        most: most members of the room; who is too many joins with a later list.
    """
    head, members, claim, now = news_from
    signal = claim.signal
    marks = marks_by_digest(head.marks)
    if signal.user not in members and not _may_join(head, claim, signal.user, marks):
        return Step(head, outcome=Outcome.STALE)  # It has left: its list is of before that.
    news = _news(news_from, marks, known)
    places = room_for(head, members, claim.signal, news.came, known, most)
    after, cancelled = _heard(news_from, news, marks)
    if cancelled:
        after = seen(after, cancelled, signal, now=now)
        after = reconnected(after, cancelled, signal.t)
    if places.displaced:
        after = without(after, places.displaced, members)
    transitions = _transitions(news_from, places)
    if transitions:
        changes = marks_of(head, transitions, signal.received)
        after = counted(after, transitions, changes, now=now)
    if after == head:
        outcome = Outcome.FULL if signal.user in places.dropped else Outcome.UNCHANGED
        return Step(head, outcome=outcome, dropped=places.dropped)
    present = members.keys() - places.displaced | set(places.joins)
    expected = present - after.leaving(present).keys()
    hash_ = signal.hash if expected == signal.stated else set_hash(expected)
    after = turned(heard_at(after, signal.t), hash_, began=signal.t, noted=signal.received)
    if hash_ == signal.hash:
        after = agreed(after, signal.t)
    outcome = Outcome.FULL if signal.user in places.dropped else Outcome.APPLIED
    return Step(after, tuple(transitions), outcome, dropped=places.dropped)


def _may_join(head: Head, claim: Claim, user: str, marks: Marks) -> bool:
    return claim.signal.t > head.floor and claim.shows_join(user, marks, head.size)


def _news(news_from: NewsFrom, marks: Marks, known: Known) -> _News:
    head, members, claim, _ = news_from
    signal = claim.signal
    stated = signal.stated
    leaving = head.leaving(members)
    came = [user for user in sorted(stated - members.keys()) if _may_join(head, claim, user, marks)]
    came.sort(key=lambda user: user != signal.user)
    named = {user: leaving[user] for user in stated & leaving.keys()}
    own = leaving.get(signal.user)
    back = {user for user, group in named.items() if _cancels(signal, group, own)}
    held = {
        user
        for user, group in named.items()
        if user not in back and _contests(claim, user, group, news_from.now)
    }
    if claim.names_nobody_yet:
        return _News(came, back, held, [])
    missing = sorted(members.keys() - leaving.keys() - stated)
    gone = [user for user in missing if _is_gone(news_from, user, marks)]
    return _News(came, back, held, _not_heard_since(gone, claim, known))


def _cancels(signal: Signal, group: Pending, own: Pending | None) -> bool:
    """Whether naming one who is about to leave shows that it stays.

    It does if one speaks who has said that it left, or somebody who was asked; or that one itself,
    or another who was said to have left with it and has not: but for the last word of an old
    client, which comes in when it has left, or which several others contradict.

    Args:
        signal: the list.
        group: those with whom the one that it names is about to leave.
        own: those with whom the list's reporter is, if it is.
    """
    late = group.size == 1 and signal.t <= group.t + STRAGGLER
    alone = len(group.witnesses) == 1 and not late
    believed = alone or signal.order.epoch > group.t - STRAGGLER
    if signal.user in group.witnesses or (group == own and believed):
        return signal.t > group.t
    return signal.asked and signal.t > group.t + STRAGGLER


def _contests(claim: Claim, user: str, group: Pending, now: int) -> bool:
    """Whether naming one who is about to leave makes its leave wait longer.

    Others may only not have noticed yet that it is gone, unless some time has passed, or they see
    it again; or it may be their last word of before.
    """
    signal, last = claim.signal, claim.last
    if signal.t <= group.t or group.noted >= now + CONTESTED // 2:
        return False
    if signal.t > group.t + STRAGGLER or signal.user == user:
        return True
    return last is not None and last.members > 1 and not names(last, user, None, group.t)


def _is_gone(news_from: NewsFrom, user: str, marks: Marks) -> bool:
    """Whether a member that is not named has left.

    One that has never spoken, and that only somebody named who is gone, is believed to be gone
    with it; or where that one does not name it any more.
    """
    head, members, claim, _ = news_from
    member = members[user]
    if claim.shows_leave(user, member, marks):
        return True
    return (
        member.by not in {"", user}
        and member.by not in members
        and claim.signal.t > member.since + STRAGGLER
        and mark_of(head, user) is None
    )


def _not_heard_since(users: list[str], claim: Claim, known: Known) -> list[str]:
    """Those who have not spoken since a list, which is late, shows that they left."""
    signal = claim.signal
    if signal.received - signal.t <= STRAGGLER or not 0 < len(users) <= FEW:
        return users
    words = known.last_words(tuple(users))
    return [
        user
        for user in users
        if (word := words[user]) is None or not word.members or word.t <= signal.t
    ]


def _heard(news_from: NewsFrom, news: _News, marks: Marks) -> tuple[Head, AbstractSet[str]]:
    """Who is about to leave now, who has witnessed it, and who is not about to leave any more."""
    head, members, claim, now = news_from
    signal = claim.signal
    doubtful: list[str] = []
    after = head
    if news.back:
        doubtful = _doubtful(head.pending, news.back, members)
        after = without(head, news.back | set(doubtful), members)
    after = _hold(after, news.held, members, now)
    groups: dict[tuple[int, int], list[str]] = {}
    for user in (*news.gone, *doubtful):
        mark = marks.get(digest_of(user)) if marks else None
        before = claim.before
        contested = not before or not names(before, user, mark, members[user].since)
        noted = now + CONTESTED if contested else now
        groups.setdefault((max(signal.t, members[user].since), noted), []).append(user)
    fresh = [
        Pending(*times, signal.source, len(users), *_fewer(users, members), (signal.user,))
        for times, users in groups.items()
    ]
    after = after._replace(pending=(*after.pending, *fresh))
    return witnessed(after, claim, members), news.back


def _hold(head: Head, held: AbstractSet[str], members: Mapping[str, Member], now: int) -> Head:
    """Let some leaves wait longer."""
    if not held:
        return head
    later = []
    for group in head.pending:
        users = [user for user in group.users(members) if user in held]
        if users:
            others, kept = _fewer(users, members)
            size, noted = len(users), now + CONTESTED
            later.append(group._replace(noted=noted, size=size, others=others, names=kept))
    head = without(head, held, members)
    return head._replace(pending=(*head.pending, *later))


def witnessed(head: Head, claim: Claim, members: Mapping[str, Member]) -> Head:
    """Take a reporter as a witness of leaves that it sees as well, where that shortens their wait.

    Args:
        head: the head.
        claim: a list, and what is known of its reporter.
        members: who is in the room.
    """
    signal, named = claim.signal, claim.older
    if not named or claim.names_nobody_yet:
        return head

    def has_seen(group: Pending) -> bool:
        return (
            head.lacking(group) > 1
            and signal.user not in group.witnesses
            and signal.t >= group.t - STRAGGLER
            and all(
                user not in signal.stated
                and any(names(report, user, None, members[user].since) for report in named)
                for user in group.users(members)
            )
        )

    groups = [
        group._replace(witnesses=(*group.witnesses, signal.user)) if has_seen(group) else group
        for group in head.pending
    ]
    return head._replace(pending=tuple(groups))


def _doubtful(
    pending: Iterable[Pending], back: AbstractSet[str], members: Mapping[str, Member]
) -> list[str]:
    """Of which of those who are about to leave to doubt it, when some are named again.

    If a list is without most of a room, and most of those are named again, it says nothing of the
    rest either: its reporter was connecting anew. They leave by the word of others, if at all.
    """
    doubtful: list[str] = []
    for group in pending:
        users = group.users(members)
        rest = [user for user in users if user not in back]
        if group.others and 2 * len(rest) < group.size:
            doubtful += rest
    return doubtful


def _fewer(users: list[str], members: Mapping[str, Member]) -> tuple[bool, frozenset[str]]:
    """Whether it takes fewer names to say who stays, and the names."""
    if 2 * len(users) <= len(members):
        return False, frozenset(users)
    return True, frozenset(members.keys() - users)


def _transitions(news_from: NewsFrom, places: Places) -> list[Transition]:
    head, members, (signal, *_), _ = news_from
    transitions = []
    for user in sorted(places.displaced):
        t = max(signal.t, members[user].since)
        reason = Reason.DISPLACED
        transitions.append(Transition(False, user, t, signal.user, signal.source, reason))
    for user in places.joins:
        mark = mark_of(head, user)
        t = max(signal.t, mark.t) if mark else signal.t
        transitions.append(Transition(True, user, t, signal.user, signal.source, Reason.LISTED))
    return transitions
