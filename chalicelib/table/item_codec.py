"""Declares the attributes of an item once, and encodes and decodes items by that.

An attribute is required unless its type is wrapped in `optional`. A decoder raises KeyError, whose
argument is the name of the attribute or of DynamoDB's type (``N``, ``S``, ``L``) that is missing,
or ValueError for a number that is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.table.list_codec import read, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.table.item_keys import Item


class AttributeType(NamedTuple):
    """How a Python value is stored.

    Attributes:
        encode: makes an attribute value in the form of DynamoDB's low-level API.
        decode: reads it back.
        required: the attribute is never missing.
    """

    encode: Callable[[Any], dict[str, Any]]
    decode: Callable[[Mapping[str, Any]], Any]
    required: bool = True


NUMBER: Final = AttributeType(lambda value: {"N": str(value)}, lambda stored: int(stored["N"]))
"""An int."""

COMPACT_TEXT: Final = AttributeType(written, read)
"""A str that is stored as text, or compressed where that is smaller (`list_codec.written`)."""


def tuple_of(make: Callable[..., Any]) -> AttributeType:
    """A named tuple of strings, as a list; ``make`` makes it from them."""
    return AttributeType(
        lambda value: {"L": [{"S": part} for part in value]},
        lambda stored: make(*(part["S"] for part in stored["L"])),
    )


def optional(attribute: AttributeType) -> AttributeType:
    """An attribute that is left out where its value is None."""
    return attribute._replace(required=False)


class ItemCodec:
    """The attributes of one kind of item, besides its key.

    Args:
        attributes: the type of each attribute, by its name.
    """

    def __init__(self, **attributes: AttributeType) -> None:
        self._attributes = attributes

    def encode(self, key: Item, **values: Any) -> Item:
        """Make an item from its key and the value of each attribute."""
        item = dict(key)
        for name, attribute in self._attributes.items():
            if attribute.required or values[name] is not None:
                item[name] = attribute.encode(values[name])
        return item

    def decode(self, item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The value of each attribute; None for an optional one that is missing."""
        return {
            name: attribute.decode(item[name]) if attribute.required or name in item else None
            for name, attribute in self._attributes.items()
        }
