"""What truly happens on a day that is made up: who is in which room, from when to when.

A clinic with consultations, and a school with classes and a few lectures. All follows from the
chance that is handed in, so the same seed makes the same day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.table.item_keys import RoomKey
from chalicelib.trtc.identifiers import parse_room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

CLINIC: Final = 1400009001
SCHOOL: Final = 1400009002
APPLICATIONS: Final = (CLINIC, SCHOOL)
"""No other data here is of these, so that no row has the id of another one."""

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE

BUSY: Final = (
    *(0, 0, 0, 0, 0, 0, 0.1, 0.35, 0.7, 1, 0.95, 0.8),
    *(0.45, 0.4, 0.5, 0.55, 0.6, 0.8, 1, 1, 0.8, 0.5, 0.15, 0),
)
"""Of each hour (UTC), how busy it is."""

DOCTORS: Final = 40
PATIENTS: Final = 6_000
CLASSES_AN_HOUR: Final = 4
"""In the busiest one, at scale 1; the others likewise."""

LECTURES: Final = ((10, 180), (15, 120), (19, 350))
"""Hour and size of the lectures of a day at scale 1."""

TORN: Final = 0.07
"""Of all stays: the network breaks once, for 1 to 25 s."""
WITH_KIN: Final = 0.2
"""Of all patients: bring somebody along."""
DIES: Final = 0.03
"""Of all stays: the phone dies without a word."""
NOTICED: Final = 90_000
"""Ms after which Tencent's servers take a client for gone that does not answer."""
NEVER: Final = 0.05
"""Of all users: have clients that never report."""


class Stay(NamedTuple):
    """One user in one room, without a break.

    Attributes:
        user: the userid.
        begin: unix ms at which it came.
        end: unix ms at which it is gone, as the others see it.
        mute: unix ms from which on its own client says nothing: its end, or before, if it died.
        reports: its client reports at all.
    """

    user: str
    begin: int
    end: int
    mute: int
    reports: bool


class Call(NamedTuple):
    """One meeting in a room; the next one in it begins later.

    Attributes:
        ref: the room.
        stays: who was there.
        beats: the clients send heartbeats.
        callbacks: Tencent tells who comes and who goes.
        pause: ms for which a client gathers what it sees, before it reports.
    """

    ref: RoomKey
    stays: list[Stay]
    beats: bool = False
    callbacks: bool = False
    pause: int = 300

    @property
    def begin(self) -> int:
        """When the first one came."""
        return min(stay.begin for stay in self.stays)


def calls_of(midnight: int, scale: float, chance: Random) -> list[Call]:
    """All calls of a day, by their beginnings.

    Args:
        midnight: unix ms, the day's beginning.
        scale: 1: some thousand stays.
        chance: decides.
    """
    calls = [
        *_consultations(midnight, scale, chance),
        *_classes(midnight, scale, chance),
        *_lectures(midnight, scale, chance),
    ]
    return sorted(calls, key=lambda call: (call.begin, call.ref.pk))


def _consultations(midnight: int, scale: float, chance: Random) -> Iterator[Call]:
    """Each doctor has a room, and at most three patients an hour."""
    for doctor in range(max(1, round(DOCTORS * scale))):
        beats = chance.random() < 0.75  # noqa: PLR2004 (a share)
        for hour, busy in enumerate(BUSY):
            for part in range(3):
                if chance.random() < busy * 0.5:
                    begin = midnight + hour * HOUR + part * 20 * MINUTE
                    ref = RoomKey(CLINIC, parse_room(10_001 + doctor))
                    yield Call(ref, _consultation(doctor, begin, scale, chance), beats)


