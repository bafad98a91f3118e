"""Copies the lake from S3 into a folder; what is there already is not fetched again."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Final, NamedTuple

from roomgate.analytics.files import ROWS, is_row_file
from roomgate.operator.deployed import stack_of
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from roomgate.commands.session import Session

_AT_ONCE: Final = 8
"""Firehose makes many small objects, whose round trips would take turns."""

_CHUNK: Final = 1 << 20


class Entry(NamedTuple):
    """An object of the lake.

    Attributes:
        path: below ``rows/``.
        size: bytes.
        modified: unix time in seconds.
    """

    path: str
    size: int
    modified: int


class Listing(NamedTuple):
    """What the bucket holds.

    Attributes:
        entries: the objects with rows.
        foreign: keys of others, which are not copied.
    """

    entries: list[Entry]
    foreign: list[str]


def bucket_of(session: Session) -> str:
    """The lake's bucket, from the deployed stack; raises OperatorError where there is none."""
    stack = stack_of(session, "lake")
    if stack is None or "LakeBucket" not in stack.outputs:
        raise OperatorError(
            f"There is no lake in stack {session.stack}. Name its bucket (--bucket NAME), or "
            "deploy it (make deploy)."
        )
    return stack.outputs["LakeBucket"]


def listing(client: S3Client, bucket: str, first_day: str, last_day: str) -> Listing:
    """List what arrived from one day to another (``YYYY-MM-DD``), both of them too.

    Raises:
        OperatorError: there is no such bucket.
    """
    found = Listing([], [])
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"{ROWS}/", StartAfter=f"{ROWS}/dt={first_day}"
    )
    try:
        for page in pages:
            for each in page.get("Contents", []):
                path = each["Key"].removeprefix(f"{ROWS}/")
                if path > f"dt={last_day}/~":
                    return found
                if is_row_file(path):
                    modified = int(each["LastModified"].timestamp())
                    found.entries.append(Entry(path, each["Size"], modified))
                elif not path.endswith("/"):  # Consoles make such objects to show a folder.
                    found.foreign.append(each["Key"])
    except client.exceptions.NoSuchBucket:
        raise OperatorError(f"There is no bucket {bucket}.") from None
    return found


def missing(entries: Sequence[Entry], folder: Path) -> list[Entry]:
    """Those that are not in the folder, or not as they are in the bucket."""
    return [entry for entry in entries if not _is_there(entry, folder / ROWS / entry.path)]


def gone(entries: Sequence[Entry], folder: Path, first_day: str, last_day: str) -> list[Path]:
    """Files of those days that the bucket does not hold any more."""
    held = {entry.path for entry in entries}
    first, last = f"dt={first_day}", f"dt={last_day}"
    days = [day for day in (folder / ROWS).glob("dt=*") if first <= day.name <= last]
    files = sorted(path for day in days for path in day.rglob("*") if path.is_file())
    return [path for path in files if path.relative_to(folder / ROWS).as_posix() not in held]


def fetch(client: S3Client, bucket: str, entries: Sequence[Entry], folder: Path) -> Iterator[Entry]:
    """Copy objects, several at once; yields each that is there."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = {pool.submit(_fetch, client, bucket, each, folder): each for each in entries}
        try:
            for done in as_completed(waiting):
                done.result()
                yield waiting[done]
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(client: S3Client, bucket: str, entry: Entry, folder: Path) -> None:
    answer = client.get_object(Bucket=bucket, Key=f"{ROWS}/{entry.path}")
    path = folder / ROWS / entry.path
    try:
        _write(path, answer["Body"].iter_chunks(_CHUNK), entry.modified)
    except OSError as error:
        raise OperatorError(f"{path} can't be written: {error.strerror}.") from None


def _write(path: Path, chunks: Iterable[bytes], modified: int) -> None:
    """Write a file under a name that no query reads, until it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.writelines(chunks)
    os.utime(part, (modified, modified))
    part.replace(path)


def _is_there(entry: Entry, path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return (found.st_size, int(found.st_mtime)) == (entry.size, entry.modified)
