from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.ticket_material import KEYS

if TYPE_CHECKING:
    from chalicelib.tickets import SigningKey


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest) -> SigningKey:
    """One key of each kind."""
    return KEYS[request.param]
