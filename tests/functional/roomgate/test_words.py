"""What is said about the command line, in its help, its messages and the documents, is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from roomgate.cli import roomgate
from roomgate.commands.groups import Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.roomgate.conftest import Cli

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = (
    "README.md",
    "docs/operations.md",
    "docs/analytics.md",
    "docs/runbook.md",
    "SECURITY.md",
)
_BLOCK = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
_LINE = re.compile(r"^\s*(?:[A-Z_]+=\S+ |.*\| )?(?:\.venv/bin/)?(roomgate [^#\n]*)", re.MULTILINE)
_SPAN = re.compile(r"`(?:\.venv/bin/)?(roomgate(?: [a-z-][^`]*)?)`")
_GROUPS = "apps|keys|callers|relays|callbacks|ticket|events|users|analytics"
_NAMED = re.compile(rf"roomgate ({_GROUPS})(?: ([a-z]+))?(?![a-z])")
_OPTION = re.compile(r"--[a-z][a-z-]+")
# What stands for something in the documents, and something that it could be.
_PLACEHOLDERS = {"APP": "1400000001", "SDK_APP_ID": "1400000001", "NAME": "other", "USER": "u"}


def commands(
    command: click.Command = roomgate, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The path of every command and group."""
    yield path
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, (*path, name))


PATHS = list(commands())


def lines() -> Iterator[tuple[str, str]]:
    """Every command line in a block of a document, or among the examples of a --help."""
    for name in DOCUMENTS:
        for block in _BLOCK.findall((ROOT / name).read_text()):
            joined = block.replace("\\\n", " ")
            yield from ((name, line.strip()) for line in _LINE.findall(joined))
    for path in PATHS:
        group = found(path)
        if isinstance(group, Group):
            yield from (("--help", line) for line, _ in group.examples)


def found(path: tuple[str, ...]) -> click.Command:
    """The command or group at a path."""
    command: click.Command = roomgate
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def texts() -> Iterator[Path]:
    """Every file that could tell people what to type."""
    yield from (ROOT / name for name in DOCUMENTS)
    for folder in ("roomgate", "chalicelib", "functions", "infra"):
        yield from (ROOT / folder).rglob("*.py")


def parsed(words: list[str]) -> None:
    """Parse a command line as far as click does before it runs anything."""
    context = roomgate.make_context("roomgate", list(words))
    command: click.Command = roomgate
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, command_, rest = command.resolve_command(context, rest)
        assert command_ is not None
        command, context = command_, command_.make_context(name, rest, parent=context)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_is_there_for_each_command(cli: Cli, path: tuple[str, ...]) -> None:
    """--help explains, in a sentence at least, each option too; and exits with 0."""
    result = cli.run(*path, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: roomgate {' '.join(path)}".rstrip())
    command = found(path)
    assert command.help
    assert command.help[0].isupper()
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_list_of_commands_shows_whole_sentences(path: tuple[str, ...]) -> None:
    """Nothing of what a group says of its commands is cut off."""
    assert not path or not found(path).get_short_help_str(60).endswith("...")


@pytest.mark.parametrize(("place", "line"), sorted(set(lines())))
def test_every_command_line_in_the_documents_parses(
    place: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them, with files of the names that it gives."""
    monkeypatch.chdir(tmp_path)
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(line)[1:]]
    for word in words:
        if "." in word and "/" not in word and not word.startswith("-"):
            (tmp_path / word).write_text("content")
    if "generate" in words:
        (tmp_path / words[-1]).unlink()
    words = [word for word in words if word != "-"]
    parsed(words)
    assert place


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_a_document_names_exists(name: str) -> None:
    """With the options that are named beside it."""
    for span in _SPAN.findall((ROOT / name).read_text()):
        words = span.replace("…", "").split()[1:]
        depth = next((n for n in (2, 1, 0) if tuple(words[:n]) in PATHS), 0)
        assert depth or not words or words[0].startswith("-"), span
        known = {opt for each in found(tuple(words[:depth])).params for opt in each.opts}
        known |= {"--help", "--stack", "--json"}
        assert set(_OPTION.findall(span)) <= known, span


def test_every_command_that_a_message_names_exists() -> None:
    """Nobody is told to type what there is not."""
    wrong = [
        f"{path.relative_to(ROOT)}: {group} {command}"
        for path in texts()
        for group, command in _NAMED.findall(path.read_text())
        if command and (group, command) not in PATHS
    ]
    assert wrong == []
