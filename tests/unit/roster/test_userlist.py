from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import ApiError, InvalidRequest
from chalicelib.roster.userlist import (
    MOST_LEFT_OUT,
    MOST_USERS,
    ListTooLarge,
    _careful_others,
    _in_body,
    _plain_others,
    parse_pushed,
)
from chalicelib.roster.view import View, set_hash, view_of
from chalicelib.trtc.identifiers import USER_ID_PATTERN
from tests.support.lists import PREFIX, plain_view, push_event, userlist, views

BERTA = {"userid": "berta", "playurl": PREFIX + "berta"}


def event(message: object, code: object = 1020) -> dict[str, Any]:
    """A push event, right or wrong."""
    return {"code": code, "message": message}


def faults(pushed: dict[str, Any] | list[Any], reporter: str = "anna") -> dict[str, str]:
    """What is said to be wrong, by place; of several faults at one place the last."""
    with pytest.raises(InvalidRequest) as caught:
        parse_pushed(pushed, reporter)
    return {wrong.place: wrong.detail for wrong in caught.value.errors}


def test_the_event_of_tencents_document_is_read() -> None:
    """The message that Tencent's document shows becomes a view, with its playurls."""
    message = """
    {
        "userlist": [
            {
                "userid": "webrtc11",
                "playurl": "room://183.3.225.15:1935/webrtc/1400037025_107688_webrtc11"
            },
            {
                "userid": "webrtc12",
                "playurl": "room://183.3.225.15:1935/webrtc/1400037025_107688_webrtc12"
            }
        ]
    }
    """
    others = {"webrtc11": PREFIX + "webrtc11", "webrtc12": PREFIX + "webrtc12"}
    assert view_of("webrtc98", others) == parse_pushed(event(message), "webrtc98")


@given(views())
def test_event_and_decoded_list_say_the_same(view: View) -> None:
    """A client may send the event as it came or the list it decoded: the view is one."""
    assert view == parse_pushed(push_event(view), view.reporter)
    assert view == parse_pushed(userlist(view), view.reporter)


@pytest.mark.parametrize("pushed", [[], event('{"userlist":[]}')])
def test_an_empty_list_is_the_reporter_alone(pushed: Any) -> None:
    """The first one in a room reports an empty list."""
    assert view_of("anna", {}) == parse_pushed(pushed, "anna")


def test_what_tencent_may_add_is_ignored() -> None:
    """Unknown members of the event, the message and the entries change nothing."""
    entry: dict[str, Any] = {**BERTA, "volume": 3, "hasVideo": None, "": {"userid": []}}
    pushed = {**event(json.dumps({"userlist": [entry], "seq": 9})), "timeStamp": 12.5}
    assert view_of("anna", {"berta": PREFIX + "berta"}) == parse_pushed(pushed, "anna")


def test_an_empty_playurl_is_none() -> None:
    """A client that knows no playurl may leave it out or send it empty."""
    view = parse_pushed([{"userid": "berta", "playurl": ""}, {"userid": "carla"}], "anna")
    assert view.others == {"berta": None, "carla": None}


def test_of_a_member_named_twice_in_the_message_the_last_counts() -> None:
    """The message is read as the mini-program's JSON.parse reads it."""
    message = '{"userlist":[],"userlist":[{"userid":"x","userid":"berta"}]}'
    assert view_of("anna", {"berta": None}) == parse_pushed(event(message), "anna")


@pytest.mark.parametrize("code", [1018, 1021, 0, -1307, "1020", 1020.0, True, None, 10**30])
def test_other_events_are_refused(code: object) -> None:
    """Only event 1020 carries the whole list."""
    assert "must be 1020" in faults(event('{"userlist":[]}', code))["#/event/code"]


@pytest.mark.parametrize("code", [1031, 1032])
def test_events_that_carry_a_change_are_told_what_to_send(code: int) -> None:
    """A client that gets 1031 and 1032 learns that it sends the decoded list."""
    detail = faults(event('{"userlist":[]}', code))["#/event/code"]
    assert str(code) in detail
    assert "decoded, as userlist" in detail


def test_an_event_without_code_or_message_is_refused() -> None:
    """What is missing is named."""
    assert list(faults({"message": '{"userlist":[]}'})) == ["#/event/code"]
    assert faults({"code": 1020}) == {"#/event/message": "is missing"}


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ({"userlist": []}, "must be a string"),
        (None, "must be a string"),
        (b"{}", "must be a string"),
        ("", "does not hold JSON"),
        ("{", "does not hold JSON"),
        ('{"userlist":[]} x', "does not hold JSON"),
        ('{"userlist":NaN}', "does not hold JSON"),
        ("[" * 100_000, "does not hold JSON"),
        ("9" * 5000, "does not hold JSON"),
        ("[]", "the array userlist"),
        ("null", "the array userlist"),
        ("{}", "the array userlist"),
        ('{"userlist":{}}', "the array userlist"),
        ('{"userlist":null}', "the array userlist"),
        ('{"userList":[]}', "the array userlist"),
    ],
)
def test_a_message_without_a_list_is_refused(message: object, detail: str) -> None:
    """The message is a string, that string is JSON, and that JSON holds the list."""
    assert detail in faults(event(message))["#/event/message"]


