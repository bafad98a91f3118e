"""Every test: an AWS that is nobody's, so that nothing can reach a real account."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LONG_TEXT = 30
SYSTEM = Path(__file__).parent / "system"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The system tests share one local AWS, so one worker runs them all; it starts with them."""
    items.sort(key=lambda item: SYSTEM not in item.path.parents)
    for item in items:
        shared = SYSTEM in item.path.parents
        item.add_marker(pytest.mark.xdist_group("system" if shared else str(item.path)))


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
