"""`qv check` of funds: planted peeks are found, shipped strategies are left alone."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

import quantvista as qv
from quantvista.backtest import check_fund
from quantvista.data import MarketData
from quantvista.fund import load_fund, write_template
from quantvista.market import Panel, sessions

PATHS: list[Path] = []
CALLS: list[int] = []


class Short(qv.PortfolioStrategy):
    """Says that one row is enough."""

    @property
    def warm_up(self) -> int:
        return 1


class FileReader(Short):
    """Looks into the file of prices."""

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        with PATHS[-1].open() as file:
            last = file.read().splitlines()[-1]
        return np.full(panel.n, float(float(last.split(",")[1]) > 0))


class TableReader(Short):
    """Looks into the file of prices, below Python."""

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        last = pl.scan_csv(PATHS[-1]).last().collect()
        return np.full(panel.n, float(last.item(0, 1) > 0))


class FrameWalker(Short):
    """Finds the whole history in the memory of those who call it."""

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        frame = sys._getframe(1)
        while not isinstance(frame.f_locals.get("data"), MarketData):
            assert frame.f_back is not None
            frame = frame.f_back
        data = frame.f_locals["data"]
        row = int(np.searchsorted(data.ts, panel.now))
        tomorrow = data.close[min(row + 1, len(data.ts) - 1)]
        rises = np.zeros(panel.n)
        rises[tomorrow > panel.close[-1]] = 1.0
        return rises


class Liar(Short):
    """Uses all that it is shown, and says that one row is enough."""

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        above: NDArray[np.float64] = panel.close[-1] / panel.close.mean(axis=0) - 1.0
        return np.minimum(above, 1.0)


class Moody(Short):
    """Decides otherwise each time that it is run."""

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        CALLS.append(1)
        return np.full(panel.n, (len(CALLS) % 7) / 7)


def fund(folder: Path, strategy: Any, **params: Any) -> dict[str, Any]:  # noqa: ANN401
    rng = np.random.default_rng(3)
    days = sessions("XNYS", "2023-01-03", "2023-08-31").labels.astype(str)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (len(days), 4)), axis=0))
    columns = {f"I{k}.XNYS": [f"{x:.2f}" for x in close[:, k]] for k in range(4)}
    pl.DataFrame({"date": days, **columns}).write_csv(folder / "prices.csv")
    PATHS.append(folder / "prices.csv")
    return {
        "version": 1,
        "fund": {"name": "checked", "cash": "100000.00", "calendar": "XNYS"},
        "data": {"source": str(folder / "prices.csv")},
        "sleeve": [{"id": "one", "strategy": strategy, "params": params}],
        "portfolio": {"rebalance": "week_end"},
    }


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (FileReader, "files"),
        (TableReader, "files"),
        (FrameWalker, "values"),
        (Liar, "warm_up"),
        (Moody, "repeat"),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_planted_peek_is_found(tmp_path: Path, strategy: Any, kind: str) -> None:  # noqa: ANN401
    findings = check_fund(load_fund(fund(tmp_path, strategy)))
    found = {each.kind: each for each in findings}
    assert kind in found
    assert found[kind].strategy == strategy.__name__
    assert found[kind].file.endswith("test_check_fund.py")
    assert found[kind].line > 0
    if kind == "files":
        assert found[kind].after.endswith("prices.csv")
    else:
        assert found[kind].instrument.startswith("I")


@pytest.mark.parametrize(
    ("strategy", "params"),
    [
        ("momentum", {"lookback": 40, "skip": 5}),
        ("trend", {"lookback": 40}),
        ("equal_weight", {}),
    ],
)
def test_shipped_strategy_is_left_alone(
    tmp_path: Path, strategy: str, params: dict[str, Any]
) -> None:
    assert check_fund(load_fund(fund(tmp_path, strategy, **params)), cut_count=2) == []


@pytest.mark.parametrize("template", ["market_maker", "arbitrage", "grid"])
def test_shipped_event_strategy_is_left_alone(tmp_path: Path, template: str) -> None:
    write_template(template, tmp_path)
    assert check_fund(load_fund(tmp_path / "fund.toml"), cut_count=1) == []
