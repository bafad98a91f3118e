"""``roomgate analytics report``: one page, with the numbers that the queries give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bench.lake_rows import Life, write_lake
from chalicelib.trtc.identifiers import parse_room
from roomgate.analytics.lake import lake
from tests.support.browser import browser, chromium
from tests.support.lake_rows import MORNING, step, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.roomgate.conftest import Cli
    from tests.support.browser import Browser

DAY = ("--since", "2026-03-02", "--until", "2026-03-03")
PHONE, DESKTOP = (390, 844), (1280, 900)
NEEDS_BROWSER = "no Chromium is installed (apt-get install chromium)"


def written(cli: Cli, folder: Path, *words: str) -> str:
    """The page of a lake."""
    into = folder / "report.html"
    facts = cli.done(
        "analytics", "report", "--folder", str(folder), "--output", str(into), *(words or DAY)
    )
    text = into.read_text()
    assert facts["bytes"] == len(text.encode())
    return text


def test_the_page_has_every_picture_and_every_number(cli: Cli, tmp_path: Path) -> None:
    """Tables hold what the queries answer; nothing of it needs a script."""
    write_rows(MORNING, tmp_path)
    text = written(cli, tmp_path)
    assert "Rooms, 2 March 2026" in text
    assert "<b>3</b><small>at 02 Mar 10:01 UTC</small>" in text
    assert text.count("<svg ") == 8
    assert len(re.findall(r'aria-label="[^"]+"', text)) == 8
    assert '<td>witnessed</td><td class="number">2</td>' in text
    assert "<td>10:00</td>" not in text  # Times are whole: a day stands with them.
    assert '<td>2026-03-02 10:00</td><td class="number">3</td><td class="number">5</td>' in text


def test_the_numbers_at_the_top_are_those_of_the_whole_time(cli: Cli, tmp_path: Path) -> None:
    """Of three days, the middle one of which had a morning; eve is back after two minutes."""
    write_rows([*MORNING, step("10:14:10", "8", 42, "eve", "listed")], tmp_path)
    text = written(cli, tmp_path, "--since", "2026-03-01", "--until", "2026-03-04")
    tile = r'<div class="tile"><span>(.*?)</span><b>(.*?)</b><small>(.*?)</small>'
    assert re.findall(tile, text) == [
        ("Peak concurrency", "3", "at 02 Mar 10:01 UTC"),
        ("Joins", "5", "5 sessions ended"),
        ("Median session", "10 min", "half last longer"),
        ("Median life of a room", "30 min", "3 emptied"),
        ("Flaps", "20.0%", "of leaves, back within 30 s"),
        ("By lease", "20.0%", "of leaves, nothing was heard"),
    ]


def test_a_folded_table_keeps_the_peaks(cli: Cli, tmp_path: Path) -> None:
    """The minutes of three days are too many; of each 22 there is the largest number."""
    write_rows(MORNING, tmp_path)
    text = written(cli, tmp_path, "--since", "2026-03-01", "--until", "2026-03-04")
    assert '<td>2026-03-02 09:44</td><td class="number">3</td>' in text  # Two at 09:44, before bob.
    assert '<td>2026-03-02 10:06</td><td class="number">2</td>' in text


def test_lengths_of_sessions_are_shown_from_the_first_to_the_last(cli: Cli, tmp_path: Path) -> None:
    """The picture leaves out those at both ends that no session had, and no other."""
    write_rows(MORNING, tmp_path)
    picture = written(cli, tmp_path).partition('aria-label="How long sessions last"')[2]
    words = re.findall(r"<text[^>]*>([^<]*)</text>", picture.partition("</svg>")[0])
    assert [word for word in words if " to " in word] == [
        "60 s to 2 min",
        "2 min to 5 min",
        "5 min to 10 min",
        "10 min to 20 min",
        "20 min to 30 min",
        "30 min to 60 min",
        "60 min to 2 h",
    ]


def test_a_session_of_weeks_is_in_the_picture(cli: Cli, tmp_path: Path) -> None:
    """Named by how long it is at least."""
    came, went = (f"2026-03-{day}T12:00:00" for day in ("02", "20"))
    write_rows([step(came, "7", 1, "ann", "listed"), step(went, "7", 2, "ann", "left")], tmp_path)
    text = written(cli, tmp_path, "--since", "2026-03-01", "--until", "2026-03-21")
    assert ">10 d or longer<" in text


def test_days_on_which_users_return_are_those_of_the_report(cli: Cli, tmp_path: Path) -> None:
    """They begin when its own do, whenever it ends, and four weeks before that."""
    rows = [
        step(f"2026-{day}T{at}", f"{place}", 1, "ann", "listed")
        for place, (day, at) in enumerate(
            [
                ("02-02", "12:00:00"),
                ("02-03", "12:00:00"),
                ("03-01", "23:00:00"),
                ("03-02", "01:00:00"),
            ]
        )
    ]
    write_rows(rows, tmp_path)
    text = written(cli, tmp_path, "--since", "2026-03-02", "--until", "2026-03-02T15:30:45")
    table = text.partition("Who comes back on another day")[2]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert [row[:3] for row in cells] == [
        ["2026-02-03", "1", "0"],
        ["2026-03-01", "1", ""],
        ["2026-03-02", "1", ""],
    ]


def test_the_page_refers_to_nothing_outside_itself(cli: Cli, tmp_path: Path) -> None:
    """No script, no font, no picture from elsewhere; and its own policy forbids them."""
    write_rows(MORNING, tmp_path)
    text = written(cli, tmp_path)
    assert "<script" not in text
    assert "@import" not in text
    references = re.findall(r"(?:src|href)=[\"']([^\"']*)|url\(([^)]*)\)", text)
    outside = [one or other for one, other in references if not (one or other).startswith("#")]
    assert outside == ["data:,"]
    assert "default-src 'none'" in text
    assert not re.search(r"https?://", text)


def test_the_pictures_have_the_colours_of_the_page(cli: Cli, tmp_path: Path) -> None:
    """Light or dark is the page's affair; no picture says a colour."""
    write_rows(MORNING, tmp_path)
    text = written(cli, tmp_path)
    pictures = text[text.index("<main") :]
    assert not re.search(r"#[0-9a-f]{6}\b", pictures)
    assert set(re.findall(r"var\(--(\w+)\)", pictures)) >= {"ink", "muted", "grid", "first"}


