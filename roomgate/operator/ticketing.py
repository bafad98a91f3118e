"""What ``roomgate ticket`` does: offline with keys alone, or through the deployed issuer.

Both answer with the same members, those of the issuer's API.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from chalicelib.stores.settings import DAY
from chalicelib.tickets import (
    PRIVATE_MAP_KEY,
    USER_SIG,
    StringRoomNeedsHmac,
    TicketRefused,
    Unsignable,
    explain,
    issue_private_map_key,
    issue_user_sig,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.trtc import names_of, rtc_url
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.tickets import SigningKey, VerifyingKey
    from chalicelib.trtc import Room
    from roomgate.operator.api import Api


class TicketSource(NamedTuple):
    """Whom a ticket is for; a part that is None is not known.

    Attributes:
        sdk_app_id: the application.
        user_id: the user.
        room: the room.
    """

    sdk_app_id: int | None
    user_id: str | None
    room: Room | None

    def members(self) -> dict[str, Any]:
        """The parts that are known, as the API names them."""
        parts = {"sdkAppId": self.sdk_app_id, "userId": self.user_id}
        named = {name: value for name, value in parts.items() if value is not None}
        return named if self.room is None else {**named, self.room.field: self.room}


def issue_offline(key: SigningKey, place: TicketSource, privileges: int, ttl: int | None) -> Any:
    """What the issuer would answer, as far as a key alone can.

    Args:
        key: that signs.
        place: for whom; without a room a userSig alone.
        privileges: as bits.
        ttl: seconds, a day by default.

    Raises:
        OperatorError: a string room, and a key that can't sign for one.
    """
    lasting = ttl or DAY
    now = int(time.time())
    who: dict[str, Any] = {"sdk_app_id": place.sdk_app_id, "user_id": place.user_id}
    facts = {**place.members(), "keyId": key.key_id}
    try:
        user_sig = issue_user_sig(key, **who, now=now, ttl=lasting)
        if place.room is None:
            return {**facts, "userSig": user_sig, "expiresAt": now + lasting}
        private_map_key = issue_private_map_key(
            key, **who, room=place.room, privileges=privileges, now=now, ttl=lasting
        )
    except StringRoomNeedsHmac:
        raise OperatorError(
            "String rooms need an HMAC-SHA256 key: tickets of an ECDSA key know numeric rooms "
            "only. Use --room, or the application's HMAC secret."
        ) from None
    except Unsignable as error:
        raise click.UsageError(f"--{error.field} {error.reason}.") from None
    tickets: dict[str, Any] = {"user_sig": user_sig, "private_map_key": private_map_key}
    return {
        **facts,
        "privileges": names_of(privileges),
        "userSig": user_sig,
        "userSigExpiresAt": now + lasting,
        "privateMapKey": private_map_key,
        "privateMapKeyExpiresAt": now + lasting,
        "rtcUrl": rtc_url(**who, room=place.room, **tickets),
    }


def issue_through(
    api: Api, place: TicketSource, privileges: int, ttl: int | None
) -> dict[str, Any]:
    """What the issuer answers: a userSig, or with a room an entry; raises OperatorError."""
    body = place.members()
    if place.room is None:
        return api.post("/v1/user-sigs", body | ({"ttl": ttl} if ttl else {}))
    body["privileges"] = names_of(privileges)
    ttls = {"userSigTtl": ttl, "privateMapKeyTtl": ttl} if ttl else {}
    return api.post("/v1/entries", body | ttls)


def inspect_offline(text: str, keys: Sequence[VerifyingKey], place: TicketSource) -> dict[str, Any]:
    """What a ticket says and what is wrong with it, in the form of the issuer's inspections."""
    found = explain(text, keys, now=int(time.time()), **place._asdict())
    return {
        "kind": found.kind,
        "fields": found.fields,
        "verdict": {"code": found.code, "name": found.name, "cause": found.cause},
        "keyId": found.key_id,
        "checks": [check._asdict() for check in found.checks],
    }


def inspect_through(
    api: Api, text: str, place: TicketSource, kind: str | None = None
) -> dict[str, Any]:
    """The issuer's inspection; raises OperatorError.

    Args:
        api: of the issuer.
        text: the ticket.
        place: for whom it should be.
        kind: ``userSig`` or ``privateMapKey`` if it should be that.
    """
    body = {"ticket": text, **place.members()}
    return api.post("/v1/inspections", body | ({"kind": kind} if kind else {}))


def verify_offline(text: str, keys: Sequence[VerifyingKey], place: TicketSource) -> dict[str, Any]:
    """What a ticket grants; raises OperatorError where it does not hold."""
    who: dict[str, Any] = {"sdk_app_id": place.sdk_app_id, "user_id": place.user_id}
    now = int(time.time())
    try:
        if place.room is None:
            sig = verify_user_sig(text, keys, **who, now=now)
            return _granted(USER_SIG, sig.key_id, sig.ends_at)
        grant = verify_private_map_key(text, keys, **who, room=place.room, now=now)
    except TicketRefused as refused:
        is_sig = place.room is None
        code = refused.user_sig_code if is_sig else refused.private_map_key_code
        raise _does_not_hold(code, str(refused)) from None
    privileges = names_of(grant.privileges)
    return _granted(PRIVATE_MAP_KEY, grant.key_id, grant.ends_at, privileges)


def verify_through(api: Api, text: str, place: TicketSource) -> dict[str, Any]:
    """What a ticket grants, by the issuer's inspection; raises OperatorError."""
    kind = USER_SIG if place.room is None else PRIVATE_MAP_KEY
    found = inspect_through(api, text, place, kind)
    verdict, fields = found["verdict"], found["fields"]
    if verdict["code"] != 0 or not found["keyId"]:
        raise _does_not_hold(verdict["code"], verdict["cause"])
    return _granted(kind, found["keyId"], fields["endsAt"], fields.get("privilegeNames"))


def _granted(
    kind: str, key_id: str, ends_at: int, privileges: list[str] | None = None
) -> dict[str, Any]:
    facts: dict[str, Any] = {"holds": True, "kind": kind, "keyId": key_id, "endsAt": ends_at}
    return facts | ({"privileges": privileges} if privileges else {})


def _does_not_hold(code: int, cause: str) -> OperatorError:
    return OperatorError(f"The ticket does not hold (Tencent's {code}): {cause}")
