"""What the runbook tells people to type can be typed."""

from __future__ import annotations

import re

import click
import pytest

from infra.deploy.alarms import RUNBOOK
from infra.deploy.deployment import _parser
from infra.layout import ROOT
from roomgate.cli import roomgate

TEXT = (ROOT / RUNBOOK).read_text()
COMMANDS = sorted(
    {" ".join(found.split()) for found in re.findall(r"`roomgate ([a-z][^`]+)`", TEXT)}
)


def test_there_are_commands() -> None:
    """The pattern finds them."""
    assert "keys rotate APP" in COMMANDS
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_runbook_is_one(command: str) -> None:
    """Its groups, its name and its options are known to the command line."""
    found: click.Command = roomgate
    words = command.split()
    while isinstance(found, click.Group):
        found = found.commands[words.pop(0)]
    options = {name for each in found.params for name in each.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)`", TEXT))))
def test_each_option_of_the_runbook_is_one_of_deploying(option: str) -> None:
    """Options that stand alone are those of `make deploy`."""
    assert option in _parser().format_help() + _up_help()


def _up_help() -> str:
    (commands,) = (each for each in _parser()._actions if each.dest == "command")
    choices = commands.choices
    assert isinstance(choices, dict)
    text: str = choices["up"].format_help()
    return text
