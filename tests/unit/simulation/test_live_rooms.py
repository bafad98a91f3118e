"""The scripts of rooms that are played over HTTP."""

from random import Random

import pytest

from simulation.live.rooms import Script, flapping, steady, switching


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (a simulation)


def scripts(seed: int) -> list[Script]:
    chance = seeded(seed)
    return [
        steady("stage", 2, 6, chance=chance),
        flapping(2, 120, chance),
        flapping(4, 120, chance),
        switching(2, 120, chance),
        switching(6, 120, chance),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_script_keeps_to_what_its_room_is(seed: int) -> None:
    """Lists come in the order of their times, name members only, and never their own reader."""
    for script in scripts(seed):
        for user, sights in script.sights.items():
            assert [sight.at for sight in sights] == sorted(sight.at for sight in sights)
            assert sights[0].at >= script.joins[user]
            assert all(user not in sight.users for sight in sights)
            assert all(sight.users <= script.joins.keys() for sight in sights)


@pytest.mark.parametrize("seed", range(5))
def test_who_is_interrupted_sees_all_again(seed: int) -> None:
    """Each flap or switch ends with the whole list, and only a switch takes a new entry."""
    for script in (flapping(3, 120, seeded(seed)), switching(3, 120, seeded(seed))):
        sights = script.sights["host0"]
        assert any(not sight.users for sight in sights[3:])
        assert sights[-1].users == script.joins.keys() - {"host0"}
        assert any(sight.reenters for sight in sights) == ("switch" in script.name)


def test_nobody_is_shown_a_viewer() -> None:
    """Viewers see the stage alone, and the stage sees itself."""
    script = steady("stage", 2, 3, chance=seeded(1))
    shown = {user for sights in script.sights.values() for sight in sights for user in sight.users}
    assert shown == {"host0", "host1"}
    assert script.true == 5
