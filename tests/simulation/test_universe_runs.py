"""Funds that may hold only members of a universe: who is bought, and when they are sold."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import quantvista as qv
from quantvista.data.universes import Membership
from quantvista.errors import ConfigError, MarketDataError
from quantvista.features import FeatureSet
from quantvista.market import sessions

DAYS = sessions("XNYS", "2024-01-02", "2024-02-29")
NAMES = ("A.XNYS", "B.XNYS", "C.XNYS")
FUND = """
version = 1
[fund]
name = "members"
cash = "100000.00"
[data]
source = "bars.csv"
universe = "members.csv"
[[sleeve]]
id = "all"
strategy = "{strategy}"
params = {params}
[portfolio]
weighting = "equal"
rebalance = "daily"
"""


def time(row: int) -> int:
    return int(DAYS.close_ns[row])


def write(folder: Path, *rows: tuple[str, int, int | None], strategy: str = "equal_weight") -> Path:
    dates = DAYS.labels.astype(str).tolist()
    lines = [f"{day},{10 + row % 3}.00,20.00,30.00" for row, day in enumerate(dates)]
    header = ",".join(["date", *NAMES])
    (folder / "bars.csv").write_text("\n".join([header, *lines]) + "\n")
    table = pl.DataFrame(
        [(name, time(a), None if b is None else time(b)) for name, a, b in rows],
        schema={"instrument": pl.String, "ts_event": pl.Int64, "ts_end": pl.Int64},
        orient="row",
    )
    table.write_csv(folder / "members.csv")
    path = folder / "fund.toml"
    path.write_text(FUND.format(strategy=strategy, params="{}"))
    return path


def weights(folder: Path) -> dict[int, dict[str, int]]:
    targets = pl.read_parquet(folder / "out" / "targets.parquet")
    rows = targets.select(pl.col("ts").dt.epoch("ns"), "instrument", "weight_e9").rows()
    found: dict[int, dict[str, int]] = {}
    for ts, name, weight in rows:
        found.setdefault(ts, {})[name] = weight
    return found


def test_only_members_are_held_and_what_leaves_is_sold(tmp_path: Path) -> None:
    path = write(tmp_path, ("A.XNYS", 5, 20), ("B.XNYS", 5, None), ("A.XNYS", 30, None))
    result = qv.run(path, out=tmp_path / "out")
    found = weights(tmp_path)
    half, whole = 500_000_000, 1_000_000_000
    expected = {4: (0, 0, 0), 5: (half, half, 0), 19: (half, half, 0), 20: (0, whole, 0)}
    for row, each in {**expected, 29: (0, whole, 0), 30: (half, half, 0)}.items():
        assert tuple(found[time(row)][name] for name in NAMES) == each
    held = pl.DataFrame(result.positions).filter(pl.col("instrument") == "A.XNYS")
    quantities = dict(held.select(pl.col("ts").dt.epoch("ns"), "quantity").rows())
    assert quantities.get(time(21), 0) == 0
    assert quantities[time(19)] > 0
    assumptions = " ".join(result.summary["assumptions"])
    assert "Held are only members of members.csv, as known at each decision: 0 to 2" in assumptions


def test_the_universe_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    marks = []
    for rows in ((("A.XNYS", 5, None),), (("A.XNYS", 6, None),)):
        result = qv.run(write(tmp_path, *rows))
        marks.append(result.summary["fingerprint"]["data"])
    assert marks[0] != marks[1]


def test_members_without_prices_are_named_among_the_biases(tmp_path: Path) -> None:
    result = qv.run(write(tmp_path, ("A.XNYS", 5, None), ("GONE.XNYS", 5, None)))
    biases = {each["name"]: each["text"] for each in result.summary["biases"]}
    assert "1 of 2 instruments of the universe have no prices" in biases["universe_without_prices"]
    with pytest.raises(MarketDataError, match="must have members among the data's instruments"):
        qv.run(write(tmp_path, ("GONE.XNYS", 5, None)))


def test_event_strategies_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from quantvista import EventStrategy\n"
        "class Mine(EventStrategy):\n"
        "    def on_bar(self, ctx, bar):\n"
        "        pass\n"
    )
    path = write(tmp_path, ("A.XNYS", 5, None), strategy="mine.py:Mine")
    with pytest.raises(ConfigError, match="must come with portfolio strategies"):
        qv.run(path)


def test_ranks_are_among_the_members_of_each_bar() -> None:
    ts = [1, 2, 3]
    rows = [(each, name) for each in ts for name in "ABC"]
    bars = pl.DataFrame(rows, schema=["ts", "instrument"], orient="row").with_columns(
        close=pl.Series([1.0, 2.0, 3.0, 1.0, 3.0, 2.0, 3.0, 2.0, 1.0])
    )
    universe = Membership(
        pl.DataFrame({"instrument": ["A", "B", "C"], "ts_event": [0, 2, 0], "ts_end": [3, 9, 9]})
    )
    made = FeatureSet({"r": "rank(close)", "m": "mean(close, 2)"}, universe=universe)
    assert made.expressions["r"] == "rank(close * universe.member)"
    assert made.expressions["m"] == "mean(close, 2)"
    found = made.compute(bars)
    third = 1 / 3
    assert np.allclose(
        found["r"].fill_null(-1.0),
        [0.5, -1.0, 1.0, third, 1.0, 2 * third, -1.0, 1.0, 0.5],
    )
    with pytest.raises(MarketDataError, match="must hold instants where there is a universe"):
        made.compute(bars.with_columns(ts=pl.col("ts").cast(pl.Int32).cast(pl.Date)))
