from __future__ import annotations

import pytest

from tests.support.workers import OneLocalAws

DEPLOYED = "tests/system/test_deployed.py::test_healthz[rooms]"


@pytest.mark.parametrize(
    ("nodeid", "together"),
    [
        (DEPLOYED, True),
        ("tests/system/test_run.py::test_the_walk", True),
        ("tests/unit/test_workers.py::test_system[tests/system/x]", False),
    ],
)
def test_all_system_tests_go_to_one_worker(nodeid: str, *, together: bool) -> None:
    """Else each worker would start a local AWS of its own, and deploy to it."""
    scheduler = OneLocalAws.__new__(OneLocalAws)
    assert (scheduler._split_scope(nodeid) == scheduler._split_scope(DEPLOYED)) is together


def test_a_file_is_not_torn_apart(request: pytest.FixtureRequest) -> None:
    """What its tests share is made once."""
    scheduler = OneLocalAws.__new__(OneLocalAws)
    own = request.node.nodeid
    assert scheduler._split_scope(own) == "tests/unit/test_workers.py"
