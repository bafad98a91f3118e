"""The SQL of the lake: named queries, their parameters, and the same text for Athena and DuckDB.

The files under infra/analytics are in Trino's dialect, which is Athena's. Each begins with a
comment that says what it answers, its parameters with their types and defaults, and its columns.
What several of them begin with stands once, under shared: a line ``-- include: wanted, firsts`` is
where that comes in, so that the whole can run alone.

A parameter stands in the text as ``:since``; in its place comes a literal of its type, made here
from a checked value, so that nothing that a person gives is ever read as SQL. Neither Athena nor
DuckDB gets to see a placeholder.

::

    ValueError
    └── BadSql           no SQL that can be run here; its text says why
        └── UnknownQuery     .near   no query of that name
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from roomgate.analytics.files import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path(__file__).resolve().parent / "queries"
DAY: Final = 86_400

_INCLUDE: Final = re.compile(r"^-- include: (.+)\n", re.MULTILINE)
_PARAMETER: Final = re.compile(r"--   :(\w+) +(timestamp|bigint|varchar) +(.+) \(default: (.+)\)")
_TODAY: Final = re.compile(r"today(?: - (\d+))?")

Value = int | str
"""A parameter's value: of a timestamp unix seconds, of a bigint the number, of a varchar the text.
"""


class BadSql(ValueError):
    """No SQL that can be run here; the text says why."""


class UnknownQuery(BadSql):
    """There is no query of that name.

    Attributes:
        near: the names that look most like it.
    """

    def __init__(self, name: str, near: list[str]) -> None:
        super().__init__(f"There is no query {name!r}.")
        self.near = near


class Parameter(NamedTuple):
    """A parameter of a query.

    Attributes:
        name: without the colon.
        kind: ``timestamp``, ``bigint`` or ``varchar``.
        meaning: what it is, in words.
        default: ``today``, ``today - N`` (days), a number, or a text in quotes.
    """

    name: str
    kind: str
    meaning: str
    default: str

    def value(self, now: float) -> Value:
        """Its default at a moment of unix time, in seconds."""
        days = _TODAY.fullmatch(self.default)
        if days:
            return int(now // DAY) * DAY - int(days[1] or 0) * DAY
        return self.default.strip("'") if self.kind == "varchar" else int(self.default)

    def expression(self) -> str:
        """Its default as SQL, which Athena works out whenever the query is run."""
        days = _TODAY.fullmatch(self.default)
        if not days:
            return self.default
        back = f" - INTERVAL '{days[1]}' DAY" if days[1] else ""
        return f"CAST(current_date{back} AS timestamp)"


class Query(NamedTuple):
    """A named query.

    Attributes:
        name: its file's, without suffix.
        title: what it answers, in a sentence.
        text: the whole file, with what it includes.
        parameters: by name.
    """

    name: str
    title: str
    text: str
    parameters: dict[str, Parameter]

    def values(self, given: Mapping[str, Value], now: float) -> dict[str, Value]:
        """The values of its parameters: as given, or their defaults at a moment of unix time."""
        return {name: given.get(name, each.value(now)) for name, each in self.parameters.items()}

    def bound(self, given: Mapping[str, Value], now: float) -> str:
        """Its text with the values of its parameters in their places."""
        return bound(self.text, self.values(given, now))

    def saved(self) -> str:
        """Its text as it is saved in Athena: runs as it is, about the default time."""
        return _replaced(self.text, {n: each.expression() for n, each in self.parameters.items()})


def names() -> list[str]:
    """The names of all queries."""
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def query(name: str) -> Query:
    """A query by its name; raises UnknownQuery."""
    if name not in names():
        raise UnknownQuery(name, difflib.get_close_matches(name, names(), n=2, cutoff=0.35))
    text = _INCLUDE.sub(_included, (FOLDER / f"{name}.sql").read_text())
    found = (_PARAMETER.fullmatch(line) for line in text.splitlines())
    parameters = {match[1]: Parameter(*match.groups()) for match in found if match}
    return Query(name, text.splitlines()[0].removeprefix("-- "), text, parameters)


def _included(line: re.Match[str]) -> str:
    """What several queries share: each a named part of a WITH."""
    parts = (FOLDER / "shared" / f"{name}.sql" for name in line[1].split(", "))
    return "".join(f"{part.read_text().rstrip()},\n" for part in parts)


def bound(text: str, values: Mapping[str, Value]) -> str:
    """Put literals in the places of parameters; raises BadSql for an unknown one.

    Timestamps are told from numbers by the parameters' names: ``since`` and ``until``.
    """
    return _replaced(text, {name: _literal(name, value) for name, value in values.items()})


def for_duckdb(text: str) -> str:
    """One query in Trino's dialect, in DuckDB's.

    Raises:
        BadSql: it can't be parsed, or is no query, or more than one.
    """
    import sqlglot  # noqa: PLC0415 (0.3 s, for this command alone)
    from sqlglot import exp  # noqa: PLC0415 (likewise)

    try:
        parsed = [each for each in sqlglot.parse(text, read="trino") if each is not None]
    except sqlglot.errors.SqlglotError as error:
        raise BadSql(_said(error)) from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise BadSql("It must be one query: SELECT …, or WITH … SELECT …")
    return parsed[0].sql(dialect="duckdb")


def _literal(name: str, value: Value) -> str:
    if name in {"since", "until"}:
        at = dt.datetime.fromtimestamp(int(value), dt.UTC)
        return f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}'"
    return literal(value) if isinstance(value, str) else str(value)


def _replaced(text: str, literals: Mapping[str, str]) -> str:
    """Replace parameters where they are parameters: not in comments, texts or names."""
    from sqlglot import TokenType, errors, tokenize  # noqa: PLC0415 (as above)

    try:
        tokens = tokenize(text, read="trino")
    except errors.SqlglotError as error:
        raise BadSql(_said(error)) from None
    parts, end = [], 0
    for colon, name in pairwise(tokens):
        if colon.token_type != TokenType.COLON or name.start != colon.end + 1:
            continue
        if name.text not in literals:
            raise BadSql(f"There is no parameter :{name.text} (there are: {', '.join(literals)}).")
        parts += [text[end : colon.start], literals[name.text]]
        end = name.end + 1
    return "".join([*parts, text[end:]])


def _said(error: Exception) -> str:
    """What sqlglot says, without its terminal colours."""
    first, *_ = getattr(error, "errors", None) or [{}]
    if "line" not in first:
        return f"It can't be read as SQL: {str(error).splitlines()[0]}"
    return f"It can't be read as SQL, at line {first['line']}: {first['description']}"
