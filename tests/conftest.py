"""Every test: an AWS that is nobody's, so that nothing can reach a real account."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.workers import SYSTEM, OneLocalAws

LONG_TEXT = 30

# Hypothesis would time its examples: the first one of a fresh checkout makes its tables of Unicode,
# which takes seconds where the machine has other work.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The system tests take longest, so they start first."""
    items.sort(key=lambda item: not item.nodeid.startswith(SYSTEM))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneLocalAws:
    """Which worker runs what, whatever --dist says."""
    return OneLocalAws(config, log)


os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_CONFIG_FILE"):
    os.environ.pop(name, None)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long text by its argument: a key made at run time is no part of a test's name."""
    return argname if isinstance(val, str) and len(val) > LONG_TEXT else None
