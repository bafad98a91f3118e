"""``roomgate analytics``: the lake on this machine, asked in SQL and shown in pictures."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from chalicelib.stream.row import VERSION
from chalicelib.trtc.identifiers import parse_room_key
from roomgate.analytics.sql import DAY, BadSql, UnknownQuery, bound, names, query
from roomgate.commands.groups import Group
from roomgate.commands.options import SDK_APP_ID, Moment, Parsed
from roomgate.commands.output import table, when
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roomgate.analytics.lake import Lake
    from roomgate.analytics.sql import Value
    from roomgate.commands.session import Session

FOLDER: Final = Path(".local/lake")
_FORMATS: Final = ("table", "csv", "json", "parquet")
_NAME: Final = Path("report.html")
_LONGEST_DAYS: Final = 92
"""Of a report: its pictures hold no more than that."""


_folder = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    envvar="ROOMGATE_LAKE",
    show_envvar=True,
    help="Where the lake's files are on this machine.",
)


def _time(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which time is meant."""
    since = click.option(
        "--since", type=Moment(), help="The first moment, UTC; by default yesterday's beginning."
    )
    until = click.option(
        "--until",
        type=Moment(),
        help="The moment after the last one; by default now, or without --since today's beginning.",
    )
    return since(until(command))


_app = click.option("--app", "sdk_app_id", type=SDK_APP_ID, help="One application; by default all.")


@click.group(
    cls=Group,
    examples=(
        ("roomgate analytics sync", "copy the lake to this machine, or what is new of it"),
        ("roomgate analytics query", "the queries there are"),
        ("roomgate analytics query peak_concurrency", "the most users at once, yesterday"),
        ("roomgate analytics report --since 2026-11-01", "one file of HTML, with pictures"),
    ),
)
def analytics() -> None:
    """The lake of joins and leaves, in SQL and in pictures.

    Everything here works on files; sync alone asks AWS. docs/analytics.md says what the rows hold,
    and how to ask Athena the same.
    """


@analytics.command("sync")
@click.option("--bucket", metavar="NAME", help="The lake's; by default as the stack says.")
@click.option("--prune", is_flag=True, help="Delete files here that the lake does not hold.")
@click.option("--since", type=Moment(), help="The first day on which rows arrived.")
@click.option("--until", type=Moment(), help="The last day, which counts too.")
@_folder
@click.pass_obj
def sync(
    session: Session,
    folder: Path,
    bucket: str | None,
    since: int | None,
    until: int | None,
    *,
    prune: bool,
) -> None:
    """Copy the lake's rows to this machine.

    What is here already is not fetched again. By default all days are copied; for a query about
    one day, the day before and the day after it are needed too.
    """
    from roomgate.analytics import sync as s3  # noqa: PLC0415 (threads, for this command alone)

    days = (_day(since or 0), _day(until or time.time() + DAY))
    if days[0] > days[1]:
        raise click.UsageError(f"--since must not be after --until, but {' is after '.join(days)}.")
    bucket = bucket or s3.bucket_of(session)
    with session.output.waiting("the list"):
        found = s3.listing(session.s3, bucket, *days)
    new = s3.missing(found.entries, folder)
    size = sum(each.size for each in new)
    with session.output.progress("Copying", size) as reached:
        copied = 0
        for each in s3.fetch(session.s3, bucket, new, folder):
            copied += each.size
            reached(copied)
    for key in found.foreign:
        session.output.note(f"{key} is no file of rows; it is left where it is.")
    pruned = _pruned(session, s3.gone(found.entries, folder, *days), prune=prune)
    facts = {
        "bucket": bucket,
        "folder": str(folder),
        "files": len(found.entries),
        "copied": len(new),
        "copiedBytes": size,
        "pruned": pruned,
    }
    text = (
        f"{len(new)} of {len(found.entries)} file(s) copied ({size / 1e6:.1f} MB). "
        f"The lake is in {folder}.\nNow: roomgate analytics query peak_concurrency"
    )
    session.output.answer(facts, text)


def _pruned(session: Session, gone: list[Path], *, prune: bool) -> int:
    """Delete what the lake does not hold, or say that it does not; return how many."""
    if not prune:
        if gone:
            session.output.note(
                f"{len(gone)} file(s) here are not in the lake: gone from it, or made here (demo "
                "data, exports). --prune deletes them."
            )
        return 0
    for path in gone:
        path.unlink()
    return len(gone)


@analytics.command("query")
@click.argument("query_or_sql", metavar="[QUERY]", required=False)
@_time
@_app
@click.option(
    "--room",
    type=Parsed("room", lambda key: parse_room_key(str(key)).key),
    help="A room's key: 123 or s:….",
)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="By default a table.")
@click.option(
    "--output",
    "into",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="A file for the answer; by default standard output.",
)
@_folder
@click.pass_obj
def query_(
    session: Session,
    /,
    folder: Path,
    query_or_sql: str | None,
    form: str | None,
    into: Path | None,
    **given: Any,
) -> None:
    """Ask the lake in SQL, or a query by its name.

    Without one the names are shown. SQL is Athena's (Trino's dialect); - reads it from standard
    input. The table is events. In SQL too, :since, :until, :app and :room stand for what the
    options say.
    """
    if query_or_sql is None:
        _show_queries(session)
        return
    if into is None and form == "parquet":
        raise click.UsageError("Parquet needs a file: --output FILE.")
    if session.output.as_json or form == "json":
        session.output.as_json = into is None
        form = form or "json"
    text, span = _text(query_or_sql, given)
    with _open(folder) as found:
        if not found.files:
            _note(session, found)
            raise OperatorError(
                f"There are no rows in {folder}. Copy the lake: roomgate analytics sync"
            )
        if span and not found.has_arrivals(*span):
            since, until = map(when, span)
            session.output.note(
                f"No row that arrived from {since} to {until} is on this machine. If the lake has "
                "some: roomgate analytics sync"
            )
        _answer(session, found, text, form or "table", into)


