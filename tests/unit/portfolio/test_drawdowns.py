import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.portfolio.drawdowns import drawdown_curve, drawdowns

DAY = 86_400_000_000_000
curve = st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=80).map(np.array)


def test_an_open_drawdown_has_no_recovery() -> None:
    found = drawdowns(np.arange(4) * DAY, np.array([100.0, 90.0, 80.0, 95.0]))
    assert [(d.start, d.trough, d.recovery, d.days) for d in found] == [(0, 2, None, 3)]
    assert found[0].depth == pytest.approx(-0.2)


def test_a_curve_that_only_rises_has_none() -> None:
    assert drawdowns(np.arange(3) * DAY, np.array([1.0, 1.0, 2.0])) == []


def test_length_counts_calendar_days_over_missing_bars() -> None:
    found = drawdowns(np.array([0, 1, 11]) * DAY, np.array([2.0, 1.0, 2.0]))
    assert found[0].days == 11


@given(curve)
@settings(deadline=None)
def test_drawdowns_are_disjoint_and_cover_every_bar_below_a_peak(equity: np.ndarray) -> None:
    ts = np.arange(equity.size) * DAY
    covered = np.zeros(equity.size, bool)
    found = drawdowns(ts, equity)
    for each in found:
        inside = slice(each.start + 1, each.recovery)
        assert not covered[inside].any()
        covered[inside] = True
        assert each.depth == drawdown_curve(equity)[inside].min()
    assert np.array_equal(covered, drawdown_curve(equity) < 0)
    assert [d.depth for d in found] == sorted(d.depth for d in found)
