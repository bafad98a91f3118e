"""History on the stand-in: what is shown of a room is what its timeline tells."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.head import LEASE, Pending
from chalicelib.roster.members import Member
from chalicelib.roster.signal import Source
from chalicelib.table.errors import HistoryGone
from chalicelib.table.history import MOST_READ, MOST_SHOWN, History, TimeRange
from chalicelib.table.item_keys import RoomKey, change_key, snapshot_key
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.runs import World
from simulation.truth import Setting
from tests.support.lists import plain_view
from tests.support.stories import KEPT, Story, came, went

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.roster.members import Transition
    from chalicelib.table.history import Roster
    from chalicelib.table.rooms import Change

T = 1_600_000_000_000
DAY = 86_400_000
ALL = TimeRange(0, 10**13 - 1)


@pytest.fixture
def client() -> Any:
    """The stand-in."""
    return DynamoDBEmulator()


@pytest.fixture
def history(client: Any) -> History:
    """The history under test."""
    return History(client, "events", KEPT)


@pytest.fixture
def story(client: Any) -> Story:
    """A room whose story the test tells."""
    return Story(client, "events", 1, parse_room(7))


def at(history: History, ref: RoomKey, moment: int, now: int) -> Roster:
    """The roster of a moment, as far as is known by now."""
    return history.roster_at(history.settled_room(ref, now), moment, now)


def who(roster: Roster) -> list[str]:
    """Who is in a roster."""
    return sorted(roster.members)


def pages(
    history: History, ref: RoomKey, time_range: TimeRange = ALL, limit: int = 7
) -> list[list[Change]]:
    """A timeline, page by page."""
    page = history.timeline(ref, time_range, None, limit)
    out = [page.changes]
    while page.after is not None:
        page = history.timeline(ref, time_range, page.after, limit)
        out.append(page.changes)
    return out


def plainly(changes: Iterable[Change], moment: int) -> dict[str, int]:
    """Who was in a room at a moment, and since when, by each user's last transition until then."""
    last = {t.user: t for change in changes for t in change.transitions if t.t <= moment}
    return {user: each.t for user, each in last.items() if each.joined}


SETTINGS = [
    Setting(4, changes=40, beats=True),
    Setting(20, changes=90, ordered=False),
    Setting(20, changes=60, callbacks=True),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=["beats", "unordered", "callbacks"])
@pytest.mark.parametrize("seed", range(2))
def test_each_past_roster_is_the_replayed_timeline(
    client: Any, history: History, setting: Setting, seed: int
) -> None:
    """Whatever moment of a simulated call is asked for, before, after and at its transitions."""
    ref = RoomKey(1, parse_room(7))
    folder = RoomWriter(history.table, sleep=lambda _seconds: None)
    signals = World(setting, seed).sent.signals
    for signal in signals:
        folder.apply(ref, signal, signal.received)
    now = signals[-1].received + 5_000
    settled = history.settled_room(ref, now)
    changes = list(history.table.changes(ref, 0, settled.room.head.version))
    assert len(changes) > 30
    due = [changes[-1]._replace(transitions=settled.due)] if settled.due else []
    times = sorted({t.t for c in (*changes, *due) for t in c.transitions})
    fresh = History(client, "events", KEPT)
    for moment in [*times[::3], *(t - 1 for t in times[::3]), now]:
        roster = at(fresh, ref, moment, now)
        since = {user: member.since for user, member in roster.members.items()}
        assert since == plainly([*changes, *due], moment)
    assert at(fresh, ref, now, now) == history.roster(settled)


def tell_of_late_leaves(story: Story, chance: Random, versions: int) -> list[list[Transition]]:
    """A story, a minute between its versions, of leaves that may be recorded an hour late."""
    told: list[list[Transition]] = []
    for version in range(versions):
        now = T + 60_000 * version
        members = story.table.members(story.table.room(story.ref))
        back = now - chance.choice([0, 0, 5_000, 3_600_000])
        # One that came after that leaves as soon as it came.
        gone = [went(u, max(back, members[u].since)) for u in members if chance.random() < 0.4]
        told.append([*gone, came(f"u{version}", now - chance.choice([0, 40]))])
        story.tell(now, *told[-1])
    return told


