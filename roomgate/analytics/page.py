"""HTML of the report: one file, no script, nothing from the network; light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# The policy holds the page to that: a script or a reference that slipped in would not run or load.
_HEAD: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
"""

_STYLE: Final = """\
:root {
  color-scheme: light dark;
  --paper: #f4f6f8; --card: #ffffff; --line: #e3e8ee; --ink: #17202c; --muted: #5b6675;
  --grid: #e1e6ec; --first: #2f6fde; --second: #d9730d; --third: #11835c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10151c; --card: #19212b; --line: #2a3440; --ink: #e8edf3; --muted: #9aa7b6;
    --grid: #303b48; --first: #6ea3ff; --second: #f2a154; --third: #4cc79a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 40px; }
header { margin: 8px 0 20px; }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 0; }
h2 { font-size: 1.05rem; margin: 0; }
p { margin: 4px 0 0; }
header p, .card > p, .tile span, .tile small { color: var(--muted); }
.card > p { font-size: .88rem; }
.tiles, .cards { display: grid; gap: 16px; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
.cards { grid-template-columns: minmax(0, 1fr); }
.card, .tile {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px;
  min-width: 0; overflow-wrap: anywhere;
}
.tile span, .tile small { display: block; font-size: .82rem; }
.tile b { display: block; font-size: 1.7rem; line-height: 1.25; font-weight: 650; }
svg { display: block; width: 100%; height: auto; margin-top: 10px; }
svg text { font-family: inherit !important; }
svg.on-desktop { display: none; }
details { margin-top: 10px; font-size: .88rem; }
summary { cursor: pointer; color: var(--muted); }
summary:focus-visible { outline: 2px solid var(--first); outline-offset: 3px; border-radius: 4px; }
.scroll { overflow: auto; max-height: 420px; margin-top: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px 4px 0; text-align: left; white-space: nowrap; }
td { border-top: 1px solid var(--line); }
th { color: var(--muted); font-weight: 500; }
th.number, td.number { text-align: right; }
pre { overflow: auto; background: var(--paper); padding: 12px; border-radius: 8px; }
@media (min-width: 860px) {
  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .wide { grid-column: 1 / -1; }
  svg.on-desktop { display: block; }
  svg.on-phone { display: none; }
}
"""


def page_of(title: str, under: str, parts: Sequence[str]) -> str:
    """The page.

    Args:
        title: its title.
        under: stands under it.
        parts: HTML, one after the other.
    """
    head = f"{_HEAD}<title>{escape(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
    top = f"<header><h1>{escape(title)}</h1><p>{escape(under)}</p></header>\n"
    body = "\n".join(parts)
    return (
        f'{head}<body><main>\n{top}<div class="cards">\n{body}\n</div>\n</main></body>\n</html>\n'
    )


def tiles(facts: Sequence[tuple[str, str, str]]) -> str:
    """Single numbers: what it is, the number, and what to know of it."""
    each = "".join(
        f'<div class="tile"><span>{escape(what)}</span><b>{escape(number)}</b>'
        f"<small>{escape(note)}</small></div>"
        for what, number, note in facts
    )
    return f'<div class="tiles wide">{each}</div>'


def card(
    title: str,
    told: str,
    pictures: Sequence[str],
    numbers: str,
    *,
    wide: bool = False,
    opened: bool = False,
) -> str:
    """A picture with its numbers.

    Args:
        title: what it shows.
        told: a sentence or two on how to read it.
        pictures: SVG: one; or one for wide screens and one for narrow ones; or none.
        numbers: HTML of tables.
        wide: whether it takes all of a screen's width.
        opened: whether the numbers show at once.
    """
    drawn = "".join(pictures)
    if len(pictures) > 1:
        classes = ("on-desktop", "on-phone")
        drawn = "".join(
            svg.replace("<svg ", f'<svg class="{name}" ', 1)
            for svg, name in zip(pictures, classes, strict=True)
        )
    state = " open" if opened else ""
    told_numbers = f"<details{state}><summary>The numbers</summary>{numbers}</details>"
    return (
        f'<section class="card{" wide" if wide else ""}"><h2>{escape(title)}</h2>'
        f"<p>{escape(told)}</p>{drawn}{told_numbers if numbers else ''}</section>"
    )


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> str:
    """A table of texts; columns of numbers stand to the right."""
    marks = [' class="number"' if each else "" for each in numeric]
    top = "".join(f"<th{mark}>{escape(name)}</th>" for name, mark in zip(head, marks, strict=True))
    lines = (
        "".join(f"<td{mark}>{escape(cell)}</td>" for cell, mark in zip(row, marks, strict=True))
        for row in rows
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
