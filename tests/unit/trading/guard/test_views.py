"""What the guard makes of what a venue says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quantvista.trading.gateway import (
    BalanceChanged,
    BookLevelData,
    Delivery,
    Filled,
    Listing,
    QuoteData,
    TradeData,
)
from quantvista.trading.guard._views import VenueView

PAIR = Listing(
    instrument="BTC-USDT.PAPER",
    kind="pair",
    settlement="exchange",
    currency="USDT",
    base="BTC",
    price_precision=2,
    quantity_precision=5,
    tick_size=1,
    lot_size=1,
    multiplier=1,
    data="quotes",
    halted=False,
)
QUOTE = QuoteData(instrument=PAIR.instrument, bid=100, bid_size=1, ask=102, ask_size=1, ts=1)
TRADE = TradeData(instrument=PAIR.instrument, price=100, size=1, aggressor="buy", ts=1)
FILL = Filled(
    client_order_id="test-1-000001",
    venue_order_id="1",
    trade_id="1",
    instrument=PAIR.instrument,
    side="buy",
    quantity=5,
    price=100,
    fee=0,
    fee_currency="USDT",
    liquidity="taker",
    ts=1,
)
PAID = BalanceChanged(currency="USDT", amount=5, cause="deposit", ts=1)


def heard(event: Any, sequence: int | None = None) -> VenueView:  # noqa: ANN401
    view = VenueView("paper", "test.guard-")
    view.list_instruments([PAIR])
    view.hear(Delivery(sequence=None, ts_received=1, event=QUOTE), 0.0)
    view.hear(Delivery(sequence=sequence, ts_received=1, event=event), 1.0)
    return view


@pytest.mark.parametrize("wrong", [1.5, "100", True, 10**40, [1], {"a": 1}])
@pytest.mark.parametrize(
    ("event", "name"), [(QUOTE, "bid"), (QUOTE, "ask"), (QUOTE, "ts"), (TRADE, "price")]
)
def test_a_price_that_makes_no_sense_is_left_out(event: Any, name: str, wrong: Any) -> None:  # noqa: ANN401
    view = heard(replace(event, **{name: wrong}))
    assert (view.marks[PAIR.instrument].twice, view.marks[PAIR.instrument].at) == (202, 0.0)
    assert view.resets == 0


@pytest.mark.parametrize("wrong", [1.5, "100", True, 10**40])
@pytest.mark.parametrize(
    ("event", "name"),
    [(FILL, "price"), (FILL, "quantity"), (FILL, "fee"), (FILL, "ts"), (PAID, "amount")],
)
def test_a_report_that_makes_no_sense_halts(event: Any, name: str, wrong: Any) -> None:  # noqa: ANN401
    view = heard(replace(event, **{name: wrong}), sequence=7)
    assert (view.sequence, view.resets, view.open_cost) == (7, 1, {})


@pytest.mark.parametrize("wrong", [5, None, ["BTC-USDT.PAPER"]])
def test_a_name_that_is_no_text_is_left_out(wrong: Any) -> None:  # noqa: ANN401
    assert heard(replace(QUOTE, instrument=wrong)).resets == 0
    assert heard(replace(FILL, instrument=wrong), sequence=7).resets == 1


def test_levels_that_make_no_sense_are_left_out() -> None:
    level = BookLevelData(instrument=PAIR.instrument, side="bid", price=101, size=1, ts=1)
    view = heard(level)
    view.hear(Delivery(sequence=None, ts_received=1, event=replace(level, price="x")), 2.0)  # type: ignore[arg-type]
    assert view.marks[PAIR.instrument].bid == 101
    assert view.resets == 0