@pytest.mark.parametrize("seed", range(3))
def test_past_rosters_know_what_was_recorded_late(
    history: History, story: Story, seed: int
) -> None:
    """Versions are not in the order of their times; a roster of a moment is right all the same."""
    told = tell_of_late_leaves(story, Random(seed), 150)  # noqa: S311 (a made-up story)
    changes = list(history.table.changes(story.ref, 0, story.version))
    times = sorted(t.t for version in told for t in version)
    assert times != [t.t for version in told for t in version]
    for moment in times[::5]:
        roster = at(history, story.ref, moment, T + 60_000 * 150)
        since = {user: member.since for user, member in roster.members.items()}
        assert since == plainly(changes, moment)


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_pages_of_a_timeline_make_the_whole(
    client: Any, history: History, limit: int, seed: int
) -> None:
    """TimelinePage by page every transition of the time asked for comes once, in its order."""
    story, chance = Story(client, "events", 1, parse_room(7)), Random(seed)  # noqa: S311 (a made-up story)
    told = tell_of_late_leaves(story, chance, 150)
    moments = sorted(chance.sample(range(T - 3_600_000, T + 60_000 * 150), 2))
    for time_range in (
        ALL,
        TimeRange(*moments),
        TimeRange(moments[0], ALL.last),
        TimeRange(0, moments[1]),
    ):
        found = pages(history, story.ref, time_range, limit)
        shown = [change for page in found for change in page]
        wanted = [t for version in told for t in version if time_range.includes(t.t)]
        assert [t for change in shown for t in change.transitions] == wanted
        assert [c.version for c in shown] == sorted({c.version for c in shown})
        assert all(len(page) <= limit for page in found)


def test_a_leave_that_was_recorded_late_counts_from_when_it_happened(
    history: History, story: Story
) -> None:
    """Anna went before berta came, and that was known only afterwards."""
    story.tell(T, came("anna", T))
    story.tell(T + 60_000, came("berta", T + 60_000))
    story.tell(T + 90_000, went("anna", T + 30_000))
    rosters = [who(at(history, story.ref, T + t, T + DAY)) for t in (-1, 0, 29_999, 30_000, 60_000)]
    assert rosters == [[], ["anna"], ["anna"], [], ["berta"]]


def test_what_is_due_counts_in_past_rosters_too(history: History, story: Story) -> None:
    """The lease is over, and nobody has written that: all are gone since the room was heard of."""
    story.tell(T, came("anna", T))
    now = T + LEASE
    assert who(history.roster(history.settled_room(story.ref, now - 1))) == ["anna"]
    assert who(history.roster(history.settled_room(story.ref, now))) == []
    assert who(at(history, story.ref, T + 5, now - 1)) == ["anna"]
    assert who(at(history, story.ref, T + 5, now)) == []


@pytest.mark.parametrize("others", [False, True])
def test_who_is_about_to_leave_is_marked(history: History, story: Story, others: bool) -> None:  # noqa: FBT001 (a parameter)
    """Named or by those who stay; in past rosters from the moment on at which it was not named."""
    names = frozenset(["anna"] if others else ["berta"])
    group = Pending(T + 50, T + 60, Source.CLIENT, 1, others, names, ("anna",))
    story.tell(T, came("anna", T), came("berta", T), pending=(group,))
    now = T + 1_000
    assert dict(history.roster(history.settled_room(story.ref, now)).leaving) == {"berta": T + 50}
    assert dict(at(history, story.ref, T + 50, now).leaving) == {"berta": T + 50}
    assert dict(at(history, story.ref, T + 49, now).leaving) == {}
    assert who(history.roster(history.settled_room(story.ref, T + 10_060))) == ["anna"]


def test_the_hash_is_what_members_should_state(history: History, story: Story) -> None:
    """Without those about to leave, as in the head."""
    group = Pending(T + 50, T + 60, Source.CLIENT, 1, False, frozenset(["berta"]), ("anna",))
    room = story.tell(T, came("anna", T), came("berta", T), pending=(group,))
    assert history.roster(history.settled_room(story.ref, T + 60)).hash == room.head.hash


def test_large_rooms_have_a_past_as_well(history: History, story: Story) -> None:
    """Members that stand in snapshots, versions apart."""
    users = sorted(plain_view(400).others)
    for version, user in enumerate(users):
        story.tell(T + version, came(user, T + version))
    assert story.table.room(story.ref).inline is None
    for moment in (0, 1, 150, 260, 397, 398):
        roster = at(history, story.ref, T + moment, T + 1_000)
        assert list(roster.members) == users[: moment + 1]
    assert roster.members[users[3]] == Member(T + 3, users[3], Source.CLIENT)


def test_a_room_that_was_never_seen_was_always_empty(history: History) -> None:
    """No version, nobody, at no time; and no timeline."""
    ref = RoomKey(1, parse_room(9))
    assert who(history.roster(history.settled_room(ref, T))) == []
    assert who(at(history, ref, 0, T)) == []
    assert pages(history, ref) == [[]]


def forget(client: Any, story: Story, upto: int) -> None:
    """Delete changes and snapshots up to a version, as TTL does."""
    for version in range(1, upto + 1):
        for key in (change_key(story.ref, version), snapshot_key(story.ref, version)):
            client.delete_item(TableName="events", Key=key)


def test_what_is_not_kept_any_more_is_gone(client: Any, history: History, story: Story) -> None:
    """A moment before all that is kept is refused, never made up; one within it is answered."""
    for version in range(100):
        story.tell(T + DAY * version, came(f"u{version}", T + DAY * version))
    now = T + DAY * 100
    forget(client, story, 9)
    with pytest.raises(HistoryGone):
        at(history, story.ref, T + DAY * 5, now)
    assert len(who(at(history, story.ref, T + DAY * 70, now))) == 71
    with pytest.raises(HistoryGone):  # It is kept, but what leads to it is not.
        at(history, story.ref, T + DAY * 20, now)


