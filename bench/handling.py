"""Handling a report of a large room, without the store: against reading its JSON, and no more."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

from bench.figures import BenchError
from bench.rounds import figure, take_turns
from chalicelib.api.bodies import parse_body
from chalicelib.api.webhook import REPORT_REQUEST, ReportRequest
from chalicelib.roster.fold import fold
from chalicelib.roster.head import Head, Lease
from chalicelib.roster.known import Known, Needs
from chalicelib.roster.members import Member
from chalicelib.roster.signal import Source
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.userlist import parse_pushed
from chalicelib.roster.view import set_hash
from chalicelib.schema import decode
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import DeltaBase, Report, report_item
from simulation.stored import PLAYURL, REF, openid
from simulation.truth import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.figures import Figure
    from bench.material import Material
    from chalicelib.roster.fold import Folded

ROUNDS: Final = 151
MEMBERS: Final = 1000
BOUND: Final = 4.0
VERSION: Final = 5
MOST: Final = 5001
NOW: Final = START + 1000
_READ: Final = "json.loads of the body"
_READ_TWICE: Final = "json.loads of body and message"
_LIST: Final = "a report of 1000, decoded list"
_EVENT: Final = "a report of 1000, push event"
_ITEM: Final = "decoded list, and its item is made"
_NEWS: Final = "decoded list with a join, and its item"


class _Handling:
    """One report and its room: all that the webhook does but for the calls of the store."""

    def __init__(self, pushed: dict[str, Any], known: list[str]) -> None:
        self.body = json.dumps({"seq": 1, "ageMs": 40} | pushed).encode()
        self._members = {user: Member(START, user, Source.CLIENT) for user in known}
        self._head = Head(
            version=VERSION,
            revision=VERSION,
            hash=set_hash(known),
            size=len(known),
            lease=Lease(START),
        )
        keys = self._members.keys
        self._beside = DeltaBase(VERSION, self._head.hash, (), keys)
        self._place = ReporterKey(*REF, known[0])

    def fold(self) -> Folded:
        """Decode it, check ids and playurls, hash, fold it."""
        return self._fold(self._report())

    def pack_and_fold(self) -> Folded:
        """Likewise, and make the item that would be stored."""
        report = self._report()
        report_item(report, START, self._beside)
        return self._fold(report)

    def _report(self) -> Report:
        request = decode(REPORT_REQUEST, parse_body(self.body))
        assert isinstance(request, ReportRequest)
        assert request.pushed is not True
        view = parse_pushed(request.pushed, self._place.user_id)
        return Report(self._place, START, request.seq, NOW, request.age, Source.CLIENT, view)

    def _fold(self, report: Report) -> Folded:
        known = Known()
        while isinstance(
            folded := fold(self._head, report.signal, known, now=NOW, most=MOST), Needs
        ):
            known = known._replace(members=self._members, past=())
        return folded


def handling_figures(_material: Material) -> list[Figure]:
    """Reports of one room, each against reading the same JSON."""
    users = [openid(f"user{number}") for number in range(MEMBERS)]
    userlist = [{"userid": user, "playurl": PLAYURL + user} for user in users[1:]]
    random.Random(1).shuffle(userlist)  # noqa: S311 (an order that is nobody's)
    message = json.dumps({"userlist": userlist})
    plain = _Handling({"userlist": userlist}, users)
    event = _Handling({"event": {"code": 1020, "message": message}}, users)
    news = _Handling({"userlist": userlist}, users[:-1])
    _check({plain: Outcome.UNCHANGED, event: Outcome.UNCHANGED, news: Outcome.APPLIED})
    read: dict[str, Callable[[], object]] = {
        _READ: lambda: json.loads(plain.body),
        _READ_TWICE: lambda: json.loads(json.loads(event.body)["event"]["message"]),
    }
    ours = {
        _LIST: plain.fold,
        _EVENT: event.fold,
        _ITEM: plain.pack_and_fold,
        _NEWS: news.pack_and_fold,
    }
    series = take_turns({**read, **ours}, ROUNDS)
    return [
        figure(series, _LIST, _READ, BOUND),
        figure(series, _EVENT, _READ_TWICE, BOUND),
        figure(series, _ITEM, _READ),
        figure(series, _NEWS, _READ),
    ]


def _check(expected: dict[_Handling, Outcome]) -> None:
    """Refuse to measure how fast something else is done."""
    for handle, outcome in expected.items():
        found = handle.fold().outcome
        if found != outcome:
            raise BenchError(f"a report was {found}, not {outcome}.")
