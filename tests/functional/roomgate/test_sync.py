"""``roomgate analytics sync``: the lake comes from S3 to this machine, and only what is new."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from roomgate.analytics.files import is_row_file
from roomgate.analytics.sync import _write
from tests.functional.roomgate.conftest import BOTO, STACK
from tests.support.lake_rows import MORNING, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.roomgate.conftest import Cli

pytestmark = pytest.mark.usefixtures("aws")
BUCKET = "the-lake"
DAY = ("--since", "2026-03-02", "--until", "2026-03-03")
FIRST = "rows/dt=2026-03-02/hour=09/a.parquet"
SECOND = "rows/dt=2026-03-03/hour=00/b.parquet"


def put(key: str, content: bytes = b"content") -> None:
    BOTO.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)


def make_bucket() -> None:
    place: Any = {"LocationConstraint": "eu-central-1"}
    BOTO.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)


def make_stack() -> None:
    """The stack of the lake, as far as the command line looks at it."""
    template = {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}},
        },
        "Outputs": {"LakeBucket": {"Value": {"Ref": "Bucket"}}},
    }
    BOTO.client("cloudformation").create_stack(
        StackName=f"{STACK}-lake", TemplateBody=json.dumps(template)
    )


@pytest.fixture
def sync(cli: Cli, tmp_path: Path) -> Any:
    """Copies the bucket into a folder; its answer."""
    make_bucket()

    def run(*words: str) -> dict[str, Any]:
        return cli.done("analytics", "sync", "--bucket", BUCKET, "--folder", str(tmp_path), *words)

    return run


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_lake_of_the_stack_is_copied_and_can_be_asked(cli: Cli, tmp_path: Path) -> None:
    """Its bucket is in the stack's outputs; what is copied are the rows as they were."""
    make_stack()
    write_rows(MORNING, tmp_path / "made")
    for path, content in files(tmp_path / "made").items():
        put(path, content)
    here = ("--folder", str(tmp_path / "here"))
    told = cli.told("analytics", "sync", *here)
    assert told.startswith("2 of 2 file(s) copied")
    assert files(tmp_path / "here") == files(tmp_path / "made")
    facts = cli.done("analytics", "query", "peak_concurrency", *here, *DAY)
    assert facts["rows"][0]["users"] == 3


def test_what_is_here_is_not_copied_again(sync: Any, tmp_path: Path) -> None:
    """Only what is new, or was written anew."""
    put(FIRST, b"1234")
    put(SECOND, b"5678")
    assert (sync()["copied"], sync()["copied"]) == (2, 0)
    put(FIRST, b"anew, and longer")
    put("rows/dt=2026-03-03/hour=01/c.parquet", b"9")
    assert (sync()["copied"], sync()["copied"]) == (2, 0)
    assert files(tmp_path)[FIRST] == b"anew, and longer"


def test_what_was_written_anew_is_copied_though_it_is_as_long(sync: Any, tmp_path: Path) -> None:
    """A user was taken out of it, say: the time at which it was written tells."""
    put(FIRST, b"alice")
    sync()
    put(FIRST, b"peter")
    seen = tmp_path / FIRST
    os.utime(seen, (0, seen.stat().st_mtime - 60))  # The copy is a minute older than the object.
    assert sync()["copied"] == 1
    assert files(tmp_path) == {FIRST: b"peter"}


def test_a_file_that_was_changed_here_is_copied_again(sync: Any, tmp_path: Path) -> None:
    """The bucket is what counts."""
    put(FIRST, b"1234")
    sync()
    (tmp_path / FIRST).write_bytes(b"12345")
    assert sync()["copied"] == 1
    assert files(tmp_path) == {FIRST: b"1234"}