def test_a_steady_room_is_known_however_long_ago(
    client: Any, history: History, story: Story
) -> None:
    """Nothing has changed since, so what is known now holds for then."""
    story.tell(T, came("anna", T))
    story.tell(T + 1, came("berta", T + 1))
    forget(client, story, 2)
    now = T + 2 * 3_600_000
    assert who(at(history, story.ref, T + 1, now)) == ["anna", "berta"]


def test_a_quiet_room_whose_every_change_is_gone_is_not_made_up(
    client: Any, history: History, story: Story
) -> None:
    """Changes keep the end that they were written with, though history is kept longer since."""
    story.tell(T, came("anna", T))
    story.tell(T + 10 * DAY, went("anna", T + 10 * DAY))
    forget(client, story, 2)
    with pytest.raises(HistoryGone):
        at(history, story.ref, T + DAY, T + 20 * DAY)


def test_a_room_that_was_empty_in_between_is_known_though_the_time_before_is_gone(
    client: Any, history: History, story: Story
) -> None:
    """Its first change that is kept tells that it was empty."""
    story.tell(T, came("anna", T))
    story.tell(T + 5, went("anna", T + 5))
    story.tell(T + 150 * DAY, came("berta", T + 150 * DAY))
    forget(client, story, 2)
    now = T + 151 * DAY
    assert who(at(history, story.ref, T + 100 * DAY, now)) == []
    with pytest.raises(HistoryGone):
        at(history, story.ref, T + 3, now)


def test_a_gap_in_what_is_kept_is_not_passed_over(
    client: Any, history: History, story: Story
) -> None:
    """TTL deletes in no order: what needs a change that is gone is gone, too."""
    for version in range(8):
        story.tell(T + version, came(f"u{version}", T + version))
    client.delete_item(TableName="events", Key=change_key(story.ref, 6))
    with pytest.raises(HistoryGone):
        at(history, story.ref, T + 2, T + DAY)
    with pytest.raises(HistoryGone):
        history.timeline(story.ref, ALL, 5, 10)


def test_a_timeline_begins_with_what_is_kept(client: Any, history: History, story: Story) -> None:
    """Without a cursor that is no gap; with one that is older, the caller has missed something."""
    for version in range(8):
        story.tell(T + version, came(f"u{version}", T + version))
    forget(client, story, 3)
    assert [c.version for page in pages(history, story.ref) for c in page] == [4, 5, 6, 7, 8]
    assert history.timeline(story.ref, ALL, 3, 10).changes[0].version == 4
    with pytest.raises(HistoryGone):
        history.timeline(story.ref, ALL, 2, 10)


def test_a_room_that_closed_long_after_ends_the_search(
    client: Any, history: History, story: Story
) -> None:
    """Later versions can't tell of the moment any more, so they are not read."""
    story.tell(T, came("anna", T))
    story.tell(T + 20 * DAY, went("anna", T + 20 * DAY))
    story.tell(T + 21 * DAY, came("berta", T + 21 * DAY))
    story.tell(T + 22 * DAY, came("carla", T + 22 * DAY))
    client.delete_item(TableName="events", Key=change_key(story.ref, 4))
    now = T + 23 * DAY
    assert who(at(history, story.ref, T + DAY, now)) == ["anna"]
    assert history.timeline(story.ref, TimeRange(T, T + DAY), None, 10).after is None
    with pytest.raises(HistoryGone):  # Ten days before the room closed are too few.
        at(history, story.ref, T + 10 * DAY, now)


def test_a_page_reads_so_much_and_no_more(history: History, story: Story) -> None:
    """Where little of a long timeline was asked for, pages are empty and lead on."""
    story.tell(T, came("anna", T), came("zoe", T))
    for version in range(1, MOST_READ + 2):
        story.tell(T + 10 * version, *flap(version))
    wanted = TimeRange(T + 10 * (MOST_READ + 1), ALL.last)
    page = history.timeline(story.ref, TimeRange(wanted.first, wanted.last), 0, 5)
    assert (page.changes, page.after) == ([], MOST_READ)
    rest = history.timeline(story.ref, wanted, page.after, 5)
    assert [change.version for change in rest.changes] == [MOST_READ + 2]


def flap(version: int) -> list[Any]:
    """Anna goes, or comes again."""
    t = T + 10 * version
    return [went("anna", t) if version % 2 else came("anna", t)]


def test_a_page_of_large_changes_is_short(history: History, story: Story) -> None:
    """Whole rooms that come and go end a page before Lambda could not answer it."""
    users = [f"u{number}" for number in range(4000)]
    for version in range(6):
        t = T + version
        story.tell(t, *(went(u, t) if version % 2 else came(u, t) for u in users))
    found = pages(history, story.ref, limit=100)
    assert [len(page) for page in found] == [3, 3]
    assert 2 * 4000 < MOST_SHOWN <= 3 * 4000
