"""Explain a ticket, intact or broken: its fields, and a verdict in Tencent's codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.tickets import verify
from chalicelib.tickets.errors import BadMember, TicketRefused
from chalicelib.tickets.repair import examine
from chalicelib.tickets.ticket import PRIVATE_MAP_KEY, USER_SIG, read_userbuf
from chalicelib.tickets.userbuf import MEMBER as USERBUF
from chalicelib.trtc.codes import CODES
from chalicelib.trtc.privileges import names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.tickets.codec import VerifyingKey
    from chalicelib.tickets.repair import Reading
    from chalicelib.tickets.ticket import Ticket
    from chalicelib.tickets.userbuf import Userbuf
    from chalicelib.trtc.identifiers import Room

_SHOWN_MAX: Final = 40
_NUMBER_LIMIT: Final = 10**15
_NAMES: Final = {
    "TLS.identifier": "userId",
    "TLS.sdk_appid": "sdkAppId",
    "TLS.sdkappid": "sdkAppId",
    "TLS.time": "issuedAt",
    "TLS.expire_after": "ttl",
    "TLS.expire": "ttl",
}
_DECIMAL: Final = re.compile(r"[0-9]{1,10}")
_PLAIN: Final = re.compile(r"[+/=]")
_PLAIN_NOTE: Final = (
    "It is written in plain base64, not in Tencent's alphabet (* - _ for + / =): put into a query"
    " string as it is, its + becomes a space, and the ticket unreadable."
)
_UNCHECKED_NOTE: Final = "Its signature was not checked: there was no key to check it with."


class Check(NamedTuple):
    """The result of one check.

    ``passed`` is None if there was nothing to compare with; ``note`` is a sentence, or empty.
    """

    name: str
    passed: bool | None
    note: str = ""


class Verdict(NamedTuple):
    """Tencent's answer to a ticket and its cause, as in `Explanation`."""

    code: int
    name: str
    cause: str


class Explanation(NamedTuple):
    """The contents of a ticket, and what is wrong with it.

    Attributes:
        kind: ``userSig``, ``privateMapKey``, or None if it can't be recognised.
        fields: its contents, by the names of Roomgate's API; not to be trusted.
        code: Tencent's code, 0 if nothing is wrong.
        name: the code's name, as in `trtc.codes`.
        cause: the likely cause, in a sentence or two.
        key_id: the key that signed it, if it is one of those given.
        checks: all checks in order; the first that failed gives the code.
    """

    kind: str | None
    fields: dict[str, Any]
    code: int
    name: str
    cause: str
    key_id: str | None
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """Tencent's answer and its cause."""
        return Verdict(self.code, self.name, self.cause)


def explain(
    ticket: object,
    keys: Iterable[VerifyingKey] = (),
    *,
    now: int,
    kind: str | None = None,
    sdk_app_id: int | None = None,
    user_id: str | None = None,
    room: Room | None = None,
) -> Explanation:
    """Explain a ticket; never raises, whatever the ticket is, and never repeats its text.

    Args:
        ticket: its text, or anything else.
        keys: the application's keys; without any, the signature stays unchecked.
        now: unix seconds.
        kind: ``userSig`` or ``privateMapKey``, if one of them is expected.
        sdk_app_id: the application it should belong to, if known.
        user_id: the user it should belong to, if known.
        room: the room it should open, if known.
    """
    text = _text(ticket)
    reading = examine(text)
    actual_kind = _kind(reading)
    outcomes = [_form(reading, text)]
    if reading.ticket is not None:
        expected = _Expected(tuple(keys), now, kind, sdk_app_id, user_id, room)
        outcomes += _outcomes(reading.ticket, expected)
    failure = next((outcome.failure for outcome in outcomes if outcome.failure), None)
    code = _code(failure, kind or actual_kind)
    return Explanation(
        kind=actual_kind,
        fields=_fields(reading),
        code=code,
        name=CODES[code].name,
        cause=str(failure) if failure else _cause_of_success(outcomes),
        key_id=next((outcome.key_id for outcome in outcomes if outcome.key_id), None),
        checks=tuple(outcome.check for outcome in outcomes),
    )


class _Expected(NamedTuple):
    keys: tuple[VerifyingKey, ...]
    now: int
    kind: str | None
    sdk_app_id: int | None
    user_id: str | None
    room: Room | None


class _Outcome(NamedTuple):
    check: Check
    failure: TicketRefused | None = None
    key_id: str | None = None


def _text(ticket: object) -> str:
    if isinstance(ticket, bytes | bytearray):
        return ticket.decode("latin-1")
    return ticket if isinstance(ticket, str) else ""


