"""The README's API examples, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.layout import ROOT

if TYPE_CHECKING:
    from infra.deploy.deployment import Deployed
    from tests.system.conftest import Tenant

README = (ROOT / "README.md").read_text()


def section(start: str, end: str) -> str:
    """A part of the README."""
    return README[README.index(start) : README.index(end)]


EXAMPLES = section("## The API by example", "### Routes") + section(
    "## Who is in the room", "## Deploying to AWS"
)
MARK = "---- answered"


@pytest.fixture(scope="module")
def answers(deployed: Deployed, tenant: Tenant) -> list[dict[str, object]]:
    """What the examples print, run one after the other in one shell."""
    blocks = [
        b for b in re.findall(r"```sh\n(.*?)```", EXAMPLES, re.DOTALL) if ".local/env" not in b
    ]
    script = "\n".join(["set -eu", *(f"{block}\necho; echo '{MARK}'" for block in blocks)])
    environ = {
        "PATH": os.environ["PATH"],
        "ISSUER": deployed.urls["issuer"],
        "WEBHOOK": deployed.urls["webhook"],
        "ROOMS": deployed.urls["rooms"],
        "APP": str(tenant.sdk_app_id),
        "API_KEY": tenant.api_key,
    }
    done = subprocess.run(
        ["bash", "-c", script], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(text) for text in done.stdout.split(MARK)[:-1]]


def test_each_shown_answer_has_the_members_of_the_real_one(
    answers: list[dict[str, object]],
) -> None:
    """Where the README shows an answer after a call, it shows the members that really come."""
    parts = re.split(r"```sh\n.*?```", EXAMPLES, flags=re.DOTALL)[2:]
    shown = [re.search(r"```json\n(.*?)```", part, re.DOTALL) for part in parts]
    assert len(shown) == len(answers)
    pairs = [(json.loads(s[1]), a) for s, a in zip(shown, answers, strict=True) if s]
    assert [set(example) for example, _ in pairs] == [set(answer) for _, answer in pairs]
    assert pairs


def test_the_room_shows_what_was_reported(answers: list[dict[str, object]]) -> None:
    """The examples read what the one before them wrote."""
    rosters = [answer for answer in answers if "size" in answer]
    timelines = [answer for answer in answers if "entries" in answer]
    assert ['"dave"' in json.dumps(each) for each in (*rosters, *timelines)] == [True, True]