def _consultation(doctor: int, begin: int, scale: float, chance: Random) -> list[Stay]:
    """A doctor, a patient, and at times somebody with it; never longer than the room is free."""
    patient = f"patient-{chance.randrange(max(20, round(PATIENTS * scale))):04}"
    others = [patient, f"{patient}-kin"] if chance.random() < WITH_KIN else [patient]
    begin += chance.randint(0, 90_000)
    end = begin + int(min(max(chance.gauss(13, 3.5), 3), 16) * MINUTE)
    stays = _stays(f"doctor-{doctor + 1:02}", begin, end, chance)
    for user in others:
        came = begin + int(chance.expovariate(1 / 25_000)) % (2 * MINUTE) + 500
        stays += _stays(user, came, end + chance.randint(-15_000, 15_000), chance)
    return stays


def _classes(midnight: int, scale: float, chance: Random) -> Iterator[Call]:
    """On the hour, each in a room of its own."""
    for hour, busy in enumerate(BUSY):
        many = int(CLASSES_AN_HOUR * busy * scale + chance.random())
        begin = midnight + hour * HOUR
        for number in chance.sample(range(max(1, round(3 * CLASSES_AN_HOUR * scale))), many):
            ref = RoomKey(SCHOOL, parse_room(f"class-{number + 1:02}"))
            stays = _class(f"c{number + 1:02}", begin, chance)
            yield Call(ref, stays, callbacks=number % 2 == 0, pause=1500)


def _class(name: str, begin: int, chance: Random) -> list[Stay]:
    end = begin + chance.choice((40, 45, 45, 50)) * MINUTE
    teacher = f"{name}-teacher"
    stays = _stays(teacher, begin - chance.randint(1, 6) * MINUTE, end + 20_000, chance)
    pupils = chance.sample(range(1, 41), chance.randint(10, 39))
    for pupil in pupils:
        came = begin + int(chance.gauss(0, 1.5 * MINUTE))
        late = chance.random() < 0.1  # noqa: PLR2004 (a share)
        came += late * chance.randint(2, 12) * MINUTE
        early = chance.random() < 0.06  # noqa: PLR2004 (likewise)
        went = end + int(chance.expovariate(1 / 8000)) - early * chance.randint(3, 15) * MINUTE
        stays += _stays(f"{name}-pupil{pupil:02}", came, went, chance)
    return stays


def _lectures(midnight: int, scale: float, chance: Random) -> Iterator[Call]:
    """A few hosts report; those who listen do not."""
    for place, (hour, usual) in enumerate(LECTURES):
        size = round(usual * min(scale, 3) * chance.uniform(0.8, 1.1))
        begin = midnight + hour * HOUR
        hosts = [f"host-{number + 1}" for number in range(min(6, 1 + size // 10))]
        stays = [
            stay
            for host in hosts
            for stay in _stays(host, begin - chance.randint(2, 9) * MINUTE, begin + HOUR, chance)
        ]
        for guest in chance.sample(range(size * 3), size):
            came = begin + int(chance.gauss(0, 3 * MINUTE))
            went = begin + HOUR - int(chance.expovariate(1 / (7 * MINUTE))) % (50 * MINUTE)
            stays += [
                stay._replace(reports=False)
                for stay in _stays(f"guest-{place}-{guest:04}", came, went, chance)
            ]
        yield Call(
            RoomKey(SCHOOL, parse_room(f"lecture-{place + 1}")), stays, callbacks=True, pause=2000
        )


def _stays(user: str, begin: int, end: int, chance: Random) -> list[Stay]:
    """One stay; or two, where the network breaks in between. The last one may end silently."""
    reports, dies = chance.random() >= NEVER, chance.random() < DIES
    end = max(end, begin + 30_000)
    last = Stay(user, begin, end, end, reports)
    if dies:
        last = last._replace(mute=begin + int((end - begin) * chance.random()))
        last = last._replace(end=min(last.mute + NOTICED, end))
    if dies or chance.random() >= TORN:
        return [last]
    breaks = begin + int((end - begin) * chance.uniform(0.1, 0.8))
    back = breaks + chance.randint(1000, 25_000)
    if back >= end:
        return [last]
    return [last._replace(end=breaks, mute=breaks), last._replace(begin=back)]
