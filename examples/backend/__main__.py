"""``python -m backend``: serves the example on this machine; see README.md for another server."""

from __future__ import annotations

import logging
import os
import signal
import sys

from werkzeug.serving import make_server

from .app import application
from .settings import SettingsWrong, settings_of

_HOST = "127.0.0.1"
_log = logging.getLogger("backend")


def main() -> int:
    """Serve until Ctrl-C or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = settings_of(os.environ)
        port = int(os.environ.get("PORT", "8000"))
        server = make_server(_HOST, port, application(settings), threaded=True)
    except (SettingsWrong, ValueError) as error:
        print(f"The backend can't start.\n{error}", file=sys.stderr)  # noqa: T201 (a command)
        return 1
    if settings.demo_login:
        _log.warning("The demo login is on: anyone may be anyone. For local use only.")
    if settings.weapp:
        _log.warning("The /weapp routes are on: anyone may enter any room as anyone.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"The backend listens on http://{_HOST}:{server.port}", flush=True)  # noqa: T201
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
