"""The report: one page of HTML with the lake's pictures and, without any script, its numbers."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import TYPE_CHECKING, Any, Final

from chalicelib.stream.row import VERSION
from chalicelib.trtc.identifiers import parse_room_key
from roomgate.analytics import plots
from roomgate.analytics.answers import cells, is_numeric
from roomgate.analytics.lake import Table
from roomgate.analytics.page import card, page_of, table_of, tiles
from roomgate.analytics.sql import DAY, for_duckdb, query
from roomgate.commands.output import span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roomgate.analytics.lake import Lake
    from roomgate.analytics.sql import Value
    from roomgate.commands.output import Output

_ASKED: Final = (
    "peak_concurrency",
    "concurrency",
    "joins_leaves",
    "session_durations",
    "session_histogram",
    "busiest_rooms",
    "room_lifetimes",
    "evidence",
    "rejoins",
    "returns",
)
_POINTS: Final = 720
"""About as many as a screen has room for."""
_ROWS: Final = 200
"""Of a table in the page; more are folded into longer spans of time."""
_ROOMS: Final = 10
_RETURN_DAYS: Final = 28


def page(output: Output, lake: Lake, values: Mapping[str, Value]) -> str:
    """The whole page.

    Args:
        output: shows how far it is.
        lake: what is asked.
        values: the queries' parameters.

    Raises:
        BadSql: a query fails.
    """
    since, until = int(values["since"]), int(values["until"])
    app = f", application {values['app']}" if values["app"] else ""
    title = f"Rooms, {_range(since, until)}"
    under = f"{_moment(since)} to {_moment(until)} UTC{app}"
    got = _asked(output, lake, values) if lake.files else {}
    parts = _parts(got) if got and _has_rows(got) else [_NOTHING]
    return page_of(title, under, [*parts, *_notes(lake)])


_NOTHING: Final = """\
<section class="card wide"><h2>No rows</h2>
<p>The lake on this machine holds no row of this time. Copy what is new, or
choose another time:</p>
<pre>roomgate analytics sync
roomgate analytics report --since 2026-11-01 --until 2026-12-01</pre></section>"""


def _asked(output: Output, lake: Lake, values: Mapping[str, Value]) -> dict[str, Table]:
    """Every answer, by the query's name."""
    since, until = int(values["since"]), int(values["until"])
    # The report's own days, and as many before them as show who comes back.
    more = max(0, _RETURN_DAYS + (since - until) // DAY)
    longer = dict(values) | {"since": since - more * DAY}
    got = {}
    with output.progress("Asking", len(_ASKED)) as reached:
        for place, name in enumerate(_ASKED, 1):
            chosen = longer if name == "returns" else values
            lake.run(for_duckdb(query(name).bound(chosen, until)))
            got[name] = lake.result()
            reached(place)
    return got


def _has_rows(got: Mapping[str, Table]) -> bool:
    return any(row["users"] for row in got["peak_concurrency"].dicts()) or any(
        row["joins"] or row["leaves"] for row in got["joins_leaves"].dicts()
    )


def _parts(got: Mapping[str, Table]) -> list[str]:
    return [
        _at_a_glance(got),
        _concurrency(got),
        _comings(got),
        _durations(got),
        _rooms(got),
        _evidence(got),
        _lag(got),
        _rejoins(got),
        _returns(got),
    ]


def _at_a_glance(got: Mapping[str, Table]) -> str:
    peak = max(got["peak_concurrency"].dicts(), key=lambda row: int(row["users"]))
    (sessions,) = got["session_durations"].dicts()
    (lives,) = got["room_lifetimes"].dicts()
    all_leaves = next(row for row in got["rejoins"].dicts() if row["reason"] == "all")
    joins = sum(row["joins"] for row in got["joins_leaves"].dicts())
    shares = {row["evidence"]: row["share"] for row in got["evidence"].dicts()}
    lease = shares.get("lease", 0.0) if shares else None
    return tiles(
        [
            ("Peak concurrency", f"{peak['users']:,}", f"at {peak['peak_at']:%d %b %H:%M} UTC"),
            ("Joins", f"{joins:,}", f"{sessions['sessions']:,} sessions ended"),
            ("Median session", _seconds(sessions["p50_s"]), "half last longer"),
            ("Median life of a room", _seconds(lives["p50_s"]), f"{lives['lives']:,} emptied"),
            ("Flaps", _percent(all_leaves["flap_share"]), "of leaves, back within 30 s"),
            ("By lease", _percent(lease), "of leaves, nothing was heard"),
        ]
    )


def _concurrency(got: Mapping[str, Table]) -> str:
    title = "Users inside at once"
    table = got["concurrency"]
    minutes = [(row["minute"], row["users_most"]) for row in table.dicts()]
    folded = _folded(minutes, _POINTS)
    times, users = [each[0] for each in folded], [each[1] for each in folded]
    pictures = [
        plots.over_time(f"concurrency-{size}", title, times, users, wide=size == "wide")
        for size in ("wide", "narrow")
    ]
    numbers = Table(("from", "users_most"), list(_folded(minutes, _ROWS)))
    told = "The most at one moment, by the time of day (UTC). A user in two rooms counts twice."
    return card(title, told, pictures, _shown(numbers), wide=True)


def _comings(got: Mapping[str, Table]) -> str:
    title = "Joins and leaves"
    rows = got["joins_leaves"].dicts()
    every = -(-len(rows) // _ROWS)
    groups = [rows[start : start + every] for start in range(0, len(rows), every)]
    times = [group[0]["hour"] for group in groups]
    joins = [sum(row["joins"] for row in group) for group in groups]
    leaves = [sum(row["leaves"] for row in group) for group in groups]
    series = (("joins", joins), ("leaves", leaves))
    pictures = [
        plots.up_and_down(f"comings-{size}", title, times, series, wide=size == "wide")
        for size in ("wide", "narrow")
    ]
    numbers = Table(("from", "joins", "leaves"), list(zip(times, joins, leaves, strict=True)))
    told = f"In each {span(3600 * every) if every > 1 else 'hour'} (UTC)."
    return card(title, told, pictures, _shown(numbers), wide=True)


def _durations(got: Mapping[str, Table]) -> str:
    title = "How long sessions last"
    rows = _without_empty_ends(got["session_histogram"].dicts())
    labels = [_bin(row["from_s"], row["to_s"]) for row in rows]
    picture = plots.bars("durations", title, labels, [row["sessions"] for row in rows])
    (percentiles,) = got["session_durations"].dicts()
    told = (
        f"Sessions by their length. Half last at most {_seconds(percentiles['p50_s'])}, a tenth "
        f"longer than {_seconds(percentiles['p90_s'])}."
    )
    both = _shown(got["session_histogram"]) + _shown(_upright(got["session_durations"]))
    return card(title, told, [picture], both)


def _rooms(got: Mapping[str, Table]) -> str:
    title = "Busiest rooms"
    rows = got["busiest_rooms"].dicts()
    names = [_room(row["room"]) for row in rows]
    picture = plots.bars(
        "rooms", title, names[:_ROOMS], [row["users_most"] for row in rows[:_ROOMS]]
    )
    columns = got["busiest_rooms"].columns
    numbers = Table(
        ("name", *columns), [(n, *r) for n, r in zip(names, got["busiest_rooms"].rows, strict=True)]
    )
    return card(title, "By the most users inside at once.", [picture], _shown(numbers))


def _evidence(got: Mapping[str, Table]) -> str:
    title = "By what leaves are believed"
    rows = got["evidence"].dicts()
    if not rows:
        return card(title, "Nobody left.", [], "")
    picture = plots.bars(
        "evidence",
        title,
        [row["evidence"] for row in rows],
        [row["share"] for row in rows],
        percent=True,
    )
    told = (
        "A share of all leaves. Callbacks and users' own words are the best evidence; a lease only "
        "says that nothing was heard of the room any more."
    )
    return card(title, told, [picture], _shown(got["evidence"]))


def _lag(got: Mapping[str, Table]) -> str:
    title = "How late leaves are recorded"
    rows = got["evidence"].dicts()
    if not rows:
        return ""
    spans = [(row["lag_p50_ms"], row["lag_p90_ms"], row["lag_p99_ms"]) for row in rows]
    picture = plots.lags("lag", title, [row["evidence"] for row in rows], spans)
    columns = ("evidence", "lag_p50_ms", "lag_p90_ms", "lag_p99_ms", "lag_most_ms")
    numbers = Table(columns, [tuple(row[name] for name in columns) for row in rows])
    return card(
        title,
        "From the moment of a leave until it stands in the table.",
        [picture],
        _shown(numbers),
    )


def _rejoins(got: Mapping[str, Table]) -> str:
    title = "Who goes and soon comes back"
    told = (
        "Leaves that the same user follows with a join in the same room: within 5 minutes a "
        "rejoin, within 30 seconds a flap."
    )
    return card(title, told, [], _shown(got["rejoins"]), opened=True)


def _returns(got: Mapping[str, Table]) -> str:
    title = "Who comes back on another day"
    table = got["returns"]
    told = (
        "Of the users who joined on one day: those who joined on the next, and on the 7th after it."
    )
    return card(title, told, [], _shown(table), opened=len(table.rows) <= _ROOMS)


def _notes(lake: Lake) -> list[str]:
    """What of the lake is left out, and what is newer than we are."""
    said = [f"{escape(path)} {escape(reason)}; it is left out." for path, reason in lake.skipped]
    if lake.newer:
        said.append(
            f"{lake.newer:,} row(s) are of a newer version of the schema than {VERSION}; they are "
            "counted as if they were of that one."
        )
    if not said:
        return []
    items = "".join(f"<li>{each}</li>" for each in said)
    return [f'<section class="card wide"><h2>Notes</h2><ul>{items}</ul></section>']


def _shown(table: Table) -> str:
    numeric = [is_numeric(table, place) for place in range(len(table.columns))]
    return table_of(table.columns, cells(table), numeric)


def _folded(points: Sequence[tuple[dt.datetime, int]], most: int) -> list[tuple[dt.datetime, int]]:
    """No more points than that: of each few that follow each other the largest number."""
    every = -(-len(points) // most)
    groups = (points[start : start + every] for start in range(0, len(points), every))
    return [(group[0][0], max(users for _, users in group)) for group in groups]


def _without_empty_ends(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows from the first length that a session had to the last one."""
    held = [place for place, row in enumerate(rows) if row["sessions"]]
    return rows[held[0] : held[-1] + 1] if held else rows


def _upright(table: Table) -> Table:
    """A single row as two columns."""
    return Table(("what", "value"), list(zip(table.columns, table.rows[0], strict=True)))


def _room(key: str) -> str:
    """A room by its name; a numeric one by its number."""
    try:
        return str(parse_room_key(key))
    except ValueError:
        return key


def _bin(from_s: int, to_s: int | None) -> str:
    if to_s is None:
        return f"{span(from_s)} or longer"
    return f"{span(from_s)} to {span(to_s)}" if from_s else f"under {span(to_s)}"


def _seconds(seconds: Any) -> str:
    return "-" if seconds is None else span(seconds)


def _percent(share: Any) -> str:
    return "-" if share is None else f"{share:.1%}"


def _moment(seconds: int) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M}"


def _range(since: int, until: int) -> str:
    first = dt.datetime.fromtimestamp(since, dt.UTC)
    last = dt.datetime.fromtimestamp(until - 1, dt.UTC)
    days = [f"{day.day} {day:%B %Y}" for day in (first, last)]
    return days[0] if days[0] == days[1] else " to ".join(days)
