from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from infra.package.zips import digest, files_under, pack

NAMES = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?\.py", fullmatch=True)


@given(contents=st.dictionaries(NAMES, st.binary(max_size=200), min_size=1), data=st.data())
def test_the_bytes_depend_on_the_files_only(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    """The same files in another order and with other times and modes give the same zip."""
    shuffled = data.draw(st.permutations(list(contents)))
    with TemporaryDirectory() as folder:
        first = _packed(Path(folder) / "a", contents, list(contents), time=0, mode=0o600)
        second = _packed(Path(folder) / "b", contents, shuffled, time=10**9, mode=0o755)
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


def test_a_zip_holds_readable_files_and_no_folders(tmp_path: Path) -> None:
    """Lambda reads the files as another user, so all may read them."""
    result = tmp_path / "out.zip"
    _packed(
        tmp_path / "in", {"chalicelib/x.py": b"x = 1\n"}, ["chalicelib/x.py"], time=0, mode=0o600
    )
    pack(tmp_path / "in", result)
    with zipfile.ZipFile(result) as archive:
        (info,) = archive.infolist()
        assert archive.read(info) == b"x = 1\n"
    assert info.filename == "chalicelib/x.py"
    assert info.external_attr >> 16 == 0o100644


def test_compiled_files_are_no_input(tmp_path: Path) -> None:
    """A .pyc that Python left behind changes nothing."""
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"")
    (tmp_path / "x.py").write_bytes(b"")
    assert files_under(tmp_path) == [tmp_path / "x.py"]


def test_names_and_contents_do_not_run_into_each_other() -> None:
    """Moving a byte from a content to the next name changes the digest."""
    assert digest([("a", b"1\nb\n0\n"), ("c", b"")]) != digest([("a", b"1\n"), ("b", b"c")])
    assert digest([("a", b""), ("b", b"")]) != digest([("a", b"b\n0\n")])


def _packed(
    folder: Path, contents: dict[str, bytes], order: list[str], *, time: int, mode: int
) -> bytes:
    for name in order:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[name])
        path.chmod(mode)
        os.utime(path, (time, time))
    result = folder.with_suffix(".zip")
    pack(folder, result)
    return result.read_bytes()
