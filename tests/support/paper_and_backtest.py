"""Funds that trade at a paper venue in memory, to be held against their backtests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.fund import LoadedFund, load_fund
from quantvista.market import sessions
from quantvista.trading.gateway import CancelOrder
from quantvista.trading.node import Node
from support.same_path import (
    Act,
    Message,
    QuietWorld,
    Ran,
    messages_of,
    run_node,
    terms_of,
)
from support.virtual_loop import run_virtually

type Floats = NDArray[np.float64]

PAIR = "BTC-USDT.PAPER"
FOLLOWS = '''
"""Follows an average with market orders, and rests limit orders that it takes back again."""

from quantvista.strategies import EventStrategy


class Follows(EventStrategy):
    def __init__(self, every: int = 10, lot: float = 0.01) -> None:
        super().__init__()
        self.every, self.lot = every, lot
        self.seen, self.average, self.wanted = 0, 0.0, 0.0

    def on_quote(self, ctx, quote):
        self.seen += 1
        middle = (quote.bid + quote.ask) / 2
        self.average += (middle - self.average) * (0.02 if self.average else 1)
        if self.seen % self.every:
            return
        for order in ctx.orders(PAIR):
            if order.limit_price and abs(order.limit_price - middle) > 5e-5 * middle:
                ctx.cancel(order.order_id)
        if middle < self.average and self.wanted < 0.05:
            self.wanted += self.lot
            ctx.submit(PAIR, "buy", self.lot, tif="ioc")
        elif middle > self.average and self.wanted > -0.05:
            self.wanted -= self.lot
            ctx.submit(PAIR, "sell", self.lot, tif="ioc")
        if self.seen % (3 * self.every) == 0:
            side, price = ("buy", quote.bid) if self.wanted <= 0 else ("sell", quote.ask)
            ctx.submit(PAIR, side, 2 * self.lot, type="limit", tif="gtc", limit_price=price)
'''.replace("PAIR", repr(PAIR))
TRENDS = '''
"""Holds what has risen in a week."""

import numpy as np

from quantvista.strategies import PortfolioStrategy


class Week(PortfolioStrategy):
    warm_up = 12

    def __init__(self, rows: int = 5) -> None:
        super().__init__()
        self.rows = rows

    def forecast(self, panel):
        return np.clip((panel.close[-1] / panel.close[-1 - self.rows] - 1) * 10, -1, 1)
'''
STOCKS = [f"I{number}.XNYS" for number in range(4)]
QUIET = 12
"""Sessions whose prices stand still, so that nothing is decided: what is known before a start."""
"""Sessions whose prices stand still, so that nothing is decided: what is known before a start."""
MONEY = ("USDT", Decimal(1_000_000)), ("BTC", Decimal(2))


def coin_fund(folder: Path, *, seed: int = 1, seconds: int = 60, **changed: Any) -> LoadedFund:  # noqa: ANN401
    """A fund that follows a generated market; what differs goes into its sections by name."""
    (folder / "follows.py").write_text(FOLLOWS)
    name = {"symbol": "BTC-USDT", "venue": "PAPER", "currency": "USDT"}
    rates = {"move_rate": 2, "limit_rate": 10, "market_rate": 2, "seconds": seconds, "seed": seed}
    terms = {"price": 50_000, "tick_size": "1", "lot_size": "0.00001", "size": 50_000}
    sections: dict[str, Any] = {
        "fund": {"name": "coins", "currency": "USDT", "cash": "1000000.00", "calendar": "24/7"},
        "account": {"balances": {"BTC": "2"}},
        "data": {"events": [{"source": "generated:market", "params": name | rates | terms}]},
        "instrument": [
            {"id": PAIR, "kind": "pair", "base": "BTC", "lot_size": "0.00001", "tick_size": "1"}
        ],
        "sleeve": [{"id": "all", "strategy": "follows.py:Follows"}],
        "venue": [{"id": "paper", "kind": "paper", "instruments": [PAIR], "fee_bps": "1"}],
    }
    for section, values in changed.items():
        one = sections[section]
        (one[0] if isinstance(one, list) else one).update(values)
    return load_fund(sections, base=folder)


def trade(
    loaded: LoadedFund,
    *,
    venue: Mapping[str, Any] | None = None,
    acts: Mapping[int, Act] | None = None,
) -> Ran:
    """Let a fund trade at a venue on the terms of its file, some of which may be others."""
    data = loaded.event_data()
    terms = terms_of(loaded, data.instruments, *MONEY)
    terms = replace(terms, rates=replace(terms.rates, **(venue or {})))
    return run_virtually(run_node(loaded, terms, messages_of(data.tape), acts=acts))


def commanded(command: str) -> Act:
    """What a person says to the node."""

    async def act(node: Node, _: QuietWorld) -> None:
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        node.post("command", ({"command": command, "by": "ada", "reason": "odd"}, answer))
        await answer

    return act


def cancelled_by_others() -> Act:
    """What rests on the fund's account is cancelled with another key, as the guard does."""

    async def act(node: Node, world: QuietWorld) -> None:
        gateway = world.gateway("guard")
        for order in node.session.working():
            name = node.orders.client_id(order["id"])
            await gateway.cancel(CancelOrder(client_order_id=name))

    return act


