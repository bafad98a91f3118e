"""What a run ran on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend


def machine() -> str:
    """The machine and the versions that matter, in two lines."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    host = f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    library = f"cryptography {version('cryptography')} ({backend.openssl_version_text()})"
    return f"{host}, load {load}\n{python}, {library}, chalice {version('chalice')}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
