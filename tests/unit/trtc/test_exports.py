from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import pytest

from chalicelib import trtc
from chalicelib.trtc import identifiers, privileges, roomsig, urls
from tests.unit.trtc.trees import Drawn, drawn_tree

if TYPE_CHECKING:
    from types import ModuleType

MODULES = (identifiers, privileges, roomsig, urls)
DRAWN = [(module, drawn) for module in MODULES for drawn in drawn_tree(module.__doc__)]


@pytest.mark.parametrize(
    ("module", "drawn"), DRAWN, ids=[f"{module.__name__}-{drawn.name}" for module, drawn in DRAWN]
)
def test_the_drawn_tree_is_the_real_one(module: ModuleType, drawn: Drawn) -> None:
    """Each class that a docstring draws has that parent and those attributes, and is exported."""
    if drawn.parent is None:
        assert hasattr(builtins, drawn.name)
        return
    drawn_class = getattr(module, drawn.name)
    assert drawn.parent in [base.__name__ for base in drawn_class.__bases__]
    for attribute in drawn.attributes:
        assert f"{attribute}:" in drawn_class.__doc__
    assert drawn.name in trtc.__all__


def test_every_exception_is_drawn() -> None:
    """What may be raised can be looked up."""
    exported = (getattr(trtc, name) for name in trtc.__all__)
    raised = {
        item.__name__ for item in exported if isinstance(item, type) and issubclass(item, Exception)
    }
    assert raised == {drawn.name for _, drawn in DRAWN if drawn.parent}
