"""Funds that trade at a paper venue in memory, to be held against their backtests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantvista.fund import LoadedFund, load_fund
from support.same_path import Message, Ran, messages_of, run_node, terms_of
from support.virtual_loop import run_virtually

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
MONEY = ("USDT", Decimal(1_000_000)), ("BTC", Decimal(2))


def coin_fund(folder: Path, *, seed: int = 1, seconds: int = 60, **changed: Any) -> LoadedFund:  # noqa: ANN401
    """A fund that follows a generated market; what differs goes into its sections by name."""
    (folder / "follows.py").write_text(FOLLOWS)
    name = {"symbol": "BTC-USDT", "venue": "PAPER", "currency": "USDT"}
    rates = {"move_rate": 2, "limit_rate": 10, "market_rate": 2, "seconds": seconds, "seed": seed}
    terms = {"price": 50_000, "tick_size": "1", "lot_size": "0.00001", "size": 50_000}
    sections = {
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
    messages: Callable[[Sequence[Message]], Sequence[Message]] | None = None,
) -> Ran:
    """Let a fund trade at a venue on the terms of its file, some of which may be others."""
    data = loaded.event_data()
    terms = terms_of(loaded, data.instruments, *MONEY)
    terms = replace(terms, rates=replace(terms.rates, **(venue or {})))
    told = messages_of(data.tape)
    return run_virtually(run_node(loaded, terms, messages(told) if messages else told))
