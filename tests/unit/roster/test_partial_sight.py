"""Members that don't all see each other: audiences, blind pairs, and those whom nobody names."""

from __future__ import annotations

from chalicelib.roster.head import CONTESTED, LAGGARD, RETURN, STRAGGLER
from chalicelib.roster.signal import Kind
from chalicelib.roster.transforms import Outcome
from tests.support.folding import T0, Room, room_of

SECOND = 1000
HOSTS = "hanna hugo"


def live(viewers: str) -> Room:
    """A live room: hosts see hosts, viewers see hosts, nobody sees viewers."""
    room = Room()
    room.lists("hanna", 0)
    room.lists("hugo hanna", 1000)
    room.lists("hanna hugo", 1100)
    for at, viewer in enumerate(viewers.split()):
        room.lists(f"{viewer} {HOSTS}", 2000 + 10 * at)
    return room


def test_a_room_in_which_nobody_sees_the_audience_stands_still() -> None:
    """For an hour of heartbeats: no transition, and nobody is asked for its list."""
    room = live("vera viktor")
    story = room.story
    assert room.names == "hanna hugo vera viktor"
    for t in range(10 * SECOND, 3600 * SECOND, 30 * SECOND):
        for at, users in enumerate(
            ("hanna hugo", "hugo hanna", "vera hanna hugo", "viktor hanna hugo")
        ):
            assert not room.beats(users, t + 100 * at).resend
        room.settle(T0 + t + 500)
    assert room.story == story


def test_a_new_host_is_seen_by_all_and_takes_nobody_out() -> None:
    """Everyone's list changes, and none of them names the audience."""
    room = live("vera viktor")
    room.lists("ida hanna hugo", 60 * SECOND)
    room.lists("hanna hugo ida", 60_100)
    room.lists("vera hanna hugo ida", 60_200)
    room.settle(T0 + 300 * SECOND)
    assert room.names == "hanna hugo ida vera viktor"


def test_a_viewer_that_leaves_a_room_without_a_word_ends_by_silence() -> None:
    """Once it has begun to send heartbeats; nobody else can tell."""
    room = live("vera")
    room.beats(f"vera {HOSTS}", 10 * SECOND)
    for t in range(20 * SECOND, 600 * SECOND, 30 * SECOND):
        room.beats(HOSTS, t)
        room.beats("hugo hanna", t + 100)
        room.settle(T0 + t + 500)
    assert room.names == HOSTS
    assert room.story[-1] == "-vera@10000"


def test_a_host_that_leaves_is_seen_to_by_whoever_named_it() -> None:
    """A viewer that named it before is evidence enough, after a while."""
    room = live("vera")
    room.lists("vera hanna", 60 * SECOND)
    assert room.leaving == "hugo"
    room.settle(T0 + 60 * SECOND + RETURN)
    assert room.story[-1] == "-hugo@60000"


def test_a_pair_that_is_blind_to_each_other_stays() -> None:
    """Anna never names berta, whom carla sees; nor the other way round."""
    room = Room()
    room.lists("carla anna berta", 0)
    room.lists("anna carla", 100)
    room.lists("berta carla", 200)
    room.lists("carla anna berta dora", 60 * SECOND)
    room.lists("anna carla dora", 60_100)
    room.lists("berta carla dora", 60_200)
    room.settle(T0 + 300 * SECOND)
    assert room.names == "anna berta carla dora"
    assert room.leaving == ""


def test_a_members_own_heartbeat_outweighs_a_list_without_it() -> None:
    """Anna goes blind; berta is there, and says so in time."""
    room = room_of("anna berta carla")
    room.lists("anna carla", 60 * SECOND)
    assert room.leaving == "berta"
    assert room.beats("berta anna carla", 64 * SECOND).outcome is Outcome.APPLIED
    assert room.leaving == ""
    room.settle(T0 + 200 * SECOND)
    assert room.names == "anna berta carla"


def test_one_who_sees_a_user_still_makes_its_leave_wait() -> None:
    """A list may be its reporter's last word of before; a heartbeat is not."""
    room = room_of("anna berta carla")
    room.lists("anna carla", 60 * SECOND)
    room.lists("carla anna berta dora", 60_001 + STRAGGLER)
    room.settle(T0 + 60 * SECOND + RETURN)
    assert room.leaving == "berta"
    room.beats("carla anna berta dora", 80 * SECOND)
    assert room.leaving == ""
    room.settle(T0 + 60 * SECOND + STRAGGLER + CONTESTED + RETURN + 10 * SECOND)
    assert room.names == "anna berta carla dora"


def test_a_list_is_asked_for_once_where_its_sender_missed_a_leave() -> None:
    """What it sends then is what it sees, and is believed."""
    room = room_of("anna berta carla")
    room.leaves("carla", 60 * SECOND)
    asked = []
    for t in range(70 * SECOND, 400 * SECOND, 30 * SECOND):
        if room.beats("anna berta carla", t).resend:
            asked.append(t)
            room.lists("anna berta carla", t + 200, asked=True)
    assert len(asked) == 1
    assert room.names == "anna berta carla"


def test_a_list_that_we_do_not_hold_is_asked_for_until_we_do() -> None:
    """Its report was lost, or its sender is not inside."""
    room = room_of("anna berta")
    assert room.beats("anna berta dora", 60 * SECOND).resend
    assert room.beats("zoe anna berta", 60 * SECOND).resend
    room.lists("anna berta dora", 61 * SECOND, asked=True)
    room.lists("zoe anna", 62 * SECOND, asked=True)
    assert not room.beats("anna berta dora", 90 * SECOND).resend
    assert not room.beats("zoe anna", 90 * SECOND).resend
    assert room.names == "anna berta dora zoe"


def test_a_set_that_held_a_moment_ago_is_not_asked_for() -> None:
    """The list that follows it is on its way."""
    room = room_of("anna berta")
    room.lists("anna berta dora", 60 * SECOND)
    assert not room.beats("berta anna", 60_000 + STRAGGLER).resend


def test_callbacks_keep_in_whom_nobody_names() -> None:
    """A viewer that has no client of ours, beside hosts that report."""
    room = live("")
    room.tencent(Kind.ENTERED, "vera", 5000)
    room.lists("hanna hugo ida", 60 * SECOND)
    room.lists("hugo hanna ida", 60_100)
    room.settle(T0 + 600 * SECOND)
    assert room.names == "hanna hugo ida vera"
    room.tencent(Kind.LEFT, "vera", 700 * SECOND)
    assert room.story[-1] == "-vera@700000"


def test_whom_one_reporter_alone_has_named_goes_after_it() -> None:
    """It is named by nobody who is there, and has never spoken."""
    room = room_of("anna berta")
    room.lists("carla anna berta ghost", 60 * SECOND)
    room.lists("anna berta carla", 60_100)
    room.leaves("carla", 300 * SECOND)
    room.lists("anna berta dora", 310 * SECOND + LAGGARD)
    room.settle(T0 + 400 * SECOND + LAGGARD)
    assert room.names == "anna berta dora"


def test_the_last_word_of_one_that_has_left_only_makes_its_leave_wait() -> None:
    """It comes in a moment after others have seen it go, by an older token than that."""
    room = room_of("anna berta carla")
    room.lists("anna carla", 60 * SECOND)
    room.lists("berta anna carla dora", 61 * SECOND)
    room.settle(T0 + 60 * SECOND + RETURN)
    assert room.leaving == "berta"
    room.settle(T0 + 61 * SECOND + CONTESTED + RETURN)
    assert room.story[-1] == "-berta@60000"
