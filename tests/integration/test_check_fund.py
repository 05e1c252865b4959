"""`qv check` of funds: planted peeks are found, shipped strategies are left alone."""

import itertools
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


class Insider(Short):
    """Looks in the memory of those who call it for who belongs to the universe next week."""

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        frame = sys._getframe(1)
        while not isinstance(frame.f_locals.get("data"), MarketData):
            assert frame.f_back is not None
            frame = frame.f_back
        universe = frame.f_locals["data"].universe
        soon = panel.now + 14 * 86_400 * 10**9
        later = universe.members(soon, known_at=2**62)
        return np.array([1.0 if name in later else 0.5 for name in panel.instruments])


def with_members(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Let a universe of two, then three of the four instruments, change every month."""
    rows = ["instrument,ts_event,ts_end,known_at"]
    months = [f"2023-{month:02d}-03T21:00:00Z" for month in range(1, 10)]
    for place, (start, end) in enumerate(itertools.pairwise(months)):
        for each in ((place + k) % 4 for k in range(2 + place % 2)):
            rows.append(f"I{each}.XNYS,{start},,{start}")
            rows.append(f"I{each}.XNYS,{start},{end},{end}")
    (folder / "members.csv").write_text("\n".join(rows) + "\n")
    given["data"]["universe"] = str(folder / "members.csv")
    return given


def test_peek_at_members_to_come_is_found(tmp_path: Path) -> None:
    findings = check_fund(load_fund(with_members(fund(tmp_path, Insider), tmp_path)))
    found = {each.kind: each for each in findings}
    assert "universe" in found
    assert "values" not in found
    assert found["universe"].strategy == "Insider"
    assert found["universe"].instrument.startswith("I")
    assert found["universe"].ts <= found["universe"].cut


def test_fund_with_a_universe_is_left_alone(tmp_path: Path) -> None:
    given = with_members(fund(tmp_path, "momentum", lookback=21, skip=2), tmp_path)
    assert check_fund(load_fund(given), cut_count=6) == []


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


class Slow(qv.PortfolioStrategy):
    """Leans against an average of all that it is shown; bars before 80 weigh nothing."""

    @property
    def warm_up(self) -> int:
        return 80

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        weights = 0.6 ** np.arange(panel.bars)[::-1]
        average = weights @ panel.close / weights.sum()
        forecast: NDArray[np.float64] = average / panel.close[-1] - 1.0
        return forecast


@pytest.mark.parametrize("flat", [0, 2, 4])
def test_prices_that_stand_still_make_no_alarm(tmp_path: Path, flat: int) -> None:
    given = fund(tmp_path, Slow)
    held = {f"I{k}.XNYS": pl.lit(f"{10 + k}.13") for k in range(flat)}
    table = pl.read_csv(PATHS[-1], infer_schema=False).with_columns(**held)
    table.write_csv(PATHS[-1])
    assert check_fund(load_fund(given), cut_count=2) == []


@pytest.mark.parametrize("template", ["market_maker", "arbitrage", "grid"])
def test_shipped_event_strategy_is_left_alone(tmp_path: Path, template: str) -> None:
    write_template(template, tmp_path)
    assert check_fund(load_fund(tmp_path / "fund.toml"), cut_count=1) == []
