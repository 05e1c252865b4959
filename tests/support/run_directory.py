"""A run directory that is made up but consistent with the contract of DESIGN section 7.

Prices are a random walk with a market factor and fat tails; two sleeves rebalance at month ends
under simple rules, in whole micro units of money, so all tables agree with each other to the last
digit. One instrument ends early, some orders are cut or rejected, and some fills are free crosses.
"""

import json
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._summary import RunMeta, SleeveMeta, build_summary

type Ints = NDArray[np.int64]

UNIVERSE = {
    "AAPL.XNAS": "Information Technology",
    "AMD.XNAS": "Information Technology",
    "BAC.XNYS": "Financials",
    "BBY.XNYS": "Consumer Discretionary",
    "CVX.XNYS": "Energy",
    "GE.XNYS": "Industrials",
    "HD.XNYS": "Consumer Discretionary",
    "JNJ.XNYS": "Health Care",
    "JPM.XNYS": "Financials",
    "KO.XNYS": "Consumer Staples",
    "LLY.XNYS": "Health Care",
    "MRK.XNYS": "Health Care",
    "MSFT.XNAS": "Information Technology",
    "PEP.XNAS": "Consumer Staples",
    "PFE.XNYS": "Health Care",
    "PG.XNYS": "Consumer Staples",
    "RRC.XNYS": "Energy",
    "UNH.XNYS": "Health Care",
    "WMT.XNYS": "Consumer Staples",
    "XOM.XNYS": "Energy",
}
MICRO = 1_000_000
CASH = 1_000_000 * MICRO


@dataclass(frozen=True)
class Shape:
    """Size of the made-up run."""

    sessions: int = 8313
    instruments: int = 20
    seed: int = 7


