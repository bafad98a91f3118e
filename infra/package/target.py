"""What a bundle is built for: a Lambda runtime and architecture, or this very host."""

from __future__ import annotations

import platform
import re
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging import tags

from infra.layout import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST_VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
# Amazon Linux 2023 (Python 3.12 and newer) has glibc 2.34, Amazon Linux 2 has 2.26 (AWS Lambda
# docs, "Lambda runtimes").
_FIRST_AL2023: Final = (3, 12)


class Target(NamedTuple):
    """A runtime and architecture to build for.

    Attributes:
        name: the folder under build/.
        runtime: Lambda's name of the runtime, such as ``python3.13``.
        architecture: Lambda's name of the architecture: ``arm64`` or ``x86_64``.
        host: whether this host's interpreter runs it (the local AWS ignores the other two).
    """

    name: str
    runtime: str
    architecture: str
    host: bool = False

    @property
    def version(self) -> tuple[int, int]:
        """The Python version."""
        major, minor = self.runtime.removeprefix("python").split(".")
        return int(major), int(minor)

    @property
    def runs_here(self) -> bool:
        """Whether this host's interpreter can import what is built for the target."""
        if self.host:
            return True
        here = (sys.platform, platform.machine(), self.runtime)
        return here == ("linux", _MACHINES[self.architecture], f"python{_HOST_VERSION}")

    @property
    def uv_options(self) -> list[str]:
        """What tells uv to choose wheels for the target."""
        if self.host:
            return ["--python", sys.executable]
        glibc = "manylinux_2_34" if self.version >= _FIRST_AL2023 else "manylinux2014"
        machine = _MACHINES[self.architecture]
        version = self.runtime.removeprefix("python")
        return ["--python-platform", f"{machine}-{glibc}", "--python-version", version]

    def supported_tags(self) -> frozenset[tags.Tag]:
        """The wheel tags that the target can load."""
        if self.host:
            return frozenset(tags.sys_tags())
        platforms = list(self._platforms())
        interpreter = f"cp{self.version[0]}{self.version[1]}"
        native = tags.cpython_tags(self.version, platforms=platforms)
        pure = tags.compatible_tags(self.version, interpreter, platforms)
        return frozenset(native) | frozenset(pure)

    def _platforms(self) -> Iterator[str]:
        machine = _MACHINES[self.architecture]
        newest = 34 if self.version >= _FIRST_AL2023 else 26
        for minor in range(newest, 16, -1):
            yield f"manylinux_2_{minor}_{machine}"
        yield f"manylinux2014_{machine}"
        yield f"linux_{machine}"


def aws(runtime: str = "python3.13", architecture: str = "arm64") -> Target:
    """What AWS runs.

    Raises:
        InfraError: for a runtime that is no Python, or an architecture that Lambda does not have.
    """
    if not re.fullmatch(r"python3\.[0-9]{1,2}", runtime):
        raise InfraError(f"Roomgate needs a Python runtime such as python3.13, not {runtime!r}.")
    if architecture not in _MACHINES:
        raise InfraError(f"Lambda has no architecture {architecture!r}: use arm64 or x86_64.")
    return Target("aws", runtime, architecture)


def local() -> Target:
    """What the local AWS runs: this interpreter."""
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return Target("local", f"python{_HOST_VERSION}", architecture, host=True)
