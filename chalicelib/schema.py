"""Types of JSON values: one declaration decodes, encodes, and prints its JSON Schema.

Requests are decoded by it, answers are encoded by it, and stored JSON is written and read by it.
msgspec is faster, but it accepts a member twice and a line feed after a userid
(docs/decisions.md).

    Type             decode(JSON value) -> value, or DecodeErrors
                     encode(value) -> JSON value
                     json_schema() -> JSON Schema 2020-12
    ├── Integer      a whole number within bounds; never a bool, never 1.0
    ├── Number       any number within bounds; never a bool
    ├── Flag         true, or absent
    ├── Text         a string, by pattern and length
    ├── Checked      a value that a rule of a pure package accepts
    ├── OneOf        one of some strings
    ├── Array        a list of one type, each item once where asked
    ├── Collection   an array that Python holds as a tuple or a set
    ├── Nullable     null, or one type
    ├── Either       one of some types, chosen by the value's JSON type
    ├── Foreign      any JSON of some Python types, passed on as it is
    ├── Record       our own object: known members only
    └── ByMember     one of two records, told apart by a member that only one of them has
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from chalicelib.errors import FieldError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
C = TypeVar("C")
Schema = dict[str, Any]

UNKNOWN_MEMBER: Final = "is not a member that Roomgate knows"
MOST_SHOWN = 20  # A problem names at most this many wrong members; a body can hold thousands.


class DecodeErrors(ValueError):
    """A value does not fit its type.

    Attributes:
        errors: what is wrong; a place is relative to the value, ``""`` is the value itself.
    """

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(error.detail for error in errors))
        self.errors = errors


def fault(detail: str) -> DecodeErrors:
    """The error of a value that is wrong as a whole."""
    return DecodeErrors(FieldError("", detail))


class Type(Generic[T]):
    """A type of JSON values, and of the Python values that they stand for."""

    def decode(self, value: Any) -> T:
        """The decoded value.

        Raises:
            DecodeErrors: the value does not fit.
        """
        raise NotImplementedError

    def encode(self, value: T) -> Any:
        """The JSON value that `decode` would read back."""
        return value

    def json_schema(self) -> Schema:
        """JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it)."""
        raise NotImplementedError


class Integer(Type[int]):
    """A whole number from ``least`` to ``most``."""

    def __init__(self, least: int, most: int, description: str = "") -> None:
        self.least, self.most, self.description = least, most, description

    def decode(self, value: Any) -> int:
        if type(value) is not int:  # A bool is an int to Python, but not to JSON.
            raise fault("must be a whole number, written without quotes, fraction or exponent")
        if not self.least <= value <= self.most:
            raise fault(f"must be between {self.least} and {self.most}")
        return value

    def json_schema(self) -> Schema:
        schema: Schema = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {**schema, "description": self.description} if self.description else schema


class Number(Type[float]):
    """A number from ``least`` to ``most``, with or without a fraction."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most

    def decode(self, value: Any) -> float:
        if type(value) not in {int, float}:
            raise fault("must be a number, written without quotes")
        if not self.least <= value <= self.most:
            raise fault(f"must be between {self.least} and {self.most}")
        number: float = value
        return number

    def json_schema(self) -> Schema:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


class Flag(Type[bool]):
    """True. To say no, a request leaves the member out."""

    def __init__(self, description: str) -> None:
        self.description = description

    def decode(self, value: Any) -> bool:
        if value is not True:
            raise fault("must be true, or be left out")
        return True

    def json_schema(self) -> Schema:
        return {"const": True, "description": self.description}


class Text(Type[str]):
    """A string of ``least`` to ``most`` characters; with a pattern, one that matches it whole."""

    def __init__(
        self, most: int, *, least: int = 0, pattern: str = "", description: str = ""
    ) -> None:
        self.least, self.most, self.pattern, self.description = least, most, pattern, description
        self._matches = re.compile(pattern).fullmatch if pattern else None

    def decode(self, value: Any) -> str:
        if type(value) is not str:
            raise fault("must be a string")
        if not self.least <= len(value) <= self.most:
            bounds = f"{self.least} to {self.most}" if self.least < self.most else f"{self.most}"
            raise fault(f"must have {bounds} characters")
        if self._matches and not self._matches(value):
            raise fault(f"must match {self.pattern}")
        return value

    def json_schema(self) -> Schema:
        schema: Schema = {"type": "string", "minLength": self.least, "maxLength": self.most}
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return {**schema, "description": self.description} if self.description else schema


