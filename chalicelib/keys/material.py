"""What an application's secret holds: a key, or the id of one that lives in KMS.

UnusableKey        (a StoreDown) the stored key or setting is not one that Roomgate can use
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib.stores.store import UnusableKey
from chalicelib.tickets import BadKey, load_key

if TYPE_CHECKING:
    from chalicelib.keys.kms import KmsKeys
    from chalicelib.tickets import SigningKey


class KeyReader:
    """Reads keys from the values of secrets; knows KMS from the first key on that lives there."""

    def __init__(self) -> None:
        self._kms: KmsKeys | None = None

    def read(self, value: str, name: str) -> SigningKey:
        """The key that a secret's value gives.

        Args:
            value: ``{"algorithm", "key"}``, or ``{"algorithm": "ECDSA-SHA256", "kmsKeyId"}``.
            name: of the secret, for errors.

        Raises:
            UnusableKey: it gives none that can sign tickets.
            StoreDown: KMS can't be asked for it now.
        """
        try:
            found = json.loads(value)
            algorithm, kms_key_id = found["algorithm"], found.get("kmsKeyId")
            if kms_key_id is None:
                return load_key(algorithm, found["key"])
        except BadKey as error:
            raise UnusableKey(name, f"a key that can't be used: {error}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise UnusableKey(name, "neither {algorithm, key} nor {algorithm, kmsKeyId}") from None
        if "key" in found:
            raise UnusableKey(name, "both a key and a kmsKeyId: which one signs?")
        key = self._from_kms(kms_key_id)
        if key.algorithm != algorithm:
            raise UnusableKey(name, f"a key in KMS signs with {key.algorithm} only")
        return key

    def _from_kms(self, kms_key_id: object) -> SigningKey:
        if self._kms is None:
            # Here and not above: it needs boto3, which few installations' issuers import at all.
            from chalicelib.keys.kms import KmsKeys  # noqa: PLC0415

            self._kms = KmsKeys()
        return self._kms.key(kms_key_id)
