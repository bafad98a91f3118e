"""Types hold from door to door: mypy reports each mistake in how a route is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from infra.layout import ROOT

MISTAKES = Path(__file__).parent / "mistakes.py.txt"


def test_mypy_reports_each_mistake_and_nothing_else(tmp_path: Path) -> None:
    """Each marked line gets the error that it names; no other line gets one."""
    text = MISTAKES.read_text()
    expected = {
        (number, match[1])
        for number, line in enumerate(text.splitlines(), 1)
        if (match := re.search(r"# expect: (\S+)$", line))
    }
    mistakes = tmp_path / "mistakes.py"
    mistakes.write_text(text)
    command = [sys.executable, "-m", "mypy", "--hide-error-context", "--no-pretty", str(mistakes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    reported = {
        (int(match[1]), match[2])
        for match in re.finditer(r"mistakes\.py:(\d+): error: .*\[([\w-]+)\]", done.stdout)
    }
    assert len(expected) > 5
    assert reported == expected, done.stdout