class _Book:
    """Positions and cash of each sleeve in micro units, and the rows that trading leaves behind."""

    def __init__(self, names: list[str], sleeves: tuple[str, ...]) -> None:
        self.names, self.sleeves = names, sleeves
        self.quantity = np.zeros((len(sleeves), len(names)), np.int64)
        self.cost = np.zeros_like(self.quantity)
        self.cash = np.full(len(sleeves), CASH // len(sleeves), np.int64)
        self.orders: list[dict[str, Any]] = []
        self.fills: list[dict[str, Any]] = []
        self.verdicts: list[dict[str, Any]] = []

    def order(self, ts: int, s: int, i: int, delta: int, **changes: object) -> str:
        order_id = f"demo-1-{len(self.orders) + 1:06d}"
        row = {
            "ts": ts, "order_id": order_id, "instrument": self.names[i], "sleeve": self.sleeves[s],
            "side": "buy" if delta > 0 else "sell", "quantity": abs(delta) * MICRO,
            "filled": abs(delta) * MICRO, "type": "market", "tif": "day", "limit_price": None,
            "status": "filled", "reason": "",
        }  # fmt: skip
        self.orders.append(row | changes)
        return order_id

    def judge(self, ts: int, order_id: str, rule: str, outcome: str, figure: int | None) -> None:
        limit = None if figure is None else figure * 9 // 10
        self.verdicts.append({
            "ts": ts, "order_id": order_id, "rule": rule, "figure": figure, "limit": limit,
            "outcome": outcome,
        })  # fmt: skip

    def fill(
        self, ts: int, s: int, i: int, delta: int, reference: int, kind: str, order: str
    ) -> None:
        slip = 0 if kind != "trade" else reference * 2 // 10_000 + 1
        price = reference + slip if delta > 0 else max(1, reference - slip)
        notional = abs(delta) * price
        fee = -(-notional // 10_000 // 10_000) * 10_000 if kind == "trade" else 0
        held = int(self.quantity[s, i])
        self.cash[s] -= notional + fee if delta > 0 else fee - notional
        relieved = int(self.cost[s, i]) * -delta // held if delta < 0 else 0
        self.cost[s, i] += notional if delta > 0 else -relieved
        self.quantity[s, i] += delta
        self.fills.append({
            "ts": ts, "fill_id": f"demo-1-f{len(self.fills) + 1:06d}", "order_id": order,
            "instrument": self.names[i], "sleeve": self.sleeves[s], "venue": "sim",
            "side": "buy" if delta > 0 else "sell", "quantity": abs(delta) * MICRO, "price": price,
            "currency": "USD", "fee": fee, "slippage": abs(price - reference) * abs(delta),
            "kind": kind,
        })  # fmt: skip


def synthetic(shape: Shape | None = None, status: str = "complete") -> tuple[RunFrames, RunMeta]:
    """Make up the tables and the facts of one run."""
    shape = shape or Shape()
    names, sleeves = list(UNIVERSE)[: shape.instruments], ("momentum", "trend")
    ts = _stamps(shape.sessions)
    prices, market = _prices(shape)
    ended = shape.sessions * 3 // 4 if shape.instruments > 5 else shape.sessions
    book = _Book(names, sleeves)
    quantity = np.zeros((shape.sessions, 2, shape.instruments), np.int64)
    cost, cash = np.zeros_like(quantity), np.zeros((shape.sessions, 2), np.int64)
    month = ts.astype("M8[ns]").astype("M8[M]").astype(np.int64)
    for t in range(shape.sessions):
        if t == ended:
            _settle(book, int(ts[t]), 3, int(prices[t, 3]))
        elif t > 260 and month[t - 1] != month[t - 2]:
            _rebalance(book, int(ts[t - 1]), int(ts[t]), prices[: t + 1], t >= ended)
        quantity[t], cost[t], cash[t] = book.quantity, book.cost, book.cash
    frames = _frames(book, ts, prices, market, quantity, cost, cash)
    meta = RunMeta(
        fund="demo",
        currency="USD",
        cash=Decimal(1_000_000),
        sleeves=(
            SleeveMeta("momentum", "momentum", 0.5, {"lookback": 252, "skip": 21}),
            SleeveMeta("trend", "trend", 0.5, {"lookback": 252}),
        ),
        status=status,
        error="" if status == "complete" else "the disk is full",
        source="made up for the tests",
        time_zone="America/New_York",
        calendar="XNYS",
        benchmark="SP500.INDEX",
        missing_bars=3,
        sectors={name: UNIVERSE[name] for name in names},
        biases=(
            ("survivorship", "Only stocks that survived to the end are in the sample."),
            ("adjusted_closes", "Closes are adjusted for dividends and splits known later."),
            ("close_only", "There are closes only: orders fill at the next close."),
        ),
        assumptions=(
            "A decision on a close fills at the next close.",
            "Fee 1 bp, slippage 2 bps of the notional; no market impact.",
            "Equal weight is rebalanced at month ends without costs.",
        ),
        fingerprint={
            "data": "3f9a" * 16,
            "fund": "77c1" * 16,
            "code": "0.1.0",
            "semantics": 2,
            "state_hash": "b01d" * 16,
            "environment": {"python": "3.12", "machine": "x86_64", "numpy": "2.3"},
        },
    )
    return frames, meta


def write_run(folder: Path, shape: Shape | None = None, status: str = "complete") -> Path:
    """Write a made-up run into `folder` and return it."""
    frames, meta = synthetic(shape, status)
    folder.mkdir(parents=True, exist_ok=True)
    for each in fields(frames):
        getattr(frames, each.name).write_parquet(folder / f"{each.name}.parquet")
    text = json.dumps(build_summary(frames, meta), indent=2, sort_keys=True, allow_nan=False)
    (folder / "summary.json").write_text(text, "utf-8")
    (folder / "run.toml").write_text('version = 1\n\n[fund]\nname = "demo"\n', "utf-8")
    return folder


# -- made-up markets -------------------------------------------------------------------------
def _stamps(sessions: int) -> Ints:
    days = np.arange(np.datetime64("1990-01-02"), np.datetime64("2030-01-01"))
    text = days.astype(str)
    holiday = np.isin([day[5:] for day in text], ["01-01", "07-04", "12-25", "05-30", "09-05"])
    weekday = (days.astype(np.int64) + 3) % 7 < 5
    chosen = days[weekday & ~holiday][:sessions].astype("M8[ns]").astype(np.int64)
    return chosen + 21 * 3_600_000_000_000


def _prices(shape: Shape) -> tuple[Ints, NDArray[np.float64]]:
    rng = np.random.default_rng(shape.seed)
    t, n = shape.sessions, shape.instruments
    calm = np.exp(np.cumsum(rng.normal(0, 0.03, t)) * 0.35)
    scale = np.clip(calm / np.median(calm), 0.5, 3.5)
    market = 0.00034 + 0.0074 * scale * rng.standard_t(4, t) / np.sqrt(2)
    own = rng.normal(0.0002, 0.004, n) * 0.05 + 0.012 * rng.standard_t(5, (t, n)) / np.sqrt(5 / 3)
    returns = np.clip(rng.uniform(0.7, 1.3, n) * market[:, None] + own, -0.3, 0.3)
    start = rng.uniform(0.5, 60.0, n)
    prices = np.maximum(1, np.rint(start * np.cumprod(1 + returns, axis=0) * MICRO))
    return prices.astype(np.int64), 350.0 * np.cumprod(1 + np.clip(market, -0.25, 0.25))


# -- made-up trading -------------------------------------------------------------------------
def _rebalance(book: _Book, decided: int, now: int, prices: Ints, ended: bool) -> None:
    past = prices[:-1]
    for s, sleeve in enumerate(book.sleeves):
        forecast = past[-21] / past[-252]
        chosen = forecast > 1 if sleeve == "trend" else forecast >= np.sort(forecast)[-5:][0]
        if ended and chosen.size > 3:
            chosen[3] = False
        risk = np.std(past[-63:][1:] / past[-63:][:-1], axis=0)
        inverse = 1 / risk
        share = chosen * inverse / (inverse.sum() if sleeve == "trend" else inverse[chosen].sum())
        equity = int(book.cash[s]) + int((book.quantity[s] * past[-1]).sum())
        wanted = np.floor(np.minimum(share, 0.3) * equity / past[-1]).astype(np.int64)
        _trade(book, decided, now, s, wanted, prices[-1])


def _trade(book: _Book, decided: int, now: int, s: int, wanted: Ints, price: Ints) -> None:
    deltas = wanted - book.quantity[s]
    for i in [*np.flatnonzero(deltas < 0).tolist(), *np.flatnonzero(deltas > 0).tolist()]:
        delta, close = int(deltas[i]), int(price[i])
        serial = len(book.orders)
        if delta > 0 and serial % 97 == 5:
            order = book.order(decided, s, i, delta, filled=0, status="rejected", reason="sector")
            book.judge(decided, order, "sector", "rejected", delta * close)
            continue
        cut = delta > 0 and serial % 31 == 7
        order = book.order(decided, s, i, delta)
        book.judge(decided, order, "concentration" if cut else "all", "cut" if cut else "accepted",
                   delta * close if cut else None)  # fmt: skip
        room = int(book.cash[s]) * 999 // 1000 // max(1, close)
        if delta > room:
            book.judge(now, order, "cash", "cut", delta * close)
            delta = room
            book.orders[-1] |= {"filled": delta * MICRO, "status": "cancelled", "reason": "cash"}
        if delta:
            book.fill(now, s, i, delta, close, "cross" if serial % 53 == 11 else "trade", order)


def _settle(book: _Book, now: int, i: int, price: int) -> None:
    for s in range(len(book.sleeves)):
        if book.quantity[s, i]:
            book.fill(now, s, i, -int(book.quantity[s, i]), price, "settlement", "")


# -- tables ----------------------------------------------------------------------------------
def _frames(
    book: _Book,
    ts: Ints,
    prices: Ints,
    market: NDArray[np.float64],
    quantity: Ints,
    cost: Ints,
    cash: Ints,
) -> RunFrames:
    value = quantity * prices[:, None, :]
    by_sleeve = value.sum(axis=2)
    gross, funds = by_sleeve.sum(axis=1), cash.sum(axis=1)
    t, s, i = np.nonzero(quantity)
    empty = RunFrames.empty()
    even = np.cumprod(np.append(1.0, (prices[1:] / prices[:-1]).mean(axis=1))) * 1e6
    return RunFrames(
        equity=_as(empty.equity, {
            "ts": ts, "equity": gross + funds, "cash": funds, "gross": gross, "net": gross,
            "benchmark": market,
        }),
        orders=_as(empty.orders, pl.DataFrame(book.orders, infer_schema_length=None)),
        fills=_as(empty.fills, pl.DataFrame(book.fills, infer_schema_length=None)),
        positions=_as(empty.positions, {
            "ts": ts[t], "instrument": np.array(book.names)[i], "sleeve": np.array(book.sleeves)[s],
            "quantity": quantity[t, s, i] * MICRO, "mark_price": prices[t, i],
            "value": value[t, s, i], "cost": cost[t, s, i],
        }),
        sleeves=_as(empty.sleeves, {
            "ts": np.repeat(ts, 2), "sleeve": np.tile(np.array(book.sleeves), ts.size),
            "equity": (by_sleeve + cash).reshape(-1), "cash": cash.reshape(-1),
        }),
        verdicts=_as(empty.verdicts, pl.DataFrame(book.verdicts, infer_schema_length=None)),
        comparisons=_as(empty.comparisons, {
            "ts": ts, "name": np.repeat("equal_weight", ts.size), "equity": even,
        }),
    )  # fmt: skip


def _as(empty: pl.DataFrame, data: dict[str, Any] | pl.DataFrame) -> pl.DataFrame:
    """Give columns of micro units the types of the contract."""
    frame = pl.DataFrame(data) if isinstance(data, dict) else data
    if not frame.width:
        return empty
    micro = Decimal("0.000001")
    return frame.select(
        (pl.col(name).cast(kind) * micro).cast(kind).alias(name)
        if isinstance(kind, pl.Decimal)
        else pl.col(name).cast(kind)
        for name, kind in empty.schema.items()
    )
