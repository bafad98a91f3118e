from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.roster.view import set_hash, view_of
from tests.support.lists import user_ids


def test_the_hash_is_the_sha_256_of_the_sorted_ids() -> None:
    """Anyone can work the hash out from the ids, with no key and no library of ours."""
    expected = sha256(b"Anna\nanna\nberta").hexdigest()[:16]
    assert expected == set_hash(["berta", "anna", "Anna"])
    assert expected == view_of("anna", {"berta": None, "Anna": "room://x"}).hash


def test_a_lone_reporter_is_a_room_of_one() -> None:
    """An empty list says that the reporter is in the room, and nobody else."""
    view = view_of("anna", {})
    assert view.members == 1
    assert view.hash == set_hash(["anna"])


@given(st.sets(user_ids, min_size=2, max_size=8), st.randoms())
def test_the_hash_is_the_same_whoever_reports(users: set[str], chance: object) -> None:
    """N reports of one change carry one hash, in whatever order the lists stand."""
    hashes = set()
    for reporter in users:
        others = sorted(users - {reporter})
        chance.shuffle(others)  # type: ignore[attr-defined]  # A Random of Hypothesis.
        hashes.add(view_of(reporter, dict.fromkeys(others, f"room://by/{reporter}")).hash)
    assert len(hashes) == 1
