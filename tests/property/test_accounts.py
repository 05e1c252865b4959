"""Whole backtests of random funds: the tables reconcile with each other, to the last digit."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import quantvista as qv
from quantvista import backtest
from quantvista.backtest import Outcome
from support.funds_on_disk import Closes, make_fund, prices

type Row = dict[str, Any]

ZERO = Decimal(0)


class Noise(qv.EventStrategy):
    """Sends orders of every kind, without a plan."""

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
        # By the price, not by ctx.rng: the order of events must not matter to the amounts.
        digit = round(bar.close * 100) % 10
        lots = float(round(bar.close * 100) % 37 + 1)
        if digit < 3:
            ctx.submit(bar.instrument, "buy", lots, tif="gtc" if digit else "day")
        elif digit < 5:
            price = round(bar.close * 0.99, 2)
            ctx.submit(bar.instrument, "buy", lots, type="limit", tif="gtc", limit_price=price)
        elif digit < 6:
            ctx.submit(bar.instrument, "buy", lots, type="on_close")
        elif digit < 8 and (held := ctx.position(bar.instrument)):
            ctx.submit(bar.instrument, "sell", min(held, lots), tif="gtc")


STRATEGIES: dict[str, Mapping[str, Any]] = {
    "equal": {"strategy": "equal_weight"},
    "follow": {"strategy": "trend", "params": {"lookback": 6}},
    "noise": {"strategy": Noise},
    "winners": {"strategy": "momentum", "params": {"lookback": 8, "skip": 2, "top": 0.5}},
}


@st.composite
def funds(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of ``make_fund``, without the folder."""
    chosen = draw(st.lists(st.sampled_from(sorted(STRATEGIES)), min_size=1, unique=True))
    parts = [draw(st.integers(1, 5)) for _ in chosen]
    shares = [round(Decimal(part) / sum(parts), 3) for part in parts[:-1]]
    shares.append(1 - sum(shares, ZERO))
    count = draw(st.integers(2, 5))
    maybe = st.none()
    risk = {
        "price_band": draw(st.sampled_from(["0.05", "0.15", "0.5"])),
        "weight_max": draw(maybe | st.sampled_from(["0.2", "0.6"])),
        "gross_max": draw(maybe | st.sampled_from(["0.5", "1"])),
        "fat_finger_quantity": draw(maybe | st.sampled_from([20, 2_000])),
        "position_max": draw(maybe | st.just("30000")),
    }
    return {
        "close": prices(
            draw(st.integers(0, 2**32 - 1)), draw(st.integers(30, 60)), count, gaps=True
        ),
        "sleeves": [
            {"id": name, "share": share, **STRATEGIES[name]}
            for name, share in zip(chosen, shares, strict=True)
        ],
        "cash": str(draw(st.sampled_from([500, 20_000, 100_000, 10_000_000]))),
        "portfolio": {
            "rebalance": draw(st.sampled_from(["daily", "week_end", "month_end"])),
            "weighting": draw(st.sampled_from(["equal", "inverse_volatility"])),
            "volatility_window": 6,
        },
        "risk": {name: value for name, value in risk.items() if value is not None},
        "venue": [
            {
                "fee_bps": draw(st.sampled_from(["0", "1", "25"])),
                "slippage_bps": draw(st.sampled_from(["0", "3", "30"])),
                "limit_fill": draw(st.sampled_from(["through", "touch"])),
            }
        ],
    }


def outcome(arguments: dict[str, Any], columns: Sequence[int] | None = None) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return backtest.run(make_fund(Path(folder), columns=columns, **arguments))


def rows(found: Outcome, name: str) -> list[Row]:
    """Rows of a table, decimals exact, times as whole nanoseconds."""
    table = found.tables[name]
    if "ts" in table.column_names:
        table = table.set_column(0, "ts", table["ts"].cast("int64"))
    listed: list[Row] = table.to_pylist()
    return listed


@settings(max_examples=40)
@given(funds())
def test_every_table_reconciles_with_the_others(arguments: dict[str, Any]) -> None:
    found = outcome(arguments)
    check_sums(found)
    check_orders(found)
    check_cash(found, Decimal(arguments["cash"]))
    check_marks(found, arguments["close"])
    check_contributions(found, Decimal(arguments["cash"]))


