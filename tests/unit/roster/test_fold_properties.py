"""What holds whatever is said, in whatever order, however often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.roster.codec import (
    head_form,
    head_of,
    members_form,
    members_of,
    transitions_form,
    transitions_of,
)
from chalicelib.roster.head import LAGGARD, MOST_MARKS, RING, STRAGGLER
from chalicelib.roster.members import replay
from chalicelib.roster.signal import LAST_SEQ, Kind, Order, Signal, Source
from chalicelib.roster.timeouts import due, settled_members, settled_size
from chalicelib.roster.view import set_hash
from tests.support.folding import EPOCH, T0, Room

if TYPE_CHECKING:
    from collections.abc import Iterable

USERS = ["anna", "berta", "carla", "dora", "emma"]
HOUR = 3_600_000
TENCENT = [Kind.ENTERED, Kind.LEFT, Kind.ENTERED, Kind.LEFT, Kind.DISMISSED, Kind.CREATED]

sometimes = settings(max_examples=40)

names = st.sampled_from(USERS)
groups = st.frozensets(names, max_size=len(USERS))
steps = st.sampled_from([0, 1, 60, 700, 4000, 6000, 11_000, 40_000, 160_000, 5 * HOUR, -1, -3000])
ages = st.sampled_from([0, 0, 0, 40, 900, 5500, 70_000, -500])
said = st.one_of(
    st.tuples(st.just(Kind.LIST), groups),
    st.tuples(st.just(Kind.LIST), groups),
    st.tuples(st.just(Kind.HEARTBEAT), groups),
    st.tuples(st.just(Kind.LEFT), st.just(frozenset[str]())),
)


@st.composite
def signals(draw: st.DrawFn) -> list[Signal]:
    """Anything that anybody might say, with times and orders as they please."""
    received = T0
    out = []
    for _ in range(draw(st.integers(1, 25))):
        received += draw(steps)
        user = draw(names)
        t = received - draw(ages)
        if draw(st.integers(0, 4)) == 0:
            kind = draw(st.sampled_from(TENCENT))
            out.append(Signal(kind, Source.TENCENT, user, t, received))
            continue
        kind, listed = draw(said)
        seq = LAST_SEQ if kind is Kind.LEFT else draw(st.integers(1, 40))
        order = Order(draw(st.sampled_from([EPOCH, EPOCH + 1, received])), seq)
        hash_ = set_hash({user, *listed}) if kind is not Kind.LEFT else ""
        asked = draw(st.booleans())
        out.append(
            Signal(kind, Source.CLIENT, user, t, received, order, hash_, listed - {user}, asked)
        )
    return out


def must_hold(room: Room) -> None:
    """What is true of every room at every time."""
    head, members = room.head, room.members
    leaving = head.leaving(members)
    assert len(members) == head.size
    assert set_hash(members.keys() - leaving) == head.hash
    assert leaving.keys() <= members.keys()
    assert sum(group.size for group in head.pending) == len(leaving)
    for group in head.pending:
        assert len(group.users(members)) == group.size > 0
        assert len(set(group.witnesses)) == len(group.witnesses)
        assert not set(group.witnesses) & set(group.users(members))
    assert len({mark.digest for mark in head.marks}) == len(head.marks) <= MOST_MARKS
    assert len(head.ring) <= RING
    assert (due(head) is None) == (not members)


@sometimes
@given(signals())
def test_whatever_is_said_the_roster_is_what_the_timeline_says(heard: list[Signal]) -> None:
    """Replaying gives the members, and they give the head.

    Nobody joins or leaves twice in a row, or leaves before it came: the replay would refuse that.
    """
    room = Room()
    for signal in heard:
        room.hear(signal)
        must_hold(room)
        assert replay({}, room.timeline) == room.members


@sometimes
@given(signals())
def test_a_signal_that_is_folded_twice_changes_nothing_the_second_time(heard: list[Signal]) -> None:
    """Whatever was said before: a duplicate, and a fold whose answer was lost, do no harm."""
    room = Room()
    for signal in heard:
        room.hear(signal)
        room.settle(signal.received)
        head = room.head
        folded = room.hear(signal)
        assert folded.head is head
        assert folded.transitions == ()


@sometimes
@given(signals(), st.randoms(use_true_random=False))
def test_the_same_may_be_said_any_number_of_times_later(
    heard: list[Signal], chance: object
) -> None:
    """Re-folding what is stored never counts a witness twice, and makes no nonsense."""
    room = Room()
    for signal in heard:
        room.hear(signal)
        again = chance.choice(heard)  # type: ignore[attr-defined]  # A Random of Hypothesis.
        room.hear(again._replace(received=max(again.received, signal.received)))
        must_hold(room)


@sometimes
@given(signals())
def test_every_write_has_a_revision_and_every_change_a_version(heard: list[Signal]) -> None:
    """By one each; a head that is not another has the same."""
    room = Room()
    for signal in heard:
        before = room.head
        folded = room.hear(signal)
        assert folded.head.revision == before.revision + (folded.head is not before)
        assert folded.head.version == before.version + bool(folded.transitions)


@sometimes
@given(signals(), steps)
def test_settling_does_what_is_due_and_nothing_else(heard: list[Signal], later: int) -> None:
    """At once and all of it; before it is due, nothing changes."""
    room = Room()
    for signal in heard:
        room.hear(signal)
    now = heard[-1].received + abs(later)
    was_due, head, shown = due(room.head), room.head, room.shown(now)
    room.settle(now)
    assert (room.head is head) == (was_due is None or was_due > now)
    assert (due(room.head) or now + 1) > now
    assert room.members.keys() == shown
    must_hold(room)


@sometimes
@given(signals())
def test_what_is_written_is_read(heard: list[Signal]) -> None:
    """Heads, members and transitions come back from their forms as they were."""
    room = Room()
    for signal in heard:
        room.hear(signal)
    assert room.head == head_of(head_form(room.head))
    assert room.members == members_of(members_form(room.members))
    assert tuple(room.timeline) == transitions_of(transitions_form(room.timeline))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Signal], dict[str, int]]:
    """Reports of one history, out of order and doubled; and how many each user made."""
    made: dict[str, int] = {}
    goodbyes: dict[str, int] = {}
    out = []
    for second in range(draw(st.integers(0, 12))):
        user = draw(names)
        made[user] = made.get(user, 0) + 1
        t, order = T0 + 1000 * second, Order(EPOCH + goodbyes.get(user, 0), made[user])
        if draw(st.integers(0, 5)) == 0:
            order = order._replace(seq=LAST_SEQ)
            goodbyes[user] = goodbyes.get(user, 0) + 1
            out.append(Signal(Kind.LEFT, Source.CLIENT, user, t, t, order))
            continue
        listed = draw(groups) - {user}
        hash_ = set_hash({user, *listed})
        out.append(Signal(Kind.LIST, Source.CLIENT, user, t, t, order, hash_, listed))
    shuffled = draw(
        st.permutations([*out, *draw(st.lists(st.sampled_from(out)) if out else st.just([]))])
    )
    received = T0 + 13_000
    late = []
    for signal in shuffled:
        received += draw(st.sampled_from([0, 5, 900, 6000]))
        late.append(signal._replace(received=received))
    return late, made


def converge(
    room: Room, present: Iterable[str], made: dict[str, int], t: int, *, asked: bool
) -> None:
    """Everyone who is there sends one heartbeat, and its list if that is wanted."""
    everyone = " ".join(sorted(present))
    for at, user in enumerate(sorted(present)):
        users = " ".join([user, *everyone.replace(user, "").split()])
        now = t + 100 * at - T0
        if room.beats(users, now, epoch=EPOCH + 99).resend:
            seq = made.get(user, 0) + 1
            room.lists(users, now + 50, seq=seq, epoch=EPOCH + 99, asked=asked)


@sometimes
@given(signals(), st.lists(steps, min_size=1, max_size=4))
def test_the_size_to_be_shown_is_that_of_the_roster_to_be_shown(
    heard: list[Signal], waits: list[int]
) -> None:
    """However long nobody settles what is due, and whoever they are."""
    room = Room()
    for signal in heard:
        room.hear(signal)
        for wait in (0, *waits):
            now = signal.received + wait
            shown = settled_members(room.head, now, room.members)
            assert settled_size(room.head, now) == len(shown)


@sometimes
@given(histories(), st.frozensets(names, min_size=1))
def test_one_heartbeat_of_each_member_brings_all_of_them_in(
    history: tuple[list[Signal], dict[str, int]], present: frozenset[str]
) -> None:
    """Whatever was said before, in whatever order: who is there and says so is in the roster."""
    heard, made = history
    room = Room()
    for signal in heard:
        room.hear(signal)
    quiet = (heard[-1].received if heard else T0) + STRAGGLER + 1000
    converge(room, present, made, quiet, asked=True)
    assert room.shown(quiet + 100_000) >= present
    must_hold(room)


@sometimes
@given(histories(), st.frozensets(names, min_size=1))
def test_clients_that_do_not_say_that_they_were_asked_are_believed_after_a_while(
    history: tuple[list[Signal], dict[str, int]], present: frozenset[str]
) -> None:
    """The same, when the room has been quiet for as long as a report may lag."""
    heard, made = history
    room = Room()
    for signal in heard:
        room.hear(signal)
    quiet = (heard[-1].received if heard else T0) + LAGGARD + STRAGGLER + 1000
    converge(room, present, made, quiet, asked=False)
    assert room.shown(quiet + 100_000) >= present