def _kind(reading: Reading) -> str | None:
    if reading.ticket is not None:
        return reading.ticket.kind
    if not reading.members:
        return None
    return PRIVATE_MAP_KEY if USERBUF in reading.members else USER_SIG


def _form(reading: Reading, text: str) -> _Outcome:
    if reading.fault is not None:
        return _Outcome(Check("form", passed=False, note=str(reading.fault)), reading.fault)
    return _Outcome(Check("form", passed=True, note=_PLAIN_NOTE if _PLAIN.search(text) else ""))


def _outcomes(ticket: Ticket, expected: _Expected) -> Iterator[_Outcome]:
    """Run all checks for which there is something to compare with.

    The application comes first, because a ticket of another one fails its signature check as well.
    """
    keys, now, kind, sdk_app_id, user_id, room = expected
    userbuf = ticket.userbuf
    is_kind = kind in {USER_SIG, PRIVATE_MAP_KEY}
    yield _try("kind", verify.check_kind, ticket, kind) if is_kind else _skip("kind")
    yield (
        _skip("application")
        if sdk_app_id is None
        else _try("application", verify.check_application, ticket, sdk_app_id)
    )
    yield _check_signature(ticket, keys)
    yield _skip("user") if user_id is None else _try("user", verify.check_user, ticket, user_id)
    if userbuf is not None:
        yield _try("userbuf", verify.check_consistency, ticket, userbuf)
        yield _skip("room") if room is None else _try("room", verify.check_room, userbuf, room)
        yield _try("privileges", verify.check_enter, userbuf)
    yield _try("time", verify.check_time, ticket, now)


def _check_signature(ticket: Ticket, keys: tuple[VerifyingKey, ...]) -> _Outcome:
    if not keys:
        return _Outcome(Check("signature", passed=None, note=_UNCHECKED_NOTE))
    try:
        key = verify.check_signature(ticket, keys)
    except TicketRefused as failure:
        return _Outcome(Check("signature", passed=False, note=str(failure)), failure)
    return _Outcome(Check("signature", passed=True), key_id=key.key_id)


def _try(name: str, check: Callable[..., object], *arguments: object) -> _Outcome:
    try:
        check(*arguments)
    except TicketRefused as failure:
        return _Outcome(Check(name, passed=False, note=str(failure)), failure)
    return _Outcome(Check(name, passed=True))


def _skip(name: str) -> _Outcome:
    return _Outcome(Check(name, passed=None))


def _code(failure: TicketRefused | None, kind: str | None) -> int:
    if failure is None:
        return 0
    if kind == PRIVATE_MAP_KEY:
        return failure.private_map_key_code
    return failure.user_sig_code


def _cause_of_success(outcomes: list[_Outcome]) -> str:
    notes = [outcome.check.note for outcome in outcomes if outcome.check.note]
    return " ".join(["Nothing is wrong with the ticket.", *notes])


def _fields(reading: Reading) -> dict[str, Any]:
    ticket = reading.ticket
    if ticket is None:
        return _loose_fields(reading.members)
    fields = {
        "algorithm": ticket.algorithm,
        "sdkAppId": ticket.sdk_app_id,
        "userId": ticket.user_id,
        "issuedAt": ticket.issued_at,
        "ttl": ticket.ttl,
        "endsAt": ticket.ends_at,
    }
    return fields | (_userbuf_fields(ticket.userbuf) if ticket.userbuf else {})


def _userbuf_fields(userbuf: Userbuf) -> dict[str, Any]:
    return {
        userbuf.room.field: userbuf.room,
        "privileges": userbuf.privileges,
        "privilegeNames": names_of(userbuf.privileges),
    }


def _loose_fields(members: dict[str, Any]) -> dict[str, Any]:
    """Show the members of a broken ticket: numbers as such, and short texts, escaped."""
    fields = {
        _NAMES[name]: _shown(_NAMES[name], value)
        for name, value in members.items()
        if name in _NAMES and isinstance(value, int | str)
    }
    try:
        userbuf = read_userbuf(members.get(USERBUF))
    except BadMember:
        userbuf = None
    return fields | (_userbuf_fields(userbuf) if userbuf else {})


def _shown(name: str, value: int | str) -> int | str:
    if isinstance(value, int):
        return value if abs(value) < _NUMBER_LIMIT else "a number with too many digits"
    if name != "userId" and _DECIMAL.fullmatch(value):
        return int(value)
    return ascii(value)[1:-1][:_SHOWN_MAX]
