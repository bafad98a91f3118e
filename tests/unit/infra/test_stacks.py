from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from infra.deploy.stacks import Stacks
from infra.layout import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudformation import CloudFormationClient

NAME = "roomgate-issuer"
TEMPLATE = {"TemplateBody": "{}"}


def _refusal(text: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "Operation")


class FakeCloudFormation:
    """One stack, whose next statuses and events a test sets."""

    def __init__(self, status: str | None = None, parameters: tuple[str, ...] = ()) -> None:
        self.statuses = [status] if status else []
        self.parameters = parameters
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.events: list[dict[str, str]] = []
        self.unchanged = False

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """The stack, each time with its next status."""
        if not self.statuses or (StackName == NAME and self.statuses[0] == "DELETE_COMPLETE"):
            raise _refusal(f"Stack with id {StackName} does not exist")
        status = self.statuses[0]
        if len(self.statuses) > 1:
            self.statuses.pop(0)
        had = [{"ParameterKey": key, "ParameterValue": "old"} for key in self.parameters]
        outputs = [{"OutputKey": "Url", "OutputValue": "https://x.invalid"}]
        stack = {"StackId": "id", "StackStatus": status, "Parameters": had, "Outputs": outputs}
        return {"Stacks": [stack]}

    def get_template_summary(self, **_source: str) -> dict[str, Any]:
        """What the template declares."""
        return {"Parameters": [{"ParameterKey": key} for key in ("Stack", "MemorySize", "Added")]}

    def create_stack(self, **asked: Any) -> None:
        """Note the call."""
        self.calls.append(("create", asked))

    def update_stack(self, **asked: Any) -> None:
        """Note the call, or refuse one that changes nothing."""
        if self.unchanged:
            raise _refusal("No updates are to be performed.")
        self.calls.append(("update", asked))

    def delete_stack(self, **asked: Any) -> None:
        """Note the call; the stack is gone a moment later."""
        self.calls.append(("delete", asked))
        self.statuses = ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]

    def get_paginator(self, operation: str) -> FakeCloudFormation:
        """The one paginator that is used."""
        assert operation == "describe_stack_events"
        return self

    def paginate(self, **_asked: str) -> Iterator[dict[str, Any]]:
        """One page of events, newest first."""
        yield {"StackEvents": self.events}


def _stacks(fake: FakeCloudFormation) -> Stacks:
    return Stacks(cast("CloudFormationClient", fake), lambda _text: None, pause=0)


def test_a_stack_that_is_not_there_is_created() -> None:
    """Parameters that the template does not declare are not sent."""
    fake = FakeCloudFormation()
    _stacks(fake).begin(NAME, TEMPLATE, {"Stack": "roomgate", "Foreign": "x"})
    ((call, asked),) = fake.calls
    assert call == "create"
    assert asked["Parameters"] == [{"ParameterKey": "Stack", "ParameterValue": "roomgate"}]
    assert asked["Capabilities"] == ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert asked["TemplateBody"] == "{}"


def test_an_update_keeps_what_it_is_not_told() -> None:
    """A domain or a limit set once stays, until another value is given."""
    fake = FakeCloudFormation("UPDATE_COMPLETE", ("Stack", "MemorySize", "Dropped"))
    _stacks(fake).begin(NAME, TEMPLATE, {"Stack": "roomgate"})
    ((call, asked),) = fake.calls
    assert call == "update"
    assert asked["Parameters"] == [
        {"ParameterKey": "Stack", "ParameterValue": "roomgate"},
        {"ParameterKey": "MemorySize", "UsePreviousValue": True},
    ]


def test_an_update_that_changes_nothing_is_a_success() -> None:
    """CloudFormation calls it an error; a second deployment is none."""
    fake = FakeCloudFormation("CREATE_COMPLETE")
    fake.unchanged = True
    stacks = _stacks(fake)
    stacks.begin(NAME, TEMPLATE, {})
    stacks.wait(NAME)
    assert fake.calls == []


def test_a_stack_whose_creation_failed_is_made_anew() -> None:
    """CloudFormation cannot update a stack in ROLLBACK_COMPLETE."""
    fake = FakeCloudFormation("ROLLBACK_COMPLETE")
    _stacks(fake).begin(NAME, TEMPLATE, {})
    assert [call for call, _ in fake.calls] == ["delete", "create"]


def test_a_failure_is_told_with_its_reasons() -> None:
    """Only what failed in this operation is told, first things first."""
    fake = FakeCloudFormation("UPDATE_ROLLBACK_COMPLETE")
    fake.statuses = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    fake.events = [
        _event("Role", "CREATE_FAILED", "second"),
        _event("LogGroup", "CREATE_FAILED", "first"),
        _event("Table", "CREATE_COMPLETE", "fine"),
        {"PhysicalResourceId": "id", "ResourceStatus": "UPDATE_IN_PROGRESS"},
        _event("Role", "CREATE_FAILED", "long ago"),
    ]
    with pytest.raises(InfraError) as failed:
        _stacks(fake).wait(NAME)
    assert str(failed.value).splitlines() == [
        f"Stack {NAME} ended as UPDATE_ROLLBACK_COMPLETE:",
        "  LogGroup (AWS::Some::Thing): first",
        "  Role (AWS::Some::Thing): second",
    ]


def test_deleting_waits_for_the_end() -> None:
    """A deleted stack is found by its id only; one that never was needs no deleting."""
    fake = FakeCloudFormation("CREATE_COMPLETE")
    _stacks(fake).delete(NAME)
    assert [call for call, _ in fake.calls] == ["delete"]
    _stacks(FakeCloudFormation()).delete(NAME)


def test_other_refusals_pass() -> None:
    """An error that is not about nothing to do, or nothing there, reaches the operator."""
    fake = FakeCloudFormation("CREATE_COMPLETE")
    refusal = _refusal("Template format error")

    def refuse(**_asked: Any) -> None:
        raise refusal

    fake.update_stack = refuse  # type: ignore[method-assign]  # A fake of our own.
    with pytest.raises(ClientError, match="Template format error"):
        _stacks(fake).begin(NAME, TEMPLATE, {})


def test_outputs_by_name() -> None:
    """What a stack tells; nothing where there is none."""
    assert _stacks(FakeCloudFormation("CREATE_COMPLETE")).outputs(NAME) == {
        "Url": "https://x.invalid"
    }
    assert _stacks(FakeCloudFormation()).outputs(NAME) == {}


def _event(name: str, status: str, reason: str) -> dict[str, str]:
    return {
        "LogicalResourceId": name,
        "ResourceType": "AWS::Some::Thing",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }
