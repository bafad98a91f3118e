"""An application's settings and signing key, or the ApiError that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chalicelib.errors import ApiError
from chalicelib.stores.store import NotInStore, StoreDown, UnusableKey

if TYPE_CHECKING:
    from chalicelib.keys.applications import Application, Applications
    from chalicelib.stores.store import StoreError

RETRY_SECONDS: Final = 5


def application_of(applications: Applications, sdk_app_id: int) -> Application:
    """An application's settings and signing key.

    Raises:
        ApiError: ``unknown-application``, ``no-signing-key`` or ``store-unavailable``.
    """
    try:
        return applications.get(sdk_app_id)
    except NotInStore as error:
        if error.name == applications.names.key(sdk_app_id):
            raise _no_key(sdk_app_id) from None
        detail = f"Application {sdk_app_id} is not set up here (roomgate apps add)."
        raise ApiError("unknown-application", detail) from None
    except StoreDown as error:
        raise refuse_key(error, sdk_app_id) from None


def refuse_key(error: StoreError, sdk_app_id: int) -> ApiError:
    """The error for a key that can't be read, or that KMS does not sign with."""
    return _no_key(sdk_app_id) if isinstance(error, UnusableKey) else refuse_store_down(error)


def _no_key(sdk_app_id: int) -> ApiError:
    detail = f"Application {sdk_app_id} has no key that can sign (roomgate keys import)."
    return ApiError("no-signing-key", detail, retry_after=RETRY_SECONDS)


def refuse_store_down(_error: StoreError) -> ApiError:
    """The error while a store is down and nothing usable is cached."""
    detail = "Keys and settings can't be read at the moment; try again."
    return ApiError("store-unavailable", detail, retry_after=RETRY_SECONDS)
