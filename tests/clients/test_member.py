"""The member library: its tests in JavaScript, and what its files must be."""

from __future__ import annotations

import re

import pytest

from tests.clients.node import ROOT, run_node, run_tests
from tests.support.seeds import MANY

MEMBER = ROOT / "clients" / "member"
SUITES = sorted(path.name for path in (ROOT / "tests" / "clients").glob("*.test.js"))
MOST_BYTES = 32 * 1024


@pytest.mark.parametrize("suite", SUITES)
def test_the_member_does_what_its_tests_say(suite: str) -> None:
    """Each suite passes on Node, in virtual time."""
    run_tests(f"tests/clients/{suite}", SEEDS="300" if MANY else "20")


def test_what_is_made_of_the_source_is_up_to_date() -> None:
    """The ES module and the mini-program's copy are what ``build.js`` makes."""
    run_node("clients/member/build.js", "--check")


def test_both_module_systems_export_the_same() -> None:
    """What `require` gives, `import` gives, and index.d.ts declares."""
    names = "console.log(Object.keys(m).sort().join())"
    required = run_node("-e", f"const m = require('./clients/member'); {names}")
    script = f"import * as m from './clients/member/roomgate-member.mjs'; {names}"
    imported = run_node("--input-type=module", "-e", script)
    declared = re.findall(
        r"^export (?:declare )?(?:class|function) (\w+)",
        (MEMBER / "index.d.ts").read_text(),
        re.MULTILINE,
    )
    assert imported == required == ",".join(sorted(declared)) + "\n"


def test_the_member_depends_on_nothing() -> None:
    """Its files require each other only, and stay few enough to be read in one sitting."""
    files = [MEMBER / "index.js", *sorted((MEMBER / "lib").glob("*.js"))]
    for path in files:
        for name in re.findall(r"require\('([^']+)'\)", path.read_text()):
            assert name.startswith("./"), f"{path.name} requires {name}"
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
