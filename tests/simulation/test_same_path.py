"""A running fund wants what its backtest over the same market wants, order by order.

The conditions under which that must hold are in docs/guide/running.md.
"""

from __future__ import annotations

import gzip
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from quantvista.backtest import run
from quantvista.fund import LoadedFund, load_fund
from quantvista.market import Panel
from quantvista.strategies import Book, EventStrategy, PortfolioStrategy, Quote
from quantvista.trading.divergence import diverge
from support.computing import Slow, fund_of
from support.paper_and_backtest import QUIET, sessions_of_bars, write_bars
from support.same_path import (
    SECOND,
    Intent,
    Message,
    intents_of,
    messages_of,
    run_node,
    terms_of,
    trades_of,
)
from support.virtual_loop import run_virtually

RECORDING = Path(__file__).parents[3] / "shared/data/l2_binance_ws/spot_btcusdt_20240808.jsonl.gz"
LINES = 4_500
STOCKS = [f"I{number}.XNYS" for number in range(5)]

type Floats = NDArray[np.float64]


# -- bars ------------------------------------------------------------------------------------
class Follow(PortfolioStrategy):
    """Holds what has risen in a week."""

    warm_up = QUIET

    def forecast(self, panel: Panel) -> Floats:
        found: Floats = np.clip((panel.close[-1] / panel.close[-6] - 1) * 10, -1, 1)
        return found


def stocks(folder: Path, days: Any, bars: Floats, rows: int) -> LoadedFund:  # noqa: ANN401
    """A fund over the first rows."""
    write_bars(folder / f"{rows}.csv", days, bars, rows)
    fund = {"name": "same", "cash": "1000000.00", "calendar": "XNYS"}
    return load_fund(
        {
            "fund": {**fund, "time_zone": "America/New_York"},
            "data": {"source": f"{rows}.csv"},
            "portfolio": {"rebalance": "daily", "volatility_window": 10, "weighting": "equal"},
            "sleeve": [{"id": "follow", "strategy": Follow}],
            "venue": [paper(STOCKS, fee_bps="2", slippage_bps="3")],
        },
        base=folder,
    )


def paper(instruments: Sequence[str], **terms: str) -> dict[str, Any]:
    return {"id": "paper", "kind": "paper", "instruments": list(instruments), **terms}


def message(ts: int, row: Floats) -> Message:
    """Bars of a session as a venue is fed with them."""
    events: list[dict[str, Any]] = []
    for place, prices in enumerate(np.rint(row * 100).astype(int).tolist()):
        bar = {"range": prices[:3], "close": prices[3], "volume": 100_000}
        events.append({"bar": {"instrument": place, "bar": bar}})
    return ts, [*events, {"barrier": {"session_start": True, "session_end": True}}]


def test_a_year_of_daily_bars(tmp_path: Path) -> None:
    days, bars = sessions_of_bars(len(STOCKS), "2024-12-31")
    whole = stocks(tmp_path, days, bars, len(days))
    past = stocks(tmp_path, days, bars, QUIET)
    instruments = [replace(each, matching="bars") for each in whole.market_data().instruments]
    closes = days.close_ns.tolist()
    messages = [message(closes[row], bars[row]) for row in range(QUIET, len(days))]
    assert len(messages) > 252
    terms = terms_of(past, instruments, ("USD", Decimal(1_000_000)))

    expected, found = run(whole), run_virtually(run_node(past, terms, messages))
    assert (found.reasons, found.late) == (set(), 0)
    # A backtest decides nothing after its last bar, for nothing could be filled any more.
    wanted = by_session(intents_of(expected), closes)
    there = [each for each in by_session(found.intents, closes) if each[0] < len(days)]
    assert there == wanted
    assert len(wanted) > 500
    assert found.trades == trades_of(expected)


def by_session(intents: Sequence[Intent], closes: Sequence[int]) -> list[tuple[Any, ...]]:
    """With the number of the newest close in the place of the time."""
    return [(bisect_right(closes, ts), *rest) for ts, *rest in intents]


