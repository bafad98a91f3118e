"""What things are called in the stores of one stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Names:
    """What things are called in the stores of one stack.

    Args:
        stack: the stack's name, ``roomgate`` by default.
    """

    def __init__(self, stack: str) -> None:
        self.stack = stack
        self.report_token = f"{stack}/report-token"
        self.key_prefix = f"{stack}/app/"
        self.relay_prefix = f"{stack}/relay/"
        self.callback_prefix = f"{stack}/callback/"
        self.applications = f"/{stack}/apps"
        self.callers = f"/{stack}/callers"
        self.pseudonyms = f"/{stack}/pseudonyms"

    def key(self, sdk_app_id: int) -> str:
        """The secret that holds an application's signing key."""
        return f"{self.key_prefix}{sdk_app_id}"

    def relay(self, relay_id: str) -> str:
        """The secret that holds a relay: its secrets, and what it may report of."""
        return f"{self.relay_prefix}{relay_id}"

    def callback(self, sdk_app_id: int) -> str:
        """The secret that holds the keys with which Tencent signs an application's callbacks."""
        return f"{self.callback_prefix}{sdk_app_id}"

    def settings(self, sdk_app_id: int) -> str:
        """The parameter that holds an application's settings."""
        return f"{self.applications}/{sdk_app_id}"

    def applications_among(self, parameters: Iterable[str]) -> list[int]:
        """The applications whose settings are among the parameters of these names."""
        ids = (name.rpartition("/")[2] for name in parameters)
        return sorted(int(each) for each in ids if each.isascii() and each.isdecimal())

    def caller(self, caller_id: str) -> str:
        """The parameter that holds a caller."""
        return f"{self.callers}/{caller_id}"