def test_the_same_rows_give_the_same_page(cli: Cli, tmp_path: Path) -> None:
    """To the byte, so that two reports can be compared."""
    write_rows(MORNING, tmp_path)
    assert written(cli, tmp_path) == written(cli, tmp_path)


def test_a_room_is_shown_by_its_name_whatever_that_is(cli: Cli, tmp_path: Path) -> None:
    """What is no plain text to HTML, SVG or matplotlib is shown as it is."""
    names = ("<b>&", "$x^2$ {a}", "a" * 60)
    rooms = [
        *(parse_room(name).key for name in names),
        "会议室",
    ]  # The last one is no room's key at all.
    rows = [step("10:00:00", room, 1, "ann", "listed") for room in rooms]
    write_rows(rows, tmp_path)
    text = written(cli, tmp_path)
    assert "<b>&" not in text
    for shown in ("&lt;b&gt;&amp;", "$x^2$ {a}", "会议室"):
        assert text.count(shown) >= 2  # In the picture and in the table.
    assert f">{'a' * 17}…<" in text
    assert f"<td>{'a' * 60}</td>" in text


def test_a_time_with_joins_alone_has_a_page_too(cli: Cli, tmp_path: Path) -> None:
    """No session has ended, nobody has left: there is less to show, and nothing breaks."""
    write_rows(MORNING[:2], tmp_path)
    text = written(cli, tmp_path)
    assert "<b>2</b>" in text
    assert "Nobody left." in text


def test_a_day_on_which_nobody_moves_has_a_page_too(cli: Cli, tmp_path: Path) -> None:
    """Who came before is inside. Of no leaves there is no share, of some without a lease 0."""
    write_rows(MORNING[:3], tmp_path)
    text = written(cli, tmp_path, "--since", "2026-03-03", "--until", "2026-03-04")
    assert "<b>1</b><small>at 03 Mar 00:00 UTC</small>" in text
    assert "<span>By lease</span><b>-</b>" in text
    assert "<span>By lease</span><b>0.0%</b>" in written(cli, tmp_path)


def test_an_empty_lake_has_a_page_that_says_so(cli: Cli, tmp_path: Path) -> None:
    """Without files, and without rows in the time that is asked about."""
    text = written(cli, tmp_path)
    assert "No rows" in text
    assert "roomgate analytics sync" in text
    assert "<svg" not in text
    write_rows(MORNING, tmp_path)
    assert "No rows" in written(cli, tmp_path, "--since", "2026-01-01", "--until", "2026-01-02")


def test_the_page_names_what_was_left_out(cli: Cli, tmp_path: Path) -> None:
    """Broken files, and rows of a newer version, as the command does."""
    write_rows([*MORNING[1:], MORNING[0]._replace(v=2)], tmp_path)
    (tmp_path / "rows" / "note <1>.txt").write_text("hello")
    text = written(cli, tmp_path)
    assert "<li>rows/note &lt;1&gt;.txt is not in a folder dt=YYYY-MM-DD/hour=HH" in text
    assert "<li>1 row(s) are of a newer version" in text


def test_a_report_of_years_is_refused(cli: Cli, tmp_path: Path) -> None:
    """A picture of more than a season shows nothing; and time runs forwards."""
    words = ("--folder", str(tmp_path), "--since", "2025-01-01", "--until", "2026-01-01")
    assert "92 days" in cli.misused("analytics", "report", *words)
    words = ("--folder", str(tmp_path), "--since", "2026-01-02", "--until", "2026-01-01")
    assert "before --until" in cli.misused("analytics", "report", *words)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(NEEDS_BROWSER)
    with browser(path, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def lifelike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of some days."""
    folder = tmp_path_factory.mktemp("lake")
    with lake(folder) as maker:
        write_lake(maker.connection, Life(1_793_577_600_000, days=3, rooms=60), folder)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "pictures"), [(PHONE, 6), (DESKTOP, 6)])
def test_a_browser_shows_the_page(
    cli: Cli,
    chrome: Browser,
    lifelike: Path,
    shape: tuple[int, int],
    pictures: int,
    scheme: str,
) -> None:
    """On a phone and on a desk, light and dark: it fits, asks for nothing, complains of nothing."""
    written(cli, lifelike, "--since", "2026-11-02", "--until", "2026-11-05")
    seen = chrome.look(lifelike / "report.html", *shape, scheme)
    assert seen.complaints == []
    assert seen.requests == [(lifelike / "report.html").as_uri()]
    measures: dict[str, Any] = seen.measures
    assert measures["window"] == shape[0]
    assert (measures["beyond"], measures["out"]) == (0, [])
    assert measures["pictures"] == pictures
    assert "Peak concurrency" in measures["text"]
    light, dark = _brightness(measures["paper"]), _brightness(measures["ink"])
    assert (light - dark > 500) if scheme == "light" else (dark - light > 500)
    assert seen.picture.startswith(b"\x89PNG")


def _brightness(colour: str) -> int:
    """The sum of a colour's three parts."""
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
