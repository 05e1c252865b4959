"""Strategies see prices as of their decision: no split or dividend is taken for a move."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import quantvista as qv
from quantvista.market import Panel, sessions

ROWS = 12


class Watcher(qv.PortfolioStrategy):
    """Buys and holds, and writes down what it is shown."""

    @property
    def warm_up(self) -> int:
        return 5

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        SEEN.append((panel.now, panel.close[:, 0].copy()))
        return np.ones(panel.n)


SEEN: list[tuple[int, NDArray[np.float64]]] = []


def run(folder: Path, close: list[float], actions: list[dict[str, Any]]) -> Any:  # noqa: ANN401
    days = sessions("XNYS", "2024-01-02", "2024-03-01").labels.astype(str)[: len(close)]
    table = pl.DataFrame({"date": days, "ACME.XNYS": [f"{price:.2f}" for price in close]})
    table.write_csv(folder / "prices.csv")
    for each in actions:
        each["ex_date"] = str(days[each.pop("row")])
    fund = {
        "version": 1,
        "fund": {"name": "seen", "cash": "100000.00", "calendar": "XNYS"},
        "data": {"source": str(folder / "prices.csv"), "actions": actions},
        "sleeve": [{"id": "all", "strategy": Watcher}],
        "portfolio": {"rebalance": "daily"},
    }
    SEEN.clear()
    return qv.run(fund)


@settings(max_examples=25, deadline=None)
@given(
    level=st.integers(40, 200),
    row=st.integers(1, ROWS - 1),
    ratio=st.sampled_from(["2:1", "3:1", "1:2", "1:10", "3:2"]),
    paid=st.integers(0, 3),
)
def test_split_and_dividend_of_a_flat_price_are_no_move(
    tmp_path_factory: pytest.TempPathFactory, level: int, row: int, ratio: str, paid: int
) -> None:
    new, old = (int(each) for each in ratio.split(":"))
    flat = 60.0 * level
    close = [flat] * row + [flat * old / new] * (ROWS - row)
    actions: list[dict[str, Any]] = [
        {"row": row, "instrument": "ACME.XNYS", "action": "split", "ratio": ratio}
    ]
    if paid and row + 2 < ROWS:
        close = close[: row + 2] + [close[row + 2] - paid] * (ROWS - row - 2)
        actions.append(
            {
                "row": row + 2,
                "instrument": "ACME.XNYS",
                "action": "cash_dividend",
                "amount": f"{paid}.00",
            }
        )
    outcome = run(tmp_path_factory.mktemp("run"), close, actions)
    assert len(SEEN) >= ROWS - 5
    for _, seen in SEEN:
        assert seen == pytest.approx(np.full(len(seen), seen[-1]), rel=1e-12)
    assert {seen[-1] for _, seen in SEEN} <= {round(price, 2) for price in close}
    # What was bought is held through both: no order follows from an action alone.
    orders = outcome.frames.orders
    assert orders.filter(pl.col("side") == "sell").height == 0
    equity = outcome.frames.equity["equity"].to_numpy().astype(float)
    assert equity[1:] == pytest.approx(np.full(len(equity) - 1, equity[1]), rel=1e-3)


def test_a_split_that_is_booked_is_not_told_as_a_move(tmp_path: Path) -> None:
    split = {"row": 6, "instrument": "ACME.XNYS", "action": "split", "ratio": "4:1"}
    found = run(tmp_path, [400.0] * 6 + [100.0] * 4 + [40.0] * 2, [split])
    said = found.summary["assumptions"]
    moves = [text for text in said if "a split or an error" in text]
    assert [text[:22] for text in moves] == ["ACME.XNYS moved -60.0 "]
    assert any("booked on their ex-dates (split 1)" in text for text in said)
