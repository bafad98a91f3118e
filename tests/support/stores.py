"""A store in memory that can be told to fail, to be slow, and that counts what it is asked."""

from __future__ import annotations

import threading
from collections import Counter

from chalicelib.stores.store import NotInStore, Secret, StoreDown


class MemoryStore:
    """A ``Store``: secrets by (name, stage), parameters by name."""

    preloads = True

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], Secret] = {}
        self.parameters: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.down = False
        self.open = threading.Event()
        self.open.set()

    def secret(self, name: str, stage: str = "AWSCURRENT") -> Secret:
        """See Store."""
        self._ask(name)
        if (name, stage) not in self.secrets:
            raise NotInStore(name, "ResourceNotFoundException")
        return self.secrets[name, stage]

    def parameter(self, name: str) -> str:
        """See Store."""
        self._ask(name)
        if name not in self.parameters:
            raise NotInStore(name, "ParameterNotFound")
        return self.parameters[name]

    def parameter_names(self, path: str) -> list[str]:
        """See Store."""
        self._ask(path)
        return [name for name in self.parameters if name.startswith(f"{path}/")]

    def _ask(self, name: str) -> None:
        self.asked[name] += 1
        self.open.wait()
        if self.down:
            raise StoreDown(name, "ThrottlingException")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_600_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Unix time in seconds."""
        return self.now