def test_only_rows_are_copied(sync: Any, tmp_path: Path) -> None:
    """Failed records and results stay where they are; what has no business among rows is named."""
    put(FIRST)
    put("errors/format-conversion-failed/dt=2026-03-02/hour=09/x")
    put("results/x.csv")
    put("rows/dt=2026-03-02/hour=09/")
    strange = [
        "rows/dt=2026-03-02/hour=09/../../../../evil",
        "rows/dt=2026-03-02/hour=9/x",
        "rows/dt=2026-03-02/x",
    ]
    for key in strange:
        put(key)
    facts = sync()
    assert files(tmp_path) == {FIRST: b"content"}
    assert not (tmp_path.parent / "evil").exists()
    assert [note.partition(" is no")[0] for note in facts["notes"]] == strange


def test_days_can_be_chosen(sync: Any, tmp_path: Path) -> None:
    """By when rows arrived; both days that are named count."""
    keys = [f"rows/dt=2026-03-0{day}/hour=23/a" for day in (1, 2, 3, 4)]
    for key in keys:
        put(key)
    assert sync("--since", "2026-03-02", "--until", "2026-03-03")["files"] == 2
    assert sorted(files(tmp_path)) == keys[1:3]


def test_days_that_run_backwards_are_a_usage_error(cli: Cli) -> None:
    """Nothing is asked, and nothing taken for gone; one day alone is a day."""
    words = ("--since", "2026-03-03", "--until", "2026-03-02")
    assert "2026-03-03 is after 2026-03-02" in cli.misused("analytics", "sync", *words)
    words = ("--since", "2026-03-02T18:00", "--until", "2026-03-02T09:00")
    assert "There is no lake" in cli.failed("analytics", "sync", *words)


def test_what_the_lake_holds_no_more_is_told_of_and_can_be_deleted(
    sync: Any, tmp_path: Path
) -> None:
    """Of the days that are asked about; a user who was deleted there is not to stay here."""
    for key in (FIRST, SECOND):
        put(key)
    sync()
    for key in (FIRST, SECOND):
        BOTO.client("s3").delete_object(Bucket=BUCKET, Key=key)
    facts = sync()
    (note,) = facts["notes"]
    assert note.startswith("2 file(s) here are not in the lake: gone from it, or made here")
    assert sorted(files(tmp_path)) == [FIRST, SECOND]
    assert sync("--prune", "--since", "2026-03-03")["pruned"] == 1
    assert sorted(files(tmp_path)) == [FIRST]


def test_a_copy_that_breaks_off_leaves_nothing_that_looks_whole(
    cli: Cli, sync: Any, tmp_path: Path
) -> None:
    """What can't be read there is told of; what was copied before stays."""
    put(FIRST)
    sync()
    put(SECOND)
    (tmp_path / "rows/dt=2026-03-03").write_text("a file where a folder is needed")
    result = cli.run("analytics", "sync", "--bucket", BUCKET, "--folder", str(tmp_path))
    assert result.exit_code == 1
    assert "can't be written" in result.stderr
    assert files(tmp_path)[FIRST] == b"content"


def test_half_a_file_is_no_row_file(tmp_path: Path) -> None:
    """Whatever ends a copy in its midst: queries pass over what is there of it."""

    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / FIRST, chunks(), 1)
    (left,) = files(tmp_path)
    assert not is_row_file(left.removeprefix("rows/"))


def test_an_empty_lake_is_copied_as_that(sync: Any, tmp_path: Path) -> None:
    """There is nothing to do, and nothing wrong."""
    facts = sync()
    assert (facts["files"], facts["copied"], files(tmp_path)) == (0, 0, {})


def test_a_stack_without_a_lake_says_so(cli: Cli) -> None:
    """With what to do."""
    assert "There is no lake in stack st" in cli.failed("analytics", "sync")


def test_a_bucket_that_is_not_there_says_so(cli: Cli, tmp_path: Path) -> None:
    """By its name."""
    words = ("--bucket", "no-such-bucket", "--folder", str(tmp_path))
    assert "There is no bucket no-such-bucket" in cli.failed("analytics", "sync", *words)
