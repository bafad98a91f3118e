"""Keys that live in KMS: they sign there, and only their public half is ever here.

Imported where a secret names such a key, and nowhere else: it needs boto3.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from chalicelib.stores.store import GARBLED, StoreDown, UnusableKey, aws_settings
from chalicelib.tickets import BadKey, load_public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.tickets import EcdsaPublicKey

TIMEOUT_SECONDS: Final = 2.0
"""Of one attempt of two; an entry needs two signatures, and the function has 20 s."""

# An id or an ARN names one key for good. An alias can be pointed at another key at any time, which
# would be a rotation that nobody tested, so aliases are refused.
KMS_KEY_ID: Final = re.compile(
    r"(arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/)?(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
# What waiting does not help against: an operator has to mend the key, its tag or the role.
_UNUSABLE: Final = {
    "AccessDeniedException",
    "DisabledException",
    "InvalidArnException",
    "InvalidKeyUsageException",
    "KMSInvalidStateException",
    "NotFoundException",
    "UnsupportedOperationException",
    "ValidationException",
}


class KmsKey:
    """An ECDSA key in KMS, for v1 tickets; verifying needs no KMS.

    Args:
        client: of KMS.
        kms_key_id: its id or ARN.
        public: its public half.
    """

    def __init__(self, client: Any, kms_key_id: str, public: EcdsaPublicKey) -> None:
        self._client = client
        self._kms_key_id = kms_key_id
        self.algorithm = public.algorithm
        self.curve = public.curve
        self.key_id = public.key_id
        self.public_pem = public.public_pem
        self.verify = public.verify

    def __repr__(self) -> str:
        """Name the key."""
        return f"KmsKey({self.algorithm}, {self.key_id}, {self._kms_key_id})"

    def sign(self, content: bytes) -> bytes:
        """Have KMS sign the content, and return its DER signature as it comes.

        Raises:
            StoreDown: KMS does not answer, or refuses; UnusableKey where it always would.
        """
        # RAW: KMS hashes the content itself and takes up to 4096 bytes of it; ours has under 300.
        answer = _asked(
            self._kms_key_id,
            self._client.sign,
            KeyId=self._kms_key_id,
            Message=content,
            MessageType="RAW",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        return _bytes(self._kms_key_id, answer, "Signature")


class KmsKeys:
    """The KMS of this account and region; each key's public half is read once."""

    def __init__(self) -> None:
        config = aws_settings(TIMEOUT_SECONDS)
        self._client = boto3.session.Session().client("kms", config=config)
        self._known: dict[str, KmsKey] = {}

    def key(self, kms_key_id: object) -> KmsKey:
        """A key of KMS.

        Raises:
            UnusableKey: it is no key for signing on P-256 or secp256k1, or not to be used.
            StoreDown: KMS does not answer.
        """
        if not isinstance(kms_key_id, str) or not KMS_KEY_ID.fullmatch(kms_key_id):
            raise UnusableKey("kms", "a kmsKeyId that is no key's id or ARN (an alias is none)")
        if kms_key_id not in self._known:
            self._known[kms_key_id] = self._read(kms_key_id)
        return self._known[kms_key_id]

    def _read(self, kms_key_id: str) -> KmsKey:
        found = _asked(kms_key_id, self._client.get_public_key, KeyId=kms_key_id)
        if found.get("KeyUsage") != "SIGN_VERIFY":
            raise UnusableKey(kms_key_id, "a key of KMS that is not for signing")
        body = base64.encodebytes(_bytes(kms_key_id, found, "PublicKey")).decode()
        try:
            public = load_public_key(
                f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n"
            )
        except BadKey:
            raise UnusableKey(kms_key_id, "a key of KMS that signs no tickets") from None
        return KmsKey(self._client, kms_key_id, public)


def _asked(kms_key_id: str, call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error without a code")
        kind = UnusableKey if code in _UNUSABLE else StoreDown
        raise kind(kms_key_id, code) from None
    except (BotoCoreError, ResponseParserError, *GARBLED) as error:
        raise StoreDown(kms_key_id, type(error).__name__) from None
    return answer


def _bytes(kms_key_id: str, answer: dict[str, Any], member: str) -> bytes:
    value = answer.get(member)
    if not isinstance(value, bytes) or not value:
        raise StoreDown(kms_key_id, f"an answer without {member}")
    return value