@analytics.command("report")
@_time
@_app
@click.option(
    "--output",
    "into",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    default=_NAME,
    show_default=True,
    help="The file.",
)
@_folder
@click.pass_obj
def report(session: Session, /, folder: Path, into: Path, **given: Any) -> None:
    """Write one HTML file with pictures and numbers.

    It needs no network and no scripts. It is about yesterday by default; --since and --until choose
    another time, of 92 days at most.
    """
    from roomgate.analytics.report import page  # noqa: PLC0415 (brings the plots)

    values = _values(given)
    if int(values["until"]) - int(values["since"]) > _LONGEST_DAYS * DAY:
        raise click.UsageError(f"A report is about {_LONGEST_DAYS} days at most.")
    with _open(folder) as found:
        text = page(session.output, found, values)
        _note(session, found)
    _write(into, text)
    facts = {"report": str(into), "bytes": len(text.encode()), "files": len(found.files)}
    session.output.answer(facts, f"{into} is written; open it in a browser.")


def _answer(session: Session, found: Lake, text: str, form: str, into: Path | None) -> None:
    """Ask, and answer in a form, on standard output or in a file."""
    from roomgate.analytics import answers  # noqa: PLC0415 (brings DuckDB)

    if form == "parquet" and into:
        rows = answers.write_parquet(session.output, found, text, into)
        _note(session, found)
        _kept(session, into, rows)
        return
    got = answers.asked(session.output, found, text)
    _note(session, found)
    facts = answers.as_json(got)
    told = answers.as_csv(got) if form == "csv" else answers.as_text(got)
    if into is None:
        session.output.answer(facts, told)
        return
    _write(into, click.unstyle(json.dumps(facts) if form == "json" else told) + "\n")
    _kept(session, into, len(got.rows))


def _kept(session: Session, into: Path, rows: int) -> None:
    session.output.answer({"file": str(into), "rows": rows}, f"{rows} row(s) are in {into}.")


@contextmanager
def _open(folder: Path) -> Iterator[Lake]:
    """Open the lake; raises OperatorError, for a query that fails too."""
    from roomgate.analytics.lake import lake  # noqa: PLC0415 (brings DuckDB)

    # DuckDB would take these for the rows' own partition.
    if any(part.startswith(("dt=", "hour=")) for part in folder.resolve().parts):
        raise OperatorError(f"{folder} lies in a folder dt=… or hour=…; choose another one.")
    try:
        with lake(folder) as found:
            yield found
    except BadSql as error:
        raise OperatorError(_advice(error)) from None


def _note(session: Session, found: Lake) -> None:
    """Say what of the lake is left out, and what is newer than we are."""
    for skipped in found.skipped:
        session.output.note(f"{skipped.path} {skipped.reason}; it is left out.")
    if found.newer:
        session.output.note(
            f"{found.newer} row(s) are of a newer version of the schema than {VERSION}; they are "
            "counted as if they were of that one."
        )


def _text(query_or_sql: str, given: dict[str, Any]) -> tuple[str, tuple[int, int] | None]:
    """The query in Trino's dialect, with what was given in the places of its parameters.

    Beside it stands the time that a named query is about, in unix seconds.
    """
    try:
        if re.fullmatch(r"[\w-]+", query_or_sql) and query_or_sql != "-":
            named = query(query_or_sql)
            values = _forwards(named.values(_given(given), time.time()))
            return bound(named.text, values), (int(values["since"]), int(values["until"]))
        text = sys.stdin.read() if query_or_sql == "-" else query_or_sql
        return bound(text, _values(given)), None
    except BadSql as error:
        raise OperatorError(_advice(error)) from None


def _values(given: dict[str, Any]) -> dict[str, Value]:
    """Every parameter: as given, or about yesterday, all applications and rooms."""
    today = int(time.time() // DAY) * DAY
    usual: dict[str, Value] = {"since": today - DAY, "until": today, "app": 0, "room": ""}
    return _forwards(usual | _given(given))


def _given(given: dict[str, Any]) -> dict[str, Value]:
    """The parameters that were given; who says since when alone means until now."""
    named = {"since": "since", "until": "until", "sdk_app_id": "app", "room": "room"}
    found = {named[name]: value for name, value in given.items() if value is not None}
    return {"until": int(time.time())} | found if "since" in found else found


def _forwards(values: dict[str, Value]) -> dict[str, Value]:
    """The values, if time runs forwards in them; else it is a usage error."""
    since, until = (int(values[name]) for name in ("since", "until"))
    if since >= until:
        raise click.UsageError(
            f"--since must be before --until, but these are {_day(since)} and {_day(until)}."
        )
    return values


def _advice(error: BadSql) -> str:
    """What is wrong with a query, and what to do."""
    if not isinstance(error, UnknownQuery):
        return str(error)
    near = f" Did you mean {' or '.join(error.near)}?" if error.near else ""
    return f"{error}{near} See them all: roomgate analytics query"


def _show_queries(session: Session) -> None:
    found = [query(name) for name in names()]
    facts = [{"query": each.name, "answers": each.title} for each in found]
    rows = [[each.name, each.title] for each in found]
    session.output.answer({"queries": facts}, table(("query", "answers"), rows))


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def _write(path: Path, text: str) -> None:
    """Write a file; raises OperatorError."""
    try:
        path.write_text(text)
    except OSError as error:
        raise OperatorError(f"{path} can't be written: {error.strerror}.") from None
