"""Files and standard input, read so that what is wrong with one is said before anything is done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

STANDARD_INPUT: Final = "-"
_MOST_BYTES: Final = 64 * 1024
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Given(NamedTuple):
    """A text that was given in a file; it may hold a secret, so its repr does not show it.

    Attributes:
        name: of the file, for messages.
        text: as it stood there, without a byte order mark.
    """

    name: str
    text: str

    def __repr__(self) -> str:
        return f"Given({self.name!r})"


class TextFile(click.ParamType[Given]):
    """A small text file, or ``-`` for standard input.

    Args:
        holds: what is asked for on a terminal, as "the key".
    """

    name = "file"

    def __init__(self, holds: str) -> None:
        self._holds = holds

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Given:
        """Read it; fails as a usage error."""
        if isinstance(value, Given):
            return value
        path = str(value)
        try:
            data = self._standard_input() if path == STANDARD_INPUT else _read(Path(path))
        except OSError as error:
            self.fail(f"{path}: {error.strerror or 'it can not be read'}.", param, ctx)
        if len(data) > _MOST_BYTES:
            self.fail(f"{path}: longer than {_MOST_BYTES} bytes.", param, ctx)
        named = "standard input" if path == STANDARD_INPUT else path
        return Given(named, self._decoded(data, path, param, ctx))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete as a path."""
        return click.Path().shell_complete(ctx, param, incomplete)

    def _standard_input(self) -> bytes:
        if sys.stdin.isatty():
            click.echo(f"Enter {self._holds}; a line with Ctrl-D alone ends it.", err=True)
        return sys.stdin.buffer.read(_MOST_BYTES + 1)

    def _decoded(
        self, data: bytes, path: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        encoding = "utf-16" if data[:2] in _UTF16 else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            advice = "If it is a key in DER: openssl pkey -inform DER -in FILE -out key.pem"
            self.fail(f"{path}: not a text file. {advice}", param, ctx)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES + 1)
