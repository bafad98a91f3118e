from __future__ import annotations

import pytest

from infra.deploy.deployment import check_days
from infra.layout import InfraError


@pytest.mark.parametrize(
    "chosen",
    [{}, {"ReportDays": "45"}, {"HistoryDays": "14"}, {"ReportDays": "30", "HistoryDays": "60"}],
)
def test_days_that_go_together_are_taken(chosen: dict[str, str]) -> None:
    """A report can be read as long as it is kept."""
    check_days(chosen)


@pytest.mark.parametrize(
    "chosen", [{"ReportDays": "46"}, {"HistoryDays": "13"}, {"ReportDays": "8", "HistoryDays": "8"}]
)
def test_reports_are_not_kept_longer_than_their_rosters(chosen: dict[str, str]) -> None:
    """It says which option has to be larger."""
    with pytest.raises(InfraError, match="--history-days must be twice --report-days"):
        check_days(chosen)
