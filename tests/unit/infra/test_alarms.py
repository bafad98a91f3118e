"""The alarms of the templates: what they watch, and where they send whoever is woken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import log
from infra.deploy.alarms import RUNBOOK
from infra.layout import FUNCTIONS, ROOT
from infra.package import target
from infra.package.template import merge_document

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = {each.name: merge_document(each, target.aws())["Resources"] for each in FUNCTIONS}
ALARMS = {
    (name, logical): resource["Properties"]
    for name, resources in TEMPLATES.items()
    for logical, resource in resources.items()
    if resource.get("Type") == "AWS::CloudWatch::Alarm"
}
LAKE = ["Conversion", "Dropped", "Failed", "Freshness", "IteratorAge", "OnFailure", "Poison"]
HTTPS = [each.name for each in FUNCTIONS if each.http]
HANDLERS = [
    (each.name, handler, "" if handler == each.handlers[0] else handler)
    for each in FUNCTIONS
    for handler in each.handlers
]


def sections() -> set[str]:
    """The anchors of the runbook's sections, as Markdown makes them."""
    headings = re.findall(r"^## (.+)$", (ROOT / RUNBOOK).read_text(), re.MULTILINE)
    return {heading.lower().replace(" ", "-") for heading in headings}


def metrics(alarm: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Namespace, name and dimensions of each metric that an alarm looks at."""
    if "Metrics" not in alarm:
        yield alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"]
    for each in alarm.get("Metrics", []):
        if "MetricStat" in each:
            metric = each["MetricStat"]["Metric"]
            yield metric["Namespace"], metric["MetricName"], metric["Dimensions"]


def test_what_is_watched() -> None:
    """Each Lambda: errors, throttles, latency; with HTTP: stores; keys; rotation; keeper."""
    wanted = {
        (name, f"Alarm{own}{what}")
        for name, _, own in HANDLERS
        for what in ("Errors", "Throttles", "Latency")
    }
    wanted |= {(name, "AlarmStore") for name in HTTPS}
    wanted |= {("issuer", "AlarmNoKey"), ("issuer", "AlarmKeyAge"), ("rotation", "AlarmFailed")}
    kept = ("IteratorAge", "Poison", "OnFailure", "Dropped", "SweepLag", "SweepFailures")
    wanted |= {("keeper", f"Alarm{what}") for what in kept}
    wanted |= {("exporter", f"Alarm{what}") for what in LAKE}
    assert set(ALARMS) == wanted


@pytest.mark.parametrize("key", sorted(ALARMS), ids="-".join)
def test_an_alarm_says_what_to_do(key: tuple[str, str]) -> None:
    """Its description names a section that the runbook has; its name, the stack and function."""
    alarm = ALARMS[key]
    says, _, link = alarm["AlarmDescription"].partition(" What to do: ")
    file, _, section = link.partition("#")
    assert says.endswith(".")
    assert (file, section in sections()) == (RUNBOOK, True)
    assert alarm["AlarmName"]["Fn::Sub"].startswith(f"${{Stack}}-{key[0]}-")
    assert alarm["AlarmActions"] == alarm["OKActions"]


def test_the_runbook_has_what_has_no_alarm() -> None:
    """What only users or operators notice."""
    noticed = {"half-done-rotation", "bad-key-imported", "clock-skew", "leaked-caller-key"}
    assert noticed <= sections()


def test_a_sweeper_that_says_nothing_is_an_alarm() -> None:
    """It runs every minute, so silence means that it does not; of all others silence is good."""
    silent = {key for key, each in ALARMS.items() if each["TreatMissingData"] == "breaching"}
    assert silent == {("keeper", "AlarmSweepLag")}


@pytest.mark.parametrize(("name", "handler", "own"), HANDLERS)
def test_slow_is_80_percent_of_the_timeout(name: str, handler: str, own: str) -> None:
    """Of this very Lambda's."""
    timeout = TEMPLATES[name][handler]["Properties"]["Timeout"]
    alarm = ALARMS[name, f"Alarm{own}Latency"]
    assert alarm["Threshold"] == 0.8 * timeout * 1000
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": handler}}]


@pytest.mark.parametrize("name", HTTPS)
def test_errors_are_those_of_this_api(name: str) -> None:
    """By its name, which no other installation in the account has."""
    api = TEMPLATES[name]["RestAPI"]["Properties"]
    api_name = {"Name": "ApiName", "Value": api["Name"]}
    assert api_name in ALARMS[name, "AlarmErrors"]["Dimensions"]
    assert api["DefinitionBody"]["info"]["title"] == api["Name"]


@pytest.mark.parametrize("key", sorted(ALARMS), ids="-".join)
def test_an_alarm_looks_at_metrics_that_are_written(key: tuple[str, str]) -> None:
    """Ours have the dimensions that the log gives them, and a name that stands in the code."""
    for namespace, name, dimensions in metrics(ALARMS[key]):
        if namespace.startswith("AWS/"):
            continue
        assert namespace == log.NAMESPACE
        names = tuple(each["Name"] for each in dimensions)
        assert names in {log.DIMENSIONS, (*log.DIMENSIONS, "reason")}
        assert dimensions[1]["Value"] == key[0]
        assert name == "RotationFailed" or f'"{name}"' in source()


def source() -> str:
    """The code that runs in functions."""
    files = [
        path for folder in ("chalicelib", "functions") for path in (ROOT / folder).rglob("*.py")
    ]
    return "\n".join(path.read_text() for path in files)