class Checked(Type[T]):
    """A value that ``check`` returns, or refuses with a ValueError that says why."""

    def __init__(self, check: Callable[[Any], T], schema: Schema) -> None:
        self._check, self._schema = check, schema

    def decode(self, value: Any) -> T:
        try:
            return self._check(value)
        except ValueError as error:
            raise fault(str(getattr(error, "reason", error))) from None

    def json_schema(self) -> Schema:
        return self._schema


class OneOf(Type[T]):
    """One of some strings, each with what it decodes to."""

    def __init__(self, values: Mapping[str, T], description: str = "") -> None:
        self.values, self.description = values, description
        self._names = {decoded: name for name, decoded in values.items()}

    def decode(self, value: Any) -> T:
        if type(value) is not str or value not in self.values:
            raise fault(f"must be one of {', '.join(self.values)}")
        return self.values[value]

    def encode(self, value: T) -> str:
        return self._names[value]

    def json_schema(self) -> Schema:
        schema: Schema = {"type": "string", "enum": list(self.values)}
        return {**schema, "description": self.description} if self.description else schema


class Array(Type[list[T]]):
    """A list of ``least`` to ``most`` items of one type."""

    def __init__(self, item: Type[T], most: int, *, least: int = 0, unique: bool = False) -> None:
        self.item, self.least, self.most, self.unique = item, least, most, unique

    def decode(self, value: Any) -> list[T]:
        if type(value) is not list:
            raise fault("must be an array")
        if len(value) > self.most:
            raise fault(f"must have at most {self.most} items")
        if len(value) < self.least:
            raise fault(f"must have at least {self.least} items")
        items, errors = [], []
        for index, raw in enumerate(value):
            try:
                items.append(self.item.decode(raw))
            except DecodeErrors as error:
                errors += [FieldError(f"/{index}{place}", text) for place, text in error.errors]
        if errors:
            raise DecodeErrors(*errors)
        if self.unique and len(set(map(repr, items))) < len(items):
            raise fault("must hold each item once")
        return items

    def encode(self, value: Iterable[T]) -> list[Any]:
        return [self.item.encode(item) for item in value]

    def json_schema(self) -> Schema:
        return {
            "type": "array",
            "items": self.item.json_schema(),
            **({"minItems": self.least} if self.least else {}),
            "maxItems": self.most,
            **({"uniqueItems": True} if self.unique else {}),
        }


class Collection(Type[C]):
    """An array that Python holds as a tuple or a set.

    Args:
        array: the JSON array.
        make: builds the Python value from a list, as ``tuple`` or ``frozenset`` does.
        order: lists the value's items in the order in which they are written, as ``sorted`` does.
    """

    def __init__(
        self,
        array: Array[Any],
        make: Callable[[list[Any]], C],
        order: Callable[[Any], list[Any]] = list,
    ) -> None:
        self._array, self._make, self._order = array, make, order

    def decode(self, value: Any) -> C:
        return self._make(self._array.decode(value))

    def encode(self, value: C) -> list[Any]:
        return self._array.encode(self._order(value))

    def json_schema(self) -> Schema:
        return self._array.json_schema()


class Nullable(Type[T | None]):
    """Null, or one type."""

    def __init__(self, type_: Type[T]) -> None:
        self.type = type_

    def decode(self, value: Any) -> T | None:
        return None if value is None else self.type.decode(value)

    def encode(self, value: T | None) -> Any:
        return None if value is None else self.type.encode(value)

    def json_schema(self) -> Schema:
        return {"oneOf": [self.type.json_schema(), {"type": "null"}]}


class Either(Type[T]):
    """A type chosen by the value's Python type: ``{int: Integer(…), list: Array(…)}``."""

    def __init__(self, by_type: Mapping[type, Type[Any]], names: str) -> None:
        self.by_type, self.names = by_type, names

    def decode(self, value: Any) -> T:
        chosen = self.by_type.get(type(value))
        if chosen is None:
            raise fault(f"must be {self.names}")
        decoded: T = chosen.decode(value)
        return decoded

    def json_schema(self) -> Schema:
        return {"oneOf": [chosen.json_schema() for chosen in self.by_type.values()]}


class Foreign(Type[Any]):
    """Any JSON value of the given Python types, passed on as it is."""

    def __init__(self, types: tuple[type, ...], schema: Schema) -> None:
        self._types, self._schema = types, schema

    def decode(self, value: Any) -> Any:
        if type(value) not in self._types:
            raise fault(f"must be {self._schema.get('title', 'of another JSON type')}")
        return value

    def json_schema(self) -> Schema:
        return self._schema


