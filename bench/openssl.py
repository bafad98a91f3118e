"""userSig against ``openssl speed ecdsap256``, where openssl is installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from bench.figures import BenchError, Figure
from bench.material import NOW, SDK_APP_ID, TTL, USER_ID
from bench.rounds import MICROSECONDS, take_turns
from chalicelib.tickets import issue_user_sig, load_key

if TYPE_CHECKING:
    from bench.material import Material

_TIMES: Final = 3
_SPEED: Final = ("speed", "-elapsed", "-seconds", "1", "-mr", "ecdsap256")
_RESULT: Final = "+F4:"  # +F4:<curve>:<bits>:<signatures a second>:<verifications a second>


def openssl_figures(material: Material) -> list[Figure]:
    """One figure, the fastest of three turns of each; none without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return []
    key = load_key("ECDSA-SHA256", material.pem)

    def user_sig() -> str:
        return issue_user_sig(key, sdk_app_id=SDK_APP_ID, user_id=USER_ID, now=NOW, ttl=TTL)

    theirs, ours = [], []
    for _ in range(_TIMES):
        theirs.append(_seconds_a_signature(openssl))
        ours.append(min(take_turns({"ours": user_sig}, rounds=50)["ours"]))
    version = subprocess.run([openssl, "version"], capture_output=True, text=True, check=True)
    peer = f"openssl speed ecdsap256 ({' '.join(version.stdout.split()[:2])})"
    least, its = min(ours), min(theirs)
    return [
        Figure(
            "userSig, ECDSA P-256",
            least * MICROSECONDS,
            peer,
            its * MICROSECONDS,
            "us",
            least / its,
        )
    ]


def _seconds_a_signature(openssl: str) -> float:
    done = subprocess.run([openssl, *_SPEED], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        if line.startswith(_RESULT):
            return 1 / float(line.split(":")[3])
    raise BenchError("openssl speed said nothing of ecdsap256.")
