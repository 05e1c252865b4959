"""Strategies that let something be computed, and a fund for them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from quantvista.fund import LoadedFund, load_fund
from quantvista.strategies import ComputeResult, EventStrategy, Quote, Timer

MS = 1_000_000
CALLS: list[float] = []
"""Arguments of all calls of `slow`, for who counts them."""

NAME = "BTC-USDT.PAPER"


def slow(bid: float, ask: float) -> dict[str, Any]:
    """A forecast of no worth that depends on its arguments alone."""
    CALLS.append(bid)
    digest = hashlib.sha256(f"{bid}/{ask}".encode()).digest()
    return {"forecast": digest[0] / 128 - 1, "inputs": (bid, ask)}


class Slow(EventStrategy):
    """Asks for a forecast at every fifth quote, and trades on it 300 ms later."""

    after_ns = 300 * MS
    every = 5

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.results: list[tuple[int, ComputeResult]] = []
        self.timers: list[str] = []

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        self.seen += 1
        if self.seen % self.every == 1 % self.every:
            number = ctx.compute(slow, quote.bid, quote.ask, after_ns=self.after_ns)
            ctx.set_timer(ctx.clock.now + 1, f"asked {number}")

    def on_timer(self, ctx: Any, timer: Timer) -> None:  # noqa: ANN401
        self.timers.append(timer.name)

    def on_result(self, ctx: Any, result: ComputeResult) -> None:  # noqa: ANN401
        self.results.append((self.seen, result))
        if result.ok:
            side = "buy" if result.value["forecast"] > 0 else "sell"
            ctx.submit(NAME, side, 0.01, tif="ioc")


def fund_of(
    strategy: type[EventStrategy] | str, seconds: int = 60, base: Path | None = None
) -> LoadedFund:
    """A fund on a generated market."""
    name = {"symbol": "BTC-USDT", "venue": "PAPER", "currency": "USDT"}
    rates = {"move_rate": 2, "limit_rate": 10, "market_rate": 2, "seconds": seconds, "seed": 1}
    terms = {"price": 50_000, "tick_size": "1", "lot_size": "0.00001", "size": 50_000}
    pair = {"id": NAME, "kind": "pair", "base": "BTC", "tick_size": "1", "lot_size": "0.00001"}
    money = {"name": "same", "currency": "USDT", "cash": "1000000.00", "calendar": "24/7"}
    return load_fund(
        {
            "fund": money,
            "account": {"balances": {"BTC": "2"}},
            "data": {"events": [{"source": "generated:market", "params": name | rates | terms}]},
            "instrument": [pair],
            "sleeve": [{"id": "all", "strategy": strategy}],
            "venue": [{"id": "paper", "kind": "paper", "instruments": [NAME], "fee_bps": "1"}],
        },
        base=base,
    )
