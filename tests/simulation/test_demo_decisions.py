"""Every weight of the demo, decided again by plain loops over the sample's own file."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from oracle.decisions import cap, momentum, trend, weigh
from quantvista import backtest
from quantvista.fund import template_path
from simulation.test_demo_oracle import NAMES, SECTORS, UNIT, closes

WINDOW = 63
TOLERANCE = 1e-12


def test_every_target_of_the_demo_is_what_plain_loops_decide() -> None:
    outcome = backtest.run(template_path("demo"))
    rows = [[None if price is None else price / UNIT for price in row] for row in closes()]
    row_of = {ts: row for row, ts in enumerate(outcome.equity["ts"].dt.timestamp("ns"))}
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    targets = outcome.targets.sort("ts", "sleeve", "instrument")
    for ts, sleeve, weight in zip(
        targets["ts"].dt.timestamp("ns"), targets["sleeve"], targets["weight_e9"], strict=True
    ):
        found[row_of[ts], sleeve].append(weight)
    invested = 0
    for (row, sleeve), recorded in found.items():
        expected = decide(rows, row, sleeve)
        for name, weight, billionths in zip(NAMES, expected, recorded, strict=True):
            # Rounded down, so a weight within 1e-12 of a whole billionth may fall on either side.
            low, high = (int((weight + step) * 1e9) for step in (-TOLERANCE, TOLERANCE))
            assert low <= billionths <= high, (row, sleeve, name)
            invested += billionths > 0
    assert len(found) == 2 * 395
    assert invested > 2 * 395 * 4


def decide(rows: list[list[float | None]], row: int, sleeve: str) -> list[float]:
    """Weights after the caps; all zero before there is enough history."""
    warm_up = 252 + 5
    if row + 1 < warm_up:
        return [0.0] * len(NAMES)
    seen = rows[row + 1 - warm_up : row + 1]
    if sleeve == "trend":
        views, exposure = trend(seen, 252, 0, graded=False), "signal"
    else:
        views, exposure = momentum(seen, NAMES, 252, 21, Fraction(3, 10)), "full"
    weights = weigh(views, seen, exposure=exposure, weighting="inverse_volatility", window=WINDOW)
    return cap(weights, list(SECTORS.values()), 0.15, 0.40)