def traded_by_hand(side: str, quantity: str) -> Act:
    """A trade on the fund's account that the fund did not order."""

    async def act(_: Node, world: QuietWorld) -> None:
        asked = {"account": "main", "instrument": PAIR, "side": side, "quantity": quantity}
        await world.fault(kind="trade", **asked)

    return act


# -- stocks, on daily bars -------------------------------------------------------------------
def sessions_of_bars(count: int = len(STOCKS), until: str = "2024-02-09") -> tuple[Any, Floats]:
    """Sessions, and open, high, low, close of each stock, shape (T, n, 4); quiet at first."""
    days = sessions("XNYS", "2023-12-08", until)
    random = np.random.default_rng(3)
    last = 20.0 + 30.0 * np.arange(count)
    bars = np.empty((len(days), count, 4))
    for row in range(len(days)):
        first = last
        if row >= QUIET:
            first = np.round(last * np.exp(random.normal(0, 0.005, count)), 2)
            last = np.round(first * np.exp(random.normal(0, 0.015, count)), 2)
        high, low = np.maximum(first, last) + 0.05, np.minimum(first, last) - 0.05
        bars[row] = np.stack([first, high, low, last], axis=1)
    return days, bars


def write_bars(file: Path, days: Any, bars: Floats, rows: int) -> Path:  # noqa: ANN401
    """Write the first rows as a file of bars."""
    lines = ["date,instrument,open,high,low,close,volume"]
    for label, row in zip(days.labels[:rows], bars, strict=False):
        for number, prices in enumerate(row):
            lines.append(
                f"{label},I{number}.XNYS,{','.join(f'{each:.2f}' for each in prices)},100000"
            )
    file.write_text("\n".join(lines) + "\n")
    return file


def stock_fund(
    folder: Path,
    source: str = "past.csv",
    *,
    venue: Mapping[str, Any] | None = None,
    **params: Any,  # noqa: ANN401
) -> LoadedFund:
    """A fund of two sleeves over daily bars; parameters are those of the first."""
    (folder / "trends.py").write_text(TRENDS)
    fund = {"name": "stocks", "cash": "1000000.00", "calendar": "XNYS"}
    terms = {"id": "paper", "kind": "paper", "instruments": STOCKS, "slippage_bps": "3"}
    return load_fund(
        {
            "fund": {**fund, "time_zone": "America/New_York"},
            "data": {"source": source},
            "portfolio": {"rebalance": "daily", "volatility_window": 10, "weighting": "equal"},
            "sleeve": [
                {"id": "one", "strategy": "trends.py:Week", "share": "0.6", "params": params},
                {"id": "two", "strategy": "trends.py:Week", "share": "0.4", "params": {"rows": 8}},
            ],
            "venue": [{**terms, **(venue or {"fee_bps": "2"})}],
        },
        base=folder,
    )


def trade_stocks(
    loaded: LoadedFund,
    days: Any,  # noqa: ANN401
    bars: Floats,
    *,
    venue: Mapping[str, Any] | None = None,
) -> Ran:
    """Let a fund trade all sessions but the quiet ones."""
    instruments = [replace(each, matching="bars") for each in loaded.market_data().instruments]
    closes = days.close_ns.tolist()
    messages = [_message(closes[row], bars[row]) for row in range(QUIET, len(days))]
    terms = terms_of(loaded, instruments, ("USD", Decimal(1_000_000)))
    terms = replace(terms, rates=replace(terms.rates, **(venue or {})))
    return run_virtually(run_node(loaded, terms, messages))


def _message(ts: int, row: Floats) -> Message:
    events: list[dict[str, Any]] = []
    for place, prices in enumerate(np.rint(row * 100).astype(int).tolist()):
        bar = {"range": prices[:3], "close": prices[3], "volume": 100_000}
        events.append({"bar": {"instrument": place, "bar": bar}})
    return ts, [*events, {"barrier": {"session_start": True, "session_end": True}}]
