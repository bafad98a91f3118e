"""The applications of a stack: their settings, read and written for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.stores.settings import Settings
from chalicelib.stores.stored import BadStoredValue
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roomgate.commands.session import Session


class ApplicationStore:
    """The applications of one stack.

    Args:
        session: whose stack and account are used.
    """

    def __init__(self, session: Session) -> None:
        from roomgate.operator.parameters import Parameters  # noqa: PLC0415 (brings botocore)

        self._parameters = Parameters(session.ssm)
        self._names = session.names

    def add(self, sdk_app_id: int, settings: Settings) -> None:
        """Write a new application's settings; raises OperatorError."""
        taken = (
            f"Application {sdk_app_id} is there already. To change it: "
            f"roomgate apps set {sdk_app_id} --help"
        )
        self._parameters.add(self._names.settings(sdk_app_id), settings.to_json(), taken)

    def put(self, sdk_app_id: int, settings: Settings) -> None:
        """Write an application's settings over those there are."""
        self._parameters.put(self._names.settings(sdk_app_id), settings.to_json())

    def settings_of(self, sdk_app_id: int) -> Settings:
        """An application's settings; raises OperatorError."""
        text = self._parameters.get(self._names.settings(sdk_app_id))
        if text is None:
            raise OperatorError(
                f"Application {sdk_app_id} is not set up in stack {self._names.stack}. "
                f"Set it up: roomgate apps add {sdk_app_id} (or see: roomgate apps list)"
            )
        try:
            return Settings.from_json(text)
        except BadStoredValue as error:
            raise OperatorError(
                f"The settings of application {sdk_app_id} can't be read ({error}). Delete the "
                f"parameter {self._names.settings(sdk_app_id)}, then: roomgate apps add "
                f"{sdk_app_id}"
            ) from None

    def all(self) -> dict[int, Settings | BadStoredValue]:
        """Settings by sdkAppId; where they can't be read, why."""
        found: dict[int, Settings | BadStoredValue] = {}
        for sdk_app_id, text in self._parameters.under(self._names.applications).items():
            try:
                found[int(sdk_app_id)] = Settings.from_json(text)
            except BadStoredValue as fault:
                found[int(sdk_app_id)] = fault
        return dict(sorted(found.items()))


def allowing(sdk_app_id: int, allowed: Iterable[str], algorithm: str) -> str:
    """The command that allows one more algorithm; those that are named replace what was allowed."""
    named = " ".join(f"--algorithm {each}" for each in (*allowed, algorithm))
    return f"roomgate apps set {sdk_app_id} {named}"
