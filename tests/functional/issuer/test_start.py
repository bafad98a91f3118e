"""What the issuer imports when it starts."""

from __future__ import annotations

import subprocess
import sys

from infra.layout import ROOT


def test_the_issuer_starts_without_what_its_cold_start_cannot_afford() -> None:
    """With the extension present, importing the issuer imports no boto3, nor PyJWT."""
    dear = ["boto3", "botocore", "jwt", "requests", "msgspec", "pydantic"]
    code = (
        "import sys; sys.path[:0] = ['.', 'functions/issuer']; import app; "
        f"print([m for m in {dear} if m in sys.modules])"
    )
    environ = {
        "ROOMGATE_STACK": "s",
        "ROOMGATE_WEBHOOK_URL": "https://example.test",
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "2773",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environ,
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
