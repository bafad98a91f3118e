"""How large each function's zip is, on the target that AWS runs and on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench import bundles
from bench.figures import Figure
from infra.layout import MEGABYTE
from infra.package import target

if TYPE_CHECKING:
    from infra.package.bundle import Bundle

# AWS Lambda docs, "Lambda quotas": a zip that is uploaded directly.
_LAMBDA_LIMIT: Final = 50
_ISSUER_LIMIT: Final = 6


def size_figures() -> list[Figure]:
    """One figure for each function and target; the issuer's has a bound."""
    targets = (target.aws(), target.local())
    return [
        _figure(f"{bundle.function.name}.zip, {each.runtime} {each.architecture}", bundle)
        for each in targets
        for bundle in bundles.bundles(each)
    ]


def _figure(what: str, bundle: Bundle) -> Figure:
    size = bundle.zip.stat().st_size / MEGABYTE
    if bundle.function.name == "issuer":
        return Figure(what, size, "its limit", _ISSUER_LIMIT, "MB", size / _ISSUER_LIMIT, 1)
    return Figure(what, size, "Lambda's limit", _LAMBDA_LIMIT, "MB", size / _LAMBDA_LIMIT)
