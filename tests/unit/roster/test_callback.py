from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import ApiError, InvalidRequest
from chalicelib.roster.callback import Callback, parse_callback, signal_of
from chalicelib.roster.signal import Cause, Kind, Signal, Source
from chalicelib.trtc.identifiers import parse_room
from tests.support.signing import KNOWN_BODY

MS = 1_664_209_748_180
SENT = 1_664_209_748_188
RECEIVED = SENT + 150
INFO = {
    "RoomId": 12345,
    "EventTs": MS // 1000,
    "EventMsTs": MS,
    "UserId": "anna",
    "Role": 20,
    "TerminalType": 2,
    "UserType": 3,
    "Reason": 1,
}


def body(info: Any = INFO, **changes: Any) -> bytes:
    value = {"EventGroupId": 1, "EventType": 103, "CallbackTs": SENT, "EventInfo": info}
    return json.dumps(
        {name: each for name, each in (value | changes).items() if each != "-"}
    ).encode()


def info(**changes: Any) -> dict[str, Any]:
    return {name: each for name, each in (INFO | changes).items() if each != "-"}


def test_tencents_example_is_read() -> None:
    """Its tabs and line feeds stay in the text that is kept."""
    assert parse_callback(KNOWN_BODY) == Callback(
        event_group=2,
        event_type=204,
        sent=SENT,
        t=MS,
        room=parse_room(8489),
        user="user_85034614",
        role=None,
        reason=0,
        raw=KNOWN_BODY.decode(),
    )


@pytest.mark.parametrize(("event_type", "kind"), [(103, Kind.ENTERED), (104, Kind.LEFT)])
def test_who_enters_and_who_leaves_is_a_signal(event_type: int, kind: Kind) -> None:
    """By Tencent's word, dated at EventMsTs."""
    callback = parse_callback(body(EventType=event_type))
    assert signal_of(callback, RECEIVED) == Signal(kind, Source.TENCENT, "anna", MS, RECEIVED)


@pytest.mark.parametrize(("event_type", "kind"), [(101, Kind.CREATED), (102, Kind.DISMISSED)])
def test_what_happens_to_a_room_is_about_nobody(event_type: int, kind: Kind) -> None:
    """Whoever it names; it may name nobody."""
    expected = Signal(kind, Source.TENCENT, "", MS, RECEIVED)
    assert signal_of(parse_callback(body(EventType=event_type)), RECEIVED) == expected
    nobody = body(EventType=event_type, info=info(UserId=None))
    assert signal_of(parse_callback(nobody), RECEIVED) == expected


@pytest.mark.parametrize(
    ("event_type", "reason", "cause"),
    [
        (103, 1, None),
        (103, 2, Cause.RECONNECTED),
        (103, 3, Cause.RECONNECTED),
        (103, 4, None),
        (104, 1, None),
        (104, 2, Cause.TIMED_OUT),
        (104, 3, Cause.REMOVED),
        (104, 4, None),
        (104, 5, Cause.REMOVED),
        (105, None, None),
    ],
)
def test_reasons_mean_different_things_in_different_events(
    event_type: int, reason: int | None, cause: Cause | None
) -> None:
    """A network switch is no second entry, and who was put out did not just leave."""
    signal = signal_of(
        parse_callback(body(EventType=event_type, info=info(Reason=reason))), RECEIVED
    )
    assert signal is not None
    assert signal.cause is cause
    assert signal.kind is (Kind.LEFT if event_type == 104 else Kind.ENTERED)


@pytest.mark.parametrize(("group", "event_type"), [(1, 106), (2, 103), (2, 101), (9, 1)])
def test_other_events_are_read_and_say_nothing_of_who_is_there(group: int, event_type: int) -> None:
    """Those of today and those to come: none is refused."""
    callback = parse_callback(body(EventGroupId=group, EventType=event_type, More=[1]))
    assert (callback.event_group, callback.event_type) == (group, event_type)
    assert json.loads(callback.raw)["More"] == [1]
    assert signal_of(callback, RECEIVED) is None


@pytest.mark.parametrize(
    ("room", "read"),
    [
        (123, 123),
        ("123", "123"),
        ("a b#c", "a b#c"),
        (2**32 - 1, 2**32 - 1),
        (0, None),
        (2**32, None),
        ("", None),
        ("x" * 65, None),
        ("é", None),
        (True, None),
        (1.5, None),
        (None, None),
        ([1], None),
        ("-", None),
    ],
)
def test_a_room_is_a_number_or_a_string(room: Any, read: int | str | None) -> None:
    """123 and "123" are different rooms; what no room can be called is none, and not refused."""
    callback = parse_callback(body(info(RoomId=room)))
    assert callback.room == read
    assert type(callback.room) is type(None if read is None else parse_room(read))
    assert (signal_of(callback, RECEIVED) is None) == (read is None)


