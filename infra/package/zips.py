"""Zips whose bytes depend on nothing but the files in them."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can name
_READABLE = 0o100644 << 16  # Lambda reads the files as another user than their owner
_UNIX = 3


def files_under(folder: Path) -> list[Path]:
    """All files below a folder, sorted by path, without compiled Python."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def pack(folder: Path, to: Path) -> None:
    """Write a zip of all files below a folder: sorted, with fixed times, modes and compression."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    with zipfile.ZipFile(to, "w") as archive:
        for name in sorted(files):
            if files[name].is_dir():
                continue
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.create_system, info.external_attr = _UNIX, _READABLE
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name].read_bytes(), compresslevel=9)


def digest(parts: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 over named contents, as hex; a name and its content cannot run into the next."""
    hasher = hashlib.sha256()
    for name, content in parts:
        hasher.update(f"{name}\n{len(content)}\n".encode())
        hasher.update(content)
    return hasher.hexdigest()
