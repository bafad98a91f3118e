"""The schedule's look at an application, on the strict stand-in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from chalicelib.keys.material import KeyReader
from chalicelib.keys.probe import Verdict
from chalicelib.keys.rotation import STEPS
from chalicelib.keys.watch import STUCK_SECONDS, Found, Sight, Watch
from chalicelib.stores.settings import Probe, Settings
from chalicelib.stores.store import UnusableKey
from tests.support.rig import (
    APP,
    NAME,
    NAMES,
    Labels,
    Rig,
    ecdsa_value,
    key_value,
)

if TYPE_CHECKING:
    from chalicelib.tickets import SigningKey

PROBE = Probe("https://tencent.example.test/v4/check?usersig={userSig}", "prober")


class Tencent:
    """Whom the probe asks: says yes or no, and keeps which keys it was asked about."""

    def __init__(self) -> None:
        self.verdict = Verdict(accepted=False, said="ErrorCode 70009")
        self.keys: list[str] = []

    def ask(self, probe: Probe, key: SigningKey, sdk_app_id: int, now: int) -> Verdict:
        """The verdict on a key."""
        assert (probe, sdk_app_id, now > 0) == (PROBE, APP, True)
        self.keys.append(key.key_id)
        return self.verdict


@pytest.fixture
def rig(strict: Rig) -> Rig:
    """An application with a probe, and an empty account."""
    strict.store.parameters[NAMES.settings(APP)] = Settings(probe=PROBE).to_json()
    return strict


@pytest.fixture
def tencent() -> Tencent:
    """Says no, at first."""
    return Tencent()


@pytest.fixture
def watch(rig: Rig, tencent: Tencent) -> Watch:
    """The schedule."""
    reader, ask = KeyReader(), tencent.ask
    return Watch(rig.client, rig.store, NAMES, reader=reader, ask=ask, clock=time.time)


def test_without_a_candidate_nothing_is_called(rig: Rig, watch: Watch, tencent: Tencent) -> None:
    """RotateSecret would leave an empty AWSPENDING behind; and no key at all is no matter."""
    assert watch.look(APP) == Sight(Found.NOTHING)
    rig.settle(ecdsa_value())
    before = rig.versions()
    assert watch.look(APP) == Sight(Found.NOTHING)
    assert rig.versions() == before
    assert tencent.keys == []


def test_the_probe_decides(rig: Rig, watch: Watch, tencent: Tencent) -> None:
    """No is waiting, with what was said; yes starts the rotation."""
    new = ecdsa_value()
    rig.settle(ecdsa_value(), new)
    assert watch.look(APP) == Sight(Found.WAITING, "the probe says: ErrorCode 70009")
    assert rig.versions().pending is None
    tencent.verdict = Verdict(accepted=True, said="ErrorCode 0")
    assert watch.look(APP) == Sight(Found.STARTED)
    assert tencent.keys == [KeyReader().read(new, NAME).key_id] * 2
    assert rig.versions().rotation_enabled
    assert watch.look(APP) == Sight(Found.WAITING, "a rotation is under way")


def test_without_a_probe_a_candidate_is_enough(rig: Rig, watch: Watch, tencent: Tencent) -> None:
    """Most applications have none."""
    rig.store.parameters[NAMES.settings(APP)] = Settings().to_json()
    rig.settle(ecdsa_value(), ecdsa_value())
    assert watch.look(APP) == Sight(Found.STARTED)
    assert tencent.keys == []


def test_a_rotation_that_does_not_end_is_stuck(rig: Rig, tencent: Tencent) -> None:
    """An alarm has to tell somebody, since only an abort helps."""
    rig.settle(ecdsa_value(), ecdsa_value())
    rig.begin()
    later = Watch(
        rig.client,
        rig.store,
        NAMES,
        reader=KeyReader(),
        ask=tencent.ask,
        clock=lambda: time.time() + STUCK_SECONDS + 5,
    )
    found, reason = later.look(APP)
    assert found is Found.STUCK
    assert "pending for" in reason


def test_a_rotation_that_died_before_its_tidying_is_tidied(rig: Rig, watch: Watch) -> None:
    """Its candidate is current already: it must not be rotated to for ever."""
    old, new = ecdsa_value(), ecdsa_value()
    rig.settle(old, new)
    token = rig.begin()
    for step in STEPS:
        rig.step(step, token)
    rig.client.put_secret_value(SecretId=NAME, SecretString=new, VersionStages=["NEXT"])
    assert watch.look(APP) == Sight(Found.NOTHING)
    assert rig.labels() == Labels(new, old, None, None)


@pytest.mark.parametrize("broken", ["settings", "candidate"])
def test_what_is_broken_starts_nothing(rig: Rig, watch: Watch, broken: str) -> None:
    """It is told, without what is in it."""
    rig.settle(ecdsa_value(), key_value("plainly no key"))
    if broken == "settings":
        rig.store.parameters[NAMES.settings(APP)] = "plainly no settings"
    with pytest.raises((UnusableKey, ValueError)) as caught:
        watch.look(APP)
    assert "plainly" not in str(caught.value)
    assert rig.versions().pending is None


def test_applications_are_those_that_are_set_up(rig: Rig, watch: Watch) -> None:
    """In order, and nothing else that lies there."""
    rig.store.parameters |= {NAMES.settings(7): "{}", f"{NAMES.applications}/notes": ""}
    assert watch.applications() == [7, APP]
