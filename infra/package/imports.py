"""Whether an unpacked zip can be imported by an interpreter that has nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from infra.layout import InfraError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CODE = "import sys; sys.path[:0] = sys.argv[1:]; import app; assert callable(app.app)"
# An AWS that nobody answers for: INIT may call the stores, and must live with one that is down.
NOWHERE: Final = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nobody",
}


def import_app(folders: list[Path], environment: Mapping[str, str]) -> None:
    """Import ``app`` in a bare interpreter, which sees the standard library and the folders only.

    Args:
        folders: the unpacked zip, and the runtime's boto3 for a function that takes it from there.
        environment: what the function's template sets.

    Raises:
        InfraError: the import failed; holds the interpreter's last words.
    """
    command = [sys.executable, "-I", "-S", "-B", "-c", _CODE, *map(str, folders)]
    here = {"PATH": os.environ.get("PATH", ""), "AWS_LAMBDA_FUNCTION_NAME": "import-test"}
    env = here | NOWHERE | dict(environment)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InfraError(f"{folders[0]} cannot be imported:\n{done.stderr.strip()[-2000:]}")