# -- events ----------------------------------------------------------------------------------
class Both(EventStrategy):
    """Follows an average with market orders, and rests limit orders that it takes back again."""

    every = 10
    money = 2.0

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.average = 0, 0.0

    def look(self, ctx: Any, name: str, bid: float, ask: float) -> None:  # noqa: ANN401
        self.seen += 1
        middle = (bid + ask) / 2
        self.average += (middle - self.average) * (0.02 if self.average else 1)
        if self.seen % self.every:
            return
        held = ctx.balance("BTC") - self.money  # by its fills
        if middle < self.average and held < 0.05:
            ctx.submit(name, "buy", 0.01, tif="ioc")
        elif middle > self.average and held > -0.05:
            ctx.submit(name, "sell", 0.01, tif="ioc")
        for order in ctx.orders(name):
            if order.limit_price and abs(order.limit_price - middle) > 5e-5 * middle:
                ctx.cancel(order.order_id)
        if self.seen % (3 * self.every) == 0:
            side, price = ("buy", bid) if held <= 0 else ("sell", ask)
            ctx.submit(name, side, 0.02, type="limit", tif="gtc", limit_price=price)


class Quoted(Both):
    """On quotes."""

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        self.look(ctx, quote.instrument, quote.bid, quote.ask)


class Booked(Both):
    """On books."""

    every = 3

    def on_book(self, ctx: Any, book: Book) -> None:  # noqa: ANN401
        self.look(ctx, book.instrument, book.bids[0][0], book.asks[0][0])


def coins(
    folder: Path,
    source: Mapping[str, Any],
    strategy: type[Both],
    **instrument: Any,  # noqa: ANN401
) -> LoadedFund:
    fund = {"name": "same", "currency": "USDT", "cash": "1000000.00", "calendar": "24/7"}
    pair = {"kind": "pair", "base": "BTC", "lot_size": "0.00001", **instrument}
    return load_fund(
        {
            "fund": fund,
            "account": {"balances": {"BTC": "2"}},
            "data": {"events": [source]},
            "instrument": [pair],
            "sleeve": [{"id": "all", "strategy": strategy}],
            "venue": [paper([pair["id"]], fee_bps="1")],
        },
        base=folder,
    )


def compare(loaded: LoadedFund) -> None:
    data = loaded.event_data()
    money = ("USDT", Decimal(1_000_000)), ("BTC", Decimal(2))
    terms = terms_of(loaded, data.instruments, *money)
    expected = run(loaded)
    found = run_virtually(run_node(loaded, terms, messages_of(data.tape)))
    assert found.reasons == set()
    wanted, there = intents_of(expected), found.intents
    assert [each[1:] for each in there] == [each[1:] for each in wanted]
    assert len(wanted) >= 100
    # A node gives every input a nanosecond of its own, so that reports come between.
    assert all(0 <= a[0] - b[0] < 1_000 for a, b in zip(there, wanted, strict=True))
    assert found.trades == trades_of(expected)
    compared = diverge(found.disk, fund=loaded)
    assert (compared.matching.same, compared.matching.pairs) == (len(wanted), ())
    assert not any(any(each.curve) for each in compared.causes)


def test_a_generated_market(tmp_path: Path) -> None:
    name = {"symbol": "BTC-USDT", "venue": "PAPER", "currency": "USDT"}
    rates = {"move_rate": 2, "limit_rate": 10, "market_rate": 2, "seconds": 150, "seed": 1}
    terms = {"price": 50_000, "tick_size": "1", "lot_size": "0.00001", "size": 50_000}
    source = {"source": "generated:market", "params": name | rates | terms}
    compare(coins(tmp_path, source, Quoted, id="BTC-USDT.PAPER", tick_size="1"))


def test_a_recording_of_binance(tmp_path: Path) -> None:
    if not RECORDING.exists():
        pytest.skip(f"needs {RECORDING.name} beside the checkout, which is not here")
    with gzip.open(RECORDING, "rt") as whole, gzip.open(tmp_path / "part.jsonl.gz", "wt") as part:
        part.writelines(islice(whole, LINES))
    name = "BTCUSDT.BINANCE"
    source = {"source": "part.jsonl.gz", "format": "binance", "instrument": name}
    steps = {"tick_size": "0.01", "quantity_precision": 8}
    compare(coins(tmp_path, source, Booked, id=name, **steps))


class Forecasting(Slow):
    """Trades on what is computed for 300 ms; a node hears of it when a backtest does."""

    every = 1
    until = 0

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        self.until = self.until or ctx.clock.now + 50 * SECOND
        # A backtest ends with its data, and hears of nothing that was wanted later.
        if ctx.awaited < 30 and ctx.clock.now < self.until:
            super().on_quote(ctx, quote)


def test_what_is_computed_elsewhere() -> None:
    loaded = fund_of(Forecasting, 60)
    compare(loaded)
