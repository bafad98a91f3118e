from __future__ import annotations

from bench.figures import Figure, all_met, table

MET = Figure("userSig", 30.0, "bare sign", 20.0, "us", 1.5, bound=1.9)
MISSED = Figure("entry", 300.0, "bare sign", 20.0, "us", 15.0, bound=12)
SHOWN = Figure("webhook.zip", 0.1, "Lambda's limit", 50.0, "MB", 0.002)


def test_a_ratio_at_its_bound_is_met() -> None:
    """Bounds are "at most"."""
    assert MET._replace(ratio=1.9).met


def test_one_missed_bound_makes_the_run_fail() -> None:
    """The exit status depends on every figure that has a bound."""
    assert not all_met([MET, MISSED, SHOWN])


def test_what_is_only_shown_never_fails_a_run() -> None:
    """A figure without a bound is for the reader."""
    assert all_met([MET, SHOWN._replace(ratio=99.0)])


def test_the_table_says_what_was_measured_against_what_and_whether_it_is_met() -> None:
    """One row holds: what, measured, peer, the peer's own figure, ratio, bound, verdict."""
    row = next(line for line in table([MET, MISSED, SHOWN]).splitlines() if "entry" in line)
    assert " ".join(row.split()) == "entry 300.00 us bare sign 20.00 us 15.00 12 MISSED"


def test_every_row_of_the_table_ends_at_the_same_column() -> None:
    """Columns line up, so that numbers can be compared by eye."""
    lines = table([MET, MISSED]).splitlines()
    assert len({line.index(" us ") for line in lines[1:]}) == 1
