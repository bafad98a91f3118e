"""What reading a key imports."""

from __future__ import annotations

import subprocess
import sys

from tests.support.keys import pem_of_new_key


def test_keys_are_read_without_the_slow_half_of_cryptography() -> None:
    """Importing tickets and loading a key leaves out what costs a cold start 16 ms or more."""
    code = (
        "import sys; from chalicelib.tickets import load_key;"
        "load_key('ECDSA-SHA256', sys.stdin.read()).public_pem;"
        "print('cryptography.hazmat.primitives.serialization' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pem_of_new_key(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
