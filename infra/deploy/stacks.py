"""CloudFormation stacks: make or change, wait with progress, tell why one failed, delete."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from infra.layout import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

# The function templates name their roles, and SAM expands them.
_CAPABILITIES: Final = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_GOOD: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
_STARTS: Final = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
_TELL_EVERY = 10.0  # seconds


class Stacks:
    """The stacks of one account and region.

    Args:
        client: of CloudFormation.
        say: takes one line of progress.
        pause: seconds between two looks at a stack.
    """

    def __init__(
        self, client: CloudFormationClient, say: Callable[[str], None], pause: float = 3.0
    ) -> None:
        self._client = client
        self._say = say
        self._pause = pause

    def begin(self, name: str, source: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
        """Start to make or change a stack; say whether there is anything to wait for.

        One that is as asked for already stays as it is, also after an update that was rolled back.

        Args:
            name: of the stack.
            source: TemplateURL or TemplateBody.
            wanted: parameters by name. Those that the template does not have are passed over; one
                that is not given keeps the value it has.
        """
        found = self.find(name)
        if found and found["StackStatus"] == "ROLLBACK_COMPLETE":
            self._say(f"{name}: its first creation had failed; making it anew")
            self.delete(name)
            found = None
        asked: dict[str, Any] = {
            "StackName": name,
            "Parameters": self._parameters(source, wanted, found),
            "Capabilities": _CAPABILITIES,
            **source,
        }
        call = self._client.update_stack if found else self._client.create_stack
        try:
            call(**asked)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
            return False
        return True

    def wait(self, name: str) -> None:
        """Wait until a stack is done.

        Raises:
            InfraError: it failed; says which resources, and why.
        """
        found = self.find(name)
        if found is None:
            raise InfraError(f"Stack {name} is gone.")
        status = self._settled(name, found["StackId"])
        if status not in _GOOD:
            reasons = "\n".join(self._failures(found["StackId"]))
            raise InfraError(f"Stack {name} ended as {status}:\n{reasons}")

    def find(self, name: str) -> StackTypeDef | None:
        """The stack, or None where there is none of that name."""
        try:
            return self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def outputs(self, name: str) -> dict[str, str]:
        """A stack's outputs by name."""
        found = self.find(name)
        outputs = found.get("Outputs", []) if found else []
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def roles(self, name: str) -> list[str]:
        """The names of the roles that a stack made."""
        made = self._client.describe_stack_resources(StackName=name)["StackResources"]
        return [
            each.get("PhysicalResourceId", "")
            for each in made
            if each["ResourceType"] == "AWS::IAM::Role"
        ]

    def delete(self, name: str) -> None:
        """Delete a stack and wait; nothing where there is none.

        Raises:
            InfraError: something in it could not be deleted.
        """
        found = self.find(name)
        if found is None:
            return
        self._client.delete_stack(StackName=name)
        status = self._settled(name, found["StackId"])
        if status != "DELETE_COMPLETE":
            reasons = "\n".join(self._failures(found["StackId"]))
            raise InfraError(f"Stack {name} was not deleted ({status}):\n{reasons}")

    def _parameters(
        self, source: Mapping[str, str], wanted: Mapping[str, str], found: StackTypeDef | None
    ) -> list[ParameterTypeDef]:
        template = self._client.get_template_summary(**dict[str, Any](source))
        declared = {each["ParameterKey"] for each in template.get("Parameters", [])}
        had = {each["ParameterKey"] for each in found.get("Parameters", [])} if found else set()
        given: list[ParameterTypeDef] = [
            {"ParameterKey": key, "ParameterValue": wanted[key]}
            for key in sorted(declared & set(wanted))
        ]
        kept: list[ParameterTypeDef] = [
            {"ParameterKey": key, "UsePreviousValue": True}
            for key in sorted((declared & had) - set(wanted))
        ]
        return given + kept

    def _settled(self, name: str, stack_id: str) -> str:
        started = told = time.monotonic()
        while True:
            # By id, since a deleted stack is no longer found by its name.
            status = self._client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            if time.monotonic() - told > _TELL_EVERY:
                told = time.monotonic()
                self._say(f"{name}: {status} ({told - started:.0f} s)")
            time.sleep(self._pause)

    def _failures(self, stack_id: str) -> list[str]:
        """What failed in the stack's last operation, in the order it happened."""
        failures: list[str] = []
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for event in (event for page in pages for event in page["StackEvents"]):  # newest first
            status = event.get("ResourceStatus", "")
            if event.get("PhysicalResourceId") == stack_id and status in _STARTS:
                break
            if status.endswith("_FAILED"):
                reason = event.get("ResourceStatusReason", "no reason given")
                what = f"{event.get('LogicalResourceId')} ({event.get('ResourceType')})"
                failures.append(f"  {what}: {reason}")
        return failures[::-1]
