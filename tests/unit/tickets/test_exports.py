from __future__ import annotations

import pytest

from chalicelib import tickets
from chalicelib.tickets import TicketError, TicketRefused, errors
from chalicelib.trtc import CODES
from tests.unit.trtc.trees import Drawn, drawn_tree

DRAWN = drawn_tree(errors.__doc__)


@pytest.mark.parametrize("drawn", DRAWN, ids=[drawn.name for drawn in DRAWN])
def test_the_drawn_tree_is_the_real_one(drawn: Drawn) -> None:
    """Each class of the drawing has that parent and documents those attributes."""
    drawn_class = getattr(errors, drawn.name)
    parents = [base.__name__ for base in drawn_class.__bases__]
    assert (drawn.parent or "Exception") == parents[0]
    documented = "".join(base.__doc__ for base in drawn_class.__mro__[: -len(Exception.__mro__)])
    for attribute in drawn.attributes:
        assert f"{attribute}:" in documented


def test_names_and_drawing_keep_step() -> None:
    """The package exports every class that the module draws, and nothing that is not there."""
    names = {drawn.name for drawn in DRAWN}
    assert names <= set(tickets.__all__)
    assert all(hasattr(tickets, name) for name in tickets.__all__)


def test_every_exception_is_drawn() -> None:
    """No class hides from the drawing."""
    defined = {
        name
        for name, item in vars(errors).items()
        if isinstance(item, type) and issubclass(item, TicketError)
    }
    assert defined == {drawn.name for drawn in DRAWN}


@pytest.mark.parametrize("name", tickets.__all__)
def test_a_refusal_has_tencents_codes(name: str) -> None:
    """Each has one as a userSig's and one as a privateMapKey's, and both are known."""
    item = getattr(tickets, name)
    if isinstance(item, type) and issubclass(item, TicketRefused):
        assert {item.user_sig_code, item.private_map_key_code} <= set(CODES)