class Field(NamedTuple):
    """A member of a Record.

    Attributes:
        name: the JSON member's name.
        type: the type of its value.
        into: the attribute of the Python value that the member becomes.
        required: the member is always there. One that is not required is absent where the
            attribute equals ``default``.
        default: the attribute's value where the member is absent.
        when: for alternatives: whether this member is the one that carries a given value.
    """

    name: str
    type: Type[Any]
    into: str
    required: bool = True
    default: Any = None
    when: Callable[[Any], bool] | None = None


class Record(Type[T]):
    """Our own object: known members only.

    Args:
        make: builds the decoded value; it is called with each field's ``into`` as a keyword, and
            what it returns has these attributes. It may raise a ValueError that says why its
            arguments do not go together.
        fields: the members. Fields that share ``into`` are alternatives: at most one of them may be
            given, and exactly one if they are required.
    """

    def __init__(self, make: Callable[..., T], *fields: Field) -> None:
        self.make = make
        self.fields = {field.name: field for field in fields}
        self._into: dict[str, list[Field]] = {}
        for field in fields:
            self._into.setdefault(field.into, []).append(field)

    def decode(self, value: Any) -> T:
        if type(value) is not dict:
            raise fault("must be an object")
        errors = [
            FieldError(f"/{_escape(name)}", UNKNOWN_MEMBER)
            for name in value
            if name not in self.fields
        ]
        arguments = {}
        for into, alternatives in self._into.items():
            try:
                arguments[into] = _decode_one(alternatives, value)
            except DecodeErrors as error:
                errors += error.errors
        if errors:
            raise DecodeErrors(*errors)
        try:
            return self.make(**arguments)
        except ValueError as error:
            raise fault(str(error)) from None

    def encode(self, value: T) -> dict[str, Any]:
        encoded = {}
        for field in self.fields.values():
            content = getattr(value, field.into)
            if field.when is not None and not field.when(content):
                continue
            if field.required or content != field.default:
                encoded[field.name] = field.type.encode(content)
        return encoded

    def json_schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {name: field.type.json_schema() for name, field in self.fields.items()},
            "additionalProperties": False,
            "required": [f.name for (f, *more) in self._into.values() if f.required and not more],
        }
        rules = [_alternatives_schema(group) for group in self._into.values() if len(group) > 1]
        return {**schema, "allOf": rules} if rules else schema


class ByMember(Type[T]):
    """One of two records: ``present`` if the value has the member ``name``, else ``absent``."""

    def __init__(self, name: str, present: Record[Any], absent: Record[Any]) -> None:
        self.name, self.present, self.absent = name, present, absent

    def decode(self, value: Any) -> T:
        has = type(value) is dict and self.name in value
        decoded: T = (self.present if has else self.absent).decode(value)
        return decoded

    def json_schema(self) -> Schema:
        return {"oneOf": [self.present.json_schema(), self.absent.json_schema()]}


def _decode_one(alternatives: list[Field], value: dict[str, Any]) -> Any:
    given = [field for field in alternatives if field.name in value]
    if not given:
        if not alternatives[0].required:
            return alternatives[0].default
        if len(alternatives) == 1:
            raise DecodeErrors(FieldError(f"/{alternatives[0].name}", "is missing"))
        raise fault(f"needs one of {', '.join(field.name for field in alternatives)}")
    if len(given) > 1:
        names = " and ".join(field.name for field in given)
        raise DecodeErrors(
            *(FieldError(f"/{field.name}", f"only one of {names} may stand") for field in given)
        )
    field = given[0]
    try:
        return field.type.decode(value[field.name])
    except DecodeErrors as error:
        raise DecodeErrors(
            *(FieldError(f"/{field.name}{place}", detail) for place, detail in error.errors)
        ) from None


def _alternatives_schema(group: list[Field]) -> Schema:
    if group[0].required:
        return {"oneOf": [{"required": [field.name]} for field in group]}
    return {"not": {"required": [field.name for field in group]}}


def _escape(name: str) -> str:
    """A member's name as JSON Pointers in URI fragments write it (RFC 6901), at most 64 of it."""
    pointer = name[:64].replace("~", "~0").replace("/", "~1")
    return quote(pointer, safe="~!$&'()*+,;=:@-._", errors="replace")


def decode(type_: Type[T], value: Any) -> T:
    """Decode a request's body.

    Raises:
        InvalidRequest: with a pointer to each wrong member, up to MOST_SHOWN of them.
    """
    try:
        return type_.decode(value)
    except DecodeErrors as error:
        shown = error.errors[:MOST_SHOWN]
        raise InvalidRequest(
            tuple(FieldError(f"#{place}", detail) for place, detail in shown)
        ) from None
