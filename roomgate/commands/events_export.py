"""``roomgate events export``: the lake's rows once more, from the event table."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from roomgate.commands.groups import Command
from roomgate.commands.options import MOMENT, SDK_APP_ID
from roomgate.commands.output import when
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.stream.row import Row
    from chalicelib.table.item_keys import Item
    from roomgate.analytics.backfill import Seen, Wanted
    from roomgate.commands.session import Session

_PREFIX: Final = "export"
_DRAW_EVERY: Final = 1000  # Items.


@click.command("export", cls=Command)
@click.option(
    "--from", "begin", type=MOMENT, required=True, help="The first moment: a date (and time), UTC."
)
@click.option(
    "--to", "end", type=MOMENT, required=True, help="The moment after the last one, likewise."
)
@click.option("--app", "sdk_app_id", type=SDK_APP_ID, help="One application; by default all.")
@click.option("--reports", is_flag=True, help="Reports too, as by the exporter's setting.")
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder, laid out as the lake; by default the deployed lake itself.",
)
@click.pass_obj
def export(
    session: Session,
    begin: int,
    end: int,
    sdk_app_id: int | None,
    folder: Path | None,
    *,
    reports: bool,
) -> None:
    """Make the lake's rows once more, from the event table.

    For a new lake, or one that lacks rows. They have the ids that they had, and queries drop
    repeats, so this may be run twice, and over any time. --from and --to go by when things were
    recorded, as the lake's folders do; changes are kept for 90 days, reports for 7, unless the
    stack says otherwise. The whole table is read for it.
    """
    from roomgate.analytics.backfill import Seen, Wanted, rows_from, write_into  # noqa: PLC0415 (DuckDB)
    from roomgate.analytics.sync import bucket_of  # noqa: PLC0415 (threads, as there)
    from roomgate.operator.event_store import event_store  # noqa: PLC0415 (brings botocore)

    if begin >= end:
        raise click.UsageError("--from must be before --to.")
    bucket = bucket_of(session) if folder is None else ""
    archive, seen = event_store(session).archive, Seen()
    wanted = Wanted(begin * 1000, end * 1000, sdk_app_id, reports)

    def rows(draw: Callable[[], None]) -> Iterator[Row]:
        return rows_from(_drawn(archive.everything(), draw), wanted, seen)

    if folder is None:
        where, files = f"s3://{bucket}", _fill(session, bucket, rows)
    else:
        with session.output.waiting("the table") as draw:
            where, files = str(folder), write_into(folder, rows(draw), _PREFIX)
    _note(session, seen)
    if not seen.rows:
        raise OperatorError(_nothing(wanted))
    facts = {"into": where, "files": files, "rows": seen.rows, "bad": seen.bad.total()}
    session.output.answer(facts, f"{seen.rows} row(s) in {len(files)} file(s) are in {where}.")


def _fill(
    session: Session, bucket: str, rows: Callable[[Callable[[], None]], Iterator[Row]]
) -> list[str]:
    """Write rows into the deployed lake; return the objects' keys below ``rows/``."""
    from roomgate.analytics.backfill import files_of  # noqa: PLC0415 (DuckDB)
    from roomgate.analytics.files import ROWS  # noqa: PLC0415 (as below)

    with tempfile.TemporaryDirectory(prefix="roomgate-") as scratch:
        with session.output.waiting("the table") as draw:
            files = files_of(rows(draw), Path(scratch), _PREFIX)
        with session.output.progress("Copying", len(files)) as reached:
            for number, (path, file) in enumerate(files.items()):
                with file.open("rb") as content:
                    session.s3.put_object(Bucket=bucket, Key=f"{ROWS}/{path}", Body=content)
                reached(number + 1)
    return list(files)


def _drawn(items: Iterable[Item], draw: Callable[[], None]) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number % _DRAW_EVERY == 0:
            draw()
        yield item


def _note(session: Session, seen: Seen) -> None:
    """Say what is not as everyone would expect."""
    for reason, many in seen.bad.most_common():
        session.output.note(f"{many} item(s) or row(s) are left out: {reason}.")
    if seen.renamed:
        session.output.note(
            f"{seen.renamed} row(s) are of forgotten users, by their pseudonyms. If the lake has "
            "them by their names still, they count twice: delete those (docs/analytics.md)."
        )


def _nothing(wanted: Wanted) -> str:
    since, until = when(wanted.begin / 1000), when(wanted.end / 1000)
    of = "" if wanted.app is None else f" of {wanted.app}"
    return (
        f"The event table keeps nothing{of} that was recorded from {since} to {until}. Changes "
        "are kept for 90 days, unless the stack says otherwise."
    )