def check_sums(found: Outcome) -> None:
    """Sleeves sum to the fund; equity = cash + marked positions, at each bar."""
    sums: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    held: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row in rows(found, "positions"):
        assert row["quantity"] > 0
        assert row["value"] == row["quantity"] * row["mark_price"]
        assert row["cost"] >= 0
        held[row["ts"], row["sleeve"]] += row["value"]
    for row in rows(found, "sleeves"):
        assert row["cash"] >= 0
        assert row["equity"] == row["cash"] + held.pop((row["ts"], row["sleeve"]), ZERO)
        for name in ("equity", "cash"):
            sums[row["ts"]][name] += row[name]
    assert not held
    equity = rows(found, "equity")
    assert [row["ts"] for row in equity] == list(sums)
    for row in equity:
        assert (row["equity"], row["cash"]) == tuple(sums[row["ts"]].values())
        assert row["gross"] == row["net"] == row["equity"] - row["cash"]


def check_orders(found: Outcome) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in rows(found, "fills"):
        assert fill["quantity"] > 0
        filled[fill["order_id"]] += fill["quantity"]
    orders = {row["order_id"]: row for row in rows(found, "orders")}
    verdicts = {row["order_id"] for row in rows(found, "verdicts")}
    assert verdicts == set(orders)
    for name, order in orders.items():
        assert order["filled"] == filled.get(name, ZERO)
        if order["status"] == "rejected":
            assert order["filled"] == 0
            assert order["reason"]
        else:
            assert order["filled"] <= order["quantity"]
        assert (order["status"] == "filled") == (order["filled"] == order["quantity"] > 0)
    assert set(filled) - set(orders) <= {None}  # settlements have no order
    kinds = {(row["kind"], row["order_id"] is None) for row in rows(found, "fills")}
    assert kinds <= {("trade", False), ("cross", False), ("settlement", True)}


def check_cash(found: Outcome, capital: Decimal) -> None:
    """Between two bars, cash changes by the fills, their notional and fees, and by nothing else."""
    flows: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    crossed: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for fill in rows(found, "fills"):
        sign = -1 if fill["side"] == "buy" else 1
        assert fill["fee"] >= 0
        assert fill["slippage"] >= 0
        flows[fill["ts"], fill["sleeve"]] += sign * fill["quantity"] * fill["price"] - fill["fee"]
        if fill["kind"] == "cross":
            crossed[fill["ts"], fill["instrument"]] += sign * fill["quantity"]
    assert not any(crossed.values())
    cash: dict[str, Decimal] = {}
    for row in rows(found, "sleeves"):
        flow = flows.pop((row["ts"], row["sleeve"]), ZERO)
        if row["sleeve"] in cash:
            assert row["cash"] == cash[row["sleeve"]] + flow
        else:
            assert flow == 0  # nothing can fill at the first bar
        cash[row["sleeve"]] = row["cash"]
    assert not flows
    first = rows(found, "equity")[0]
    assert first["equity"] == first["cash"] == capital


def check_marks(found: Outcome, close: Closes) -> None:
    """Positions are marked at the last close in the file."""
    stamps = {row["ts"]: index for index, row in enumerate(rows(found, "equity"))}
    for row in rows(found, "positions"):
        column = int(row["instrument"][1:3])
        known = close[: stamps[row["ts"]] + 1, column]
        last = known[~np.isnan(known)][-1]
        assert row["mark_price"] == Decimal(f"{last:.2f}")


def check_contributions(found: Outcome, capital: Decimal) -> None:
    profit = rows(found, "equity")[-1]["equity"] - capital
    contribution = found.summary["contribution"]
    for part in ("sleeves", "instruments"):
        assert sum((Decimal(row["pnl"]) for row in contribution[part]), ZERO) == profit
    fees = sum((row["fee"] for row in rows(found, "fills")), ZERO)
    assert Decimal(found.summary["costs"]["fees"]) == fees
    assert found.summary["counts"]["fills"] == len(rows(found, "fills"))


@settings(max_examples=15)
@given(funds(), st.randoms(use_true_random=False))
def test_permuting_the_columns_of_the_file_changes_nothing(
    arguments: dict[str, Any],
    random: Any,  # noqa: ANN401 - Hypothesis gives a random.Random
) -> None:
    columns = list(range(arguments["close"].shape[1]))
    plain = outcome(arguments)
    random.shuffle(columns)
    other = outcome(arguments, columns)
    for name, table in plain.tables.items():
        assert other.tables[name].equals(table), name
    assert other.summary == plain.summary  # the state hash is in it


def test_the_random_funds_trade_in_every_way() -> None:
    close = prices(21, 60, 4, gaps=True)
    sleeves = [{"id": name, "share": "0.25", **how} for name, how in STRATEGIES.items()]
    found = outcome({"close": close, "sleeves": sleeves, "portfolio": {"rebalance": "daily"}})
    kinds = {row["kind"] for row in rows(found, "fills")}
    assert kinds == {"trade", "cross", "settlement"}
    statuses = {row["status"] for row in rows(found, "orders")}
    assert statuses >= {"filled", "cancelled", "rejected", "expired"}
