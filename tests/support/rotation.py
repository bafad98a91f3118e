"""What the four steps promise, as tests that run on the strict stand-in and on moto alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chalicelib.auth.token_rotation import STILL_SIGNS
from chalicelib.keys.rotation import (
    STEPS,
    BadCandidate,
    NotCreated,
    NothingToRotateTo,
    NotRotatable,
    UnknownStep,
)
from chalicelib.keys.versions import (
    CandidateThere,
    NoCandidate,
    NothingPrevious,
    NothingToAbort,
    RotationPending,
    abort,
    promote,
    put_candidate,
    roll_back,
    start_rotation,
)
from chalicelib.stores.settings import DAY, Bounds, Settings
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.rig import (
    APP,
    FUNCTION_ARN,
    NAME,
    NAMES,
    NOW,
    Labels,
    Rig,
    crashed_steps,
    ecdsa_value,
    key_value,
    rig_token_keys,
    token_keys,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class RotationContract:
    """The promises; a subclass's module gives the fixture ``rig``."""

    @pytest.fixture
    def old(self) -> str:
        """The value that signs at first."""
        return ecdsa_value()

    @pytest.fixture
    def new(self) -> str:
        """The candidate."""
        return ecdsa_value()

    @pytest.fixture
    def token(self, rig: Rig, old: str, new: str) -> str:
        """A rotation to the candidate, begun."""
        rig.settle(old, new)
        return rig.begin()

    def test_the_candidate_becomes_current(self, rig: Rig, token: str, old: str, new: str) -> None:
        """The old key still verifies, and nothing is left waiting."""
        outcomes = rig.steps(token)
        assert rig.labels() == Labels(new, old, None, None)
        assert [each.promoted for each in outcomes] == [False, False, False, True]
        assert {each.name for each in outcomes} == {NAME}

    def test_the_algorithm_may_change(self, rig: Rig) -> None:
        """From ECDSA to HMAC and back is a rotation like any other."""
        first, second, third = ecdsa_value(), key_value(new_secret()), ecdsa_value()
        rig.settle(first, second)
        rig.steps(rig.begin())
        put_candidate(rig.client, rig.versions(), third)
        rig.steps(rig.begin())
        assert rig.labels() == Labels(third, second, None, None)

    def test_every_step_may_be_called_again(self, rig: Rig, token: str, old: str, new: str) -> None:
        """Twice each, and all of them once more at the end: the outcome is the same."""
        for step in STEPS:
            rig.step(step, token)
            rig.step(step, token)
        again = rig.steps(token)
        assert rig.labels() == Labels(new, old, None, None)
        assert not any(each.promoted for each in again)

    def test_each_step_does_its_own_part_only(
        self, rig: Rig, token: str, old: str, new: str
    ) -> None:
        """Until finishSecret the old key signs; setSecret and testSecret have no effect."""
        seen = []
        for step in STEPS[:3]:
            rig.step(step, token)
            seen.append(rig.labels())
        assert seen == [Labels(old, None, new, new)] * 3

    @pytest.mark.parametrize("step", ["createSecret", "testSecret", "finishSecret"])
    def test_a_version_without_a_value_is_not_created(
        self, rig: Rig, token: str, old: str, new: str, step: str
    ) -> None:
        """AWSPENDING on an empty version is where createSecret begins; nothing else takes it."""
        if step == "createSecret":
            rig.step(step, token)
            assert rig.labels().pending == new
            return
        with pytest.raises(NotCreated):
            rig.step(step, token)
        assert rig.labels() == Labels(old, None, new, None)

    def test_without_a_candidate_nothing_stays_behind(self, rig: Rig, old: str) -> None:
        """The empty AWSPENDING goes, so that the next rotation is not refused."""
        rig.settle(old)
        token = rig.begin()
        with pytest.raises(NothingToRotateTo, match="keys import"):
            rig.step("createSecret", token)
        assert rig.versions().pending is None
        put_candidate(rig.client, rig.versions(), ecdsa_value())
        rig.steps(rig.begin())
        assert rig.labels().previous == old

    @pytest.mark.parametrize("respelled", [False, True])
    def test_the_key_that_signs_now_is_no_candidate(self, rig: Rig, respelled: bool) -> None:  # noqa: FBT001 (pytest passes it by name)
        """However it is written: a rotation to it would change nothing, and look like one."""
        key = new_secret()
        rig.settle(key_value(key), key_value(f" {key}\n" if respelled else key))
        token = rig.begin()
        with pytest.raises(BadCandidate, match="signs now"):
            rig.step("createSecret", token)
        assert rig.labels().current == key_value(key)
        assert rig.labels().pending is None

    @pytest.mark.parametrize(
        "bad",
        [
            "",
            "no JSON",
            "{}",
            key_value("short"),
            key_value(new_secret(), "none"),
            key_value(pem_of_new_key()),
            key_value(new_secret(), "ECDSA-SHA256"),
            key_value(pem_of_new_key(ec.SECP384R1()), "ECDSA-SHA256"),
            key_value(pem_of_new_key()[:-90], "ECDSA-SHA256"),
            key_value(
                rsa.generate_private_key(65537, 2048)
                .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                .decode(),
                "ECDSA-SHA256",
            ),
        ],
        ids=["empty", "text", "object", "short", "none", "pem", "hex", "P-384", "cut", "RSA"],
    )
    def test_a_bad_candidate_never_becomes_current(self, rig: Rig, old: str, bad: str) -> None:
        """It fails with a reason that shows nothing of it, and is kept for inspection."""
        rig.settle(old)
        rig.client.put_secret_value(SecretId=NAME, SecretString=bad or " ", VersionStages=["NEXT"])
        token = rig.begin()
        with pytest.raises(BadCandidate) as caught:
            rig.steps(token)
        assert bad in ("", "{}") or bad not in str(caught.value)
        with pytest.raises(BadCandidate):
            rig.step("finishSecret", token)
        labels = rig.labels()
        assert (labels.current, labels.candidate) == (old, bad or " ")

    def test_an_algorithm_that_the_settings_forbid_is_refused(
        self, rig: Rig, token: str, old: str, new: str
    ) -> None:
        """The issuer would refuse to sign with it."""
        rig.store.parameters[NAMES.settings(APP)] = Settings(("HMAC-SHA256",)).to_json()
        with pytest.raises(BadCandidate, match="HMAC-SHA256"):
            rig.steps(token)
        assert rig.labels() == Labels(old, None, new, new)

    def test_what_is_no_rotation_is_refused(self, rig: Rig, token: str, old: str, new: str) -> None:
        """An unknown step, a foreign secret, a token without the stage, rotation not enabled."""
        with pytest.raises(UnknownStep):
            rig.step("deleteSecret", token)
        for name in ("other/app/1", f"{NAME}x", "testing/callback"):
            with pytest.raises(NotRotatable):
                rig.step("createSecret", token, SecretId=name)
        with pytest.raises(NotRotatable, match="no version"):
            rig.step("createSecret", "x" * 32)
        candidate = rig.versions().candidate
        assert candidate
        with pytest.raises(NotRotatable, match="neither pending nor current"):
            rig.step("finishSecret", candidate.id)
        assert rig.labels() == Labels(old, None, new, None)
        rig.client.cancel_rotate_secret(SecretId=NAME)
        with pytest.raises(NotRotatable, match="not enabled"):
            rig.step("createSecret", token)

    @pytest.mark.parametrize("whence", ["the start", "the step"])
    def test_a_crash_after_any_call_is_made_good(
        self, rig: Rig, old: str, new: str, whence: str
    ) -> None:
        """Whatever call a step dies after, running again ends right."""
        rig.settle(old, new)
        crashes = 0
        for after in range(1, 100):
            token = rig.begin()
            crashed = crashed_steps(rig, token, after)
            if crashed is None:
                break
            crashes += 1
            rig.rotation = rig.function()
            for step in STEPS[0 if whence == "the start" else STEPS.index(crashed) :]:
                rig.step(step, token)
            assert rig.labels() == Labels(new, old, None, None)
            old, new = new, ecdsa_value()
            put_candidate(rig.client, rig.versions(), new)
        assert crashes > 15
        assert rig.labels() == Labels(new, old, None, None)

    def test_token_keys_rotate_unattended(self, rig: Rig) -> None:
        """A new key comes first; the others stay until no token of theirs can live, then go."""
        longest = 9 * DAY
        settings = Settings()._replace(private_map_key_ttl=Bounds(1, 2, longest))
        rig.store.parameters[NAMES.settings(APP + 1)] = settings.to_json()
        rig.store.parameters[NAMES.settings(APP + 2)] = "broken"
        first = rig_token_keys(rig)
        seen = [first]
        for _ in range(2):
            rig.steps(rig.begin(NAMES.report_token), NAMES.report_token)
            seen.append(token_keys(rig))
            rig.now += 60
        ends = NOW + longest + STILL_SIGNS
        assert [key[1] for key in seen[2]] == [None, ends + 60, ends]
        assert [key[0] for key in seen[2][1:]] == [seen[1][0][0], first[0][0]]
        rig.now = ends
        rig.steps(rig.begin(NAMES.report_token), NAMES.report_token)
        kids = [key[0] for key in token_keys(rig)]
        assert kids[1:] == [seen[2][0][0], seen[1][0][0]]

    def test_a_crash_leaves_the_token_keys_whole(self, rig: Rig) -> None:
        """A key that was made is not made again, and none gets lost."""
        (before,) = rig_token_keys(rig)
        for after in range(1, 100):
            token = rig.begin(NAMES.report_token)
            crashed = crashed_steps(rig, token, after, NAMES.report_token)
            rig.rotation = rig.function()
            rig.steps(token, NAMES.report_token)
            keys = token_keys(rig)
            assert len(keys) == after + 1
            assert keys[-1][0] == before[0]
            if crashed is None:
                return
        pytest.fail("it never ran to its end")

    def test_broken_token_keys_are_left_alone(self, rig: Rig) -> None:
        """What Roomgate cannot read it does not replace."""
        rig.client.create_secret(Name=NAMES.report_token, SecretString='{"keys": []}')
        with pytest.raises(BadCandidate):
            rig.steps(rig.begin(NAMES.report_token), NAMES.report_token)
        assert rig.labels(NAMES.report_token).current == '{"keys": []}'

    def test_an_operator_imports_rotates_and_rolls_back(self, rig: Rig, old: str, new: str) -> None:
        """Each command refuses what does not fit the labels as they are."""
        client = rig.client
        rig.settle(old)
        with pytest.raises(NoCandidate):
            start_rotation(client, rig.versions(), FUNCTION_ARN)
        with pytest.raises(NothingPrevious):
            roll_back(client, rig.versions())
        with pytest.raises(NothingToAbort):
            abort(client, rig.versions())
        put_candidate(client, rig.versions(), key_value(new_secret()))
        with pytest.raises(CandidateThere):
            put_candidate(client, rig.versions(), new)
        put_candidate(client, rig.versions(), new, replace=True)
        token = rig.begin()
        refused: list[Callable[[], Any]] = [
            lambda: start_rotation(client, rig.versions(), FUNCTION_ARN),
            lambda: put_candidate(client, rig.versions(), new, replace=True),
            lambda: roll_back(client, rig.versions()),
        ]
        for command in refused:
            with pytest.raises(RotationPending):
                command()
        rig.steps(token)
        roll_back(client, rig.versions())
        assert rig.labels() == Labels(old, new, None, None)
        roll_back(client, rig.versions())
        assert rig.labels() == Labels(new, old, None, None)

    def test_a_rollback_is_not_undone_by_the_rotation_that_it_takes_back(
        self, rig: Rig, token: str, old: str, new: str
    ) -> None:
        """It may have died before its tidying: its last step comes again, its candidate waits.

        Neither may make the key current that an operator has just got rid of.
        """
        for step in STEPS[:3]:
            rig.step(step, token)
        version = rig.versions().of(token)
        assert version
        promote(rig.client, rig.versions(), version)
        roll_back(rig.client, rig.versions())
        assert rig.labels() == Labels(old, new, None, None)
        with pytest.raises(NotRotatable):
            rig.step("finishSecret", token)
        assert rig.labels() == Labels(old, new, None, None)

    def test_a_rollback_leaves_another_candidate_waiting(
        self, rig: Rig, token: str, old: str, new: str
    ) -> None:
        """Whoever imported it is told of it."""
        rig.steps(token)
        third = ecdsa_value()
        put_candidate(rig.client, rig.versions(), third)
        roll_back(rig.client, rig.versions())
        assert rig.labels() == Labels(old, new, third, None)

    @pytest.mark.parametrize("done", range(4))
    def test_a_rotation_can_be_aborted_before_it_is_done(
        self, rig: Rig, token: str, old: str, new: str, done: int
    ) -> None:
        """Candidate and pending go; the key that signs stays, and another rotation can begin."""
        for step in STEPS[:done]:
            rig.step(step, token)
        abort(rig.client, rig.versions())
        assert rig.labels() == Labels(old, None, None, None)
        with pytest.raises(NotRotatable):
            rig.step("finishSecret", token)
        put_candidate(rig.client, rig.versions(), new)
        rig.steps(rig.begin())
        assert rig.labels() == Labels(new, old, None, None)
