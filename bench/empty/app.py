"""An empty Chalice app: what INIT of the issuer is held against."""

from __future__ import annotations

from chalice.app import Chalice

app = Chalice(app_name="empty")


@app.route("/")
def index() -> dict[str, str]:
    """Answer something."""
    return {"status": "ok"}