@pytest.mark.parametrize(
    ("entry", "place", "detail"),
    [
        (None, "", "object"),
        ([], "", "object"),
        ("berta", "", "object"),
        (["userid"], "", "object"),
        ({}, "/userid", "is missing"),
        ({"userId": "berta"}, "/userid", "is missing"),
        ({"userid": ""}, "/userid", "empty"),
        ({"userid": 7}, "/userid", "string"),
        ({"userid": None}, "/userid", "string"),
        ({"userid": {"a": 1}}, "/userid", "string"),
        ({"userid": "anna"}, "/userid", "reporter itself"),
        ({"userid": "carla"}, "/userid", "twice"),
        ({"userid": "berta", "playurl": None}, "/playurl", "string"),
        ({"userid": "berta", "playurl": 1}, "/playurl", "string"),
        ({"userid": "berta", "playurl": ["x"]}, "/playurl", "string"),
        ({"userid": "berta", "playurl": "x" * 513}, "/playurl", "at most 512"),
        ({"userid": "berta", "playurl": "a\nb"}, "/playurl", "control character"),
        ({"userid": "berta", "playurl": "a\x00b"}, "/playurl", "control character"),
        ({"userid": "berta", "playurl": "a\x7fb"}, "/playurl", "control character"),
        ({"userid": "berta", "playurl": "a\x85b"}, "/playurl", "control character"),
        ({"userid": "berta", "playurl": "a\udfffb"}, "/playurl", "surrogate"),
    ],
)
def test_a_bad_entry_is_named_by_its_place(entry: object, place: str, detail: str) -> None:
    """A fault in a list points to the entry and the member, in both forms of a report."""
    entries = [{"userid": "carla"}, entry]
    found = faults(entries)
    assert list(found) == [f"#/userlist/1{place}"]
    assert detail in found[f"#/userlist/1{place}"]
    in_event = faults(event(json.dumps({"userlist": entries})))
    assert in_event["#/event/message"].startswith(f"userlist/1{place} ")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("小明", "小明"),
        ("bärta", "bärta"),
        ("ber ta", "ber ta"),
        ("b" * 33, "b" * 33),
        ("b" * 99, "b" * 64),
        ("berta\nTLS.identifier:anna", "berta\nTLS.identifier:anna"),
        ("berta\n", "berta\n"),
        ("\ud800", "?"),
    ],
)
def test_a_name_that_could_not_be_signed_is_left_out_and_told(name: str, told: str) -> None:
    """Such names do get into rooms; a list that holds one tells of all others in the room."""
    for pushed in (
        [{"userid": "carla"}, {"userid": name, "playurl": 1}],
        event(json.dumps({"userlist": [{"userid": "carla"}, {"userid": name}]})),
    ):
        view = parse_pushed(pushed, "anna")
        assert view == view_of("anna", {"carla": None}, (told,))
        assert view.hash == set_hash(["anna", "carla"])


def test_of_names_that_are_left_out_a_few_are_told() -> None:
    """An answer stays small."""
    view = parse_pushed([{"userid": f"user {number}"} for number in range(1000)], "anna")
    assert (view.members, len(view.left_out)) == (1, MOST_LEFT_OUT)


def test_faults_are_many_but_not_all_shown() -> None:
    """Of thousands of wrong entries twenty are named."""
    assert len(faults([{}] * 1000)) == 20


def test_a_fault_never_repeats_what_was_sent() -> None:
    """Texts for callers and logs hold no characters of the caller's choice."""
    found = faults([{"userid": "<script>"}, {"userid": "b", "playurl": "<script>\x00"}])
    assert not any("<script>" in detail for detail in found.values())


def test_a_list_of_5_000_is_read_and_of_5_001_is_not() -> None:
    """The bound is on the list; the reporter comes on top."""
    users = [{"userid": f"u{number}"} for number in range(MOST_USERS + 1)]
    assert parse_pushed(users[:-1], "anna").members == MOST_USERS + 1
    for pushed in (users, event(json.dumps({"userlist": users}))):
        with pytest.raises(ListTooLarge) as caught:
            parse_pushed(pushed, "anna")
        assert caught.value.code == "list-too-large"


entries: st.SearchStrategy[list[Any]] = st.lists(
    st.fixed_dictionaries(
        {"userid": st.sampled_from(["a", "b-_9", "a\nb", "", "x" * 32, "x" * 33, "é", 1])},
        optional={
            "playurl": st.sampled_from(
                ["", "room://a", "a\tb", "é", "x" * 512, "x" * 513, "\ud800", None, 5, "\x7f"]
            )
        },
    )
    | st.sampled_from([{}, None, [], "userid"]),
    max_size=4,
)


@given(entries)
def test_the_quick_pass_never_takes_what_the_careful_one_refuses(listed: list[Any]) -> None:
    """Where the pass over all users at once gives an answer, it is the careful one's."""
    quick = _plain_others(listed)
    if quick is not None:
        assert (quick, ()) == _careful_others(listed, "anna", _in_body)


def test_an_ordinary_list_takes_the_quick_pass() -> None:
    """A room of 1,000 as Tencent describes it is read in a few passes."""
    view = plain_view(1000)
    assert view.others == _plain_others(userlist(view))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "message", "userlist", "userid", "playurl"]), inner
            )
        ),
    )
)
def test_whatever_json_comes_it_is_read_or_refused(value: Any) -> None:
    """No JSON makes the parser fail in another way than by saying no."""
    pushed = value if isinstance(value, (dict, list)) else event(json.dumps(value))
    try:
        view = parse_pushed(pushed, "anna")
    except ApiError:
        return
    assert all(re.fullmatch(USER_ID_PATTERN, user) for user in view.others)
    assert "anna" not in view.others