@pytest.mark.parametrize("user", ["", "a b", "x" * 33, "a\nb", 7, None, {}, "-"])
def test_a_user_that_there_cannot_be_is_none(user: Any) -> None:
    """The callback is kept all the same, and says nothing of who is there."""
    callback = parse_callback(body(info(UserId=user)))
    assert callback.user is None
    assert signal_of(callback, RECEIVED) is None


@pytest.mark.parametrize(
    ("changes", "t"),
    [
        ({"EventMsTs": "-"}, MS // 1000 * 1000),
        ({"EventMsTs": 0}, MS // 1000 * 1000),
        ({"EventMsTs": "1"}, MS // 1000 * 1000),
        ({"EventMsTs": -1}, MS // 1000 * 1000),
        ({"EventMsTs": 10**13}, MS // 1000 * 1000),
        ({"EventMsTs": 10**13 - 1}, 10**13 - 1),
        ({"EventMsTs": "-", "EventTs": "-"}, SENT),
        ({"EventMsTs": "-", "EventTs": 10**10}, SENT),
        ({"EventMsTs": True, "EventTs": 1.5}, SENT),
    ],
)
def test_it_is_dated_by_the_best_that_it_says(changes: dict[str, Any], t: int) -> None:
    """EventMsTs, else EventTs, else when it was sent; never what is no time."""
    assert parse_callback(body(info(**changes))).t == t


def test_it_is_the_same_one_when_it_is_sent_again() -> None:
    """Only CallbackTs may differ; another user's, moment's or type's is another one."""
    first = parse_callback(body())
    assert first.identity == (MS, 103, "anna")
    assert parse_callback(body(CallbackTs=SENT + 10_000)).identity == first.identity
    others = [
        body(EventType=104),
        body(info(UserId="berta")),
        body(info(EventMsTs=MS + 1)),
        body(info(UserId="-")),
    ]
    assert len({first.identity, *(parse_callback(each).identity for each in others)}) == 5


def test_what_is_about_nobody_is_told_apart_by_what_it_says() -> None:
    """A room may see two such things in one ms, and neither may be taken for the other's repeat."""
    nobody = info(UserId="-")
    first = parse_callback(body(nobody))
    assert parse_callback(body(nobody, CallbackTs=SENT + 10_000)).identity == first.identity
    assert parse_callback(body(info(UserId="-", Reason=7))).identity != first.identity


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"NaN", b'{"EventGroupId": NaN}', b"[" * 100_000, b"1" * 5000]
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """As malformed, with nothing of its text."""
    with pytest.raises(ApiError, match="malformed-json"):
        parse_callback(raw)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        (b"[]", ["#"]),
        (b"null", ["#"]),
        (b"{}", ["#/EventGroupId", "#/EventType", "#/CallbackTs", "#/EventInfo"]),
        (body(EventGroupId="1"), ["#/EventGroupId"]),
        (body(EventType=103.0), ["#/EventType"]),
        (body(EventType=True), ["#/EventType"]),
        (body(EventType=10**9), ["#/EventType"]),
        (body(EventType=-1), ["#/EventType"]),
        (body(CallbackTs="-"), ["#/CallbackTs"]),
        (body(CallbackTs=0), ["#/CallbackTs"]),
        (body(CallbackTs=10**13), ["#/CallbackTs"]),
        (body(CallbackTs=10**400), ["#/CallbackTs"]),
        (body([]), ["#/EventInfo"]),
        (body(EventInfo="-"), ["#/EventInfo"]),
    ],
)
def test_what_lacks_what_each_callback_has_is_none(raw: bytes, places: list[str]) -> None:
    """Each want is named by its place."""
    with pytest.raises(InvalidRequest) as caught:
        parse_callback(raw)
    assert [wrong.place for wrong in caught.value.errors] == places


NAMES = st.sampled_from(
    ["EventGroupId", "EventType", "CallbackTs", "EventInfo", *INFO, "EventTs", "Payload"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([1, 103, 104, SENT, MS]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=20,
)


def read_or_refused(raw: bytes) -> Callback | str:
    try:
        return parse_callback(raw)
    except ApiError as refusal:
        return refusal.code


@given(
    st.binary()
    | st.dictionaries(NAMES, VALUES).map(lambda value: json.dumps(value).encode())
    | st.dictionaries(NAMES, VALUES).map(body)
    | st.dictionaries(NAMES, VALUES).map(lambda changes: body(info(**changes)))
)
def test_whatever_the_bytes_they_are_a_callback_or_refused(raw: bytes) -> None:
    """No other exception; and of what is read the text is kept."""
    callback = read_or_refused(raw)
    if isinstance(callback, str):
        assert callback in {"malformed-json", "invalid-request"}
        return
    assert callback.raw.encode() == raw
    assert 0 < callback.t < 10**13
    signal_of(callback, RECEIVED)
