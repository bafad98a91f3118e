"""Where things lie in the repository, and which functions the bundle has."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build"
LOCAL: Final = ROOT / ".local"
TEMPLATES: Final = ROOT / "infra" / "deploy" / "templates"
RUNTIME_LOCK: Final = ROOT / "infra" / "package" / "runtime.txt"
MEGABYTE: Final = 1024 * 1024


class Function(NamedTuple):
    """One function of the bundle.

    Attributes:
        name: its folder under functions/, and its place under the custom domain.
        always_boto3: whether it needs the runtime's boto3 even where the extension is present.
        zip_limit: the most bytes its zip may have, or None.
        handlers: its Lambdas, by their names in the template; each but the first has a log group
            and a role of its own, named for it.
        http: whether it has an API.
    """

    name: str
    always_boto3: bool
    zip_limit: int | None = None
    handlers: tuple[str, ...] = ("APIHandler",)
    http: bool = True


# In the order they are deployed: the issuer is told webhook's URL.
FUNCTIONS: Final = (
    Function("webhook", always_boto3=True),
    Function("rooms", always_boto3=True),
    Function("issuer", always_boto3=False, zip_limit=6 * MEGABYTE),
    Function("keeper", always_boto3=True, handlers=("Keeper", "Sweeper"), http=False),
    Function("exporter", always_boto3=True, handlers=("Exporter",), http=False),
    Function("rotation", always_boto3=True, handlers=("Rotation", "Schedule"), http=False),
)


class InfraError(Exception):
    """A step of packaging, deploying or the local walk failed; the text says what to do next."""
