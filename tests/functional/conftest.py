"""Functional tests: the functions as they are, on moto's AWS, one call at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.support.apps import load_app
from tests.support.reports import ENVIRONMENT, Function, fill_stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def load() -> Iterator[Callable[[str], Function]]:
    """Loads a function afresh, beside a table, a report-token secret and a caller."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        fill_stores()
        yield lambda function: Function(load_app(function))


@pytest.fixture(scope="module")
def webhook(load: Callable[[str], Function]) -> Function:
    """The webhook."""
    return load("webhook")


@pytest.fixture(scope="module")
def rooms(load: Callable[[str], Function]) -> Function:
    """Rooms."""
    return load("rooms")
