"""Corners of the rules that random funds seldom reach, with answers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from oracle import InputError
from quantvista.errors import QuantVistaError
from support.implementation import Implementation
from support.implementations import IMPLEMENTATIONS

type Make = Callable[[Mapping[str, Any]], Implementation]
type Output = dict[str, Any]

CENT = 10**10
"""Money of a cent; also the notional of one unit at a price of one."""


def config(*, cash: list[int], close_only: bool, precision: int = 2, **venue: Any) -> Output:  # noqa: ANN401
    """Set up one instrument in cents and whole units, free of cost; cash in cents by sleeve."""
    names = ("fat_finger_notional", "fat_finger_quantity", "position_max", "weight_max")
    off: Output = dict.fromkeys((*names, "sector_max", "gross_max"))
    costs = {"fee_rate": 0, "slippage": 0, "limit_fill": "through", "participation_max": None}
    return {
        "semantics": 2,
        "fund": "corner",
        "currency_precision": precision,
        "sleeves": ["a", "b", "c"][: len(cash)],
        "cash": [amount * CENT for amount in cash],
        "instruments": [
            {
                "id": "AAA.XSIM",
                "price_precision": 2,
                "quantity_precision": 0,
                "tick_size": 1,
                "lot_size": 1,
                "multiplier": 1,
                "sector": "",
                "effective_from": None,
                "effective_to": None,
                "close_only": close_only,
            }
        ],
        "venue": {**costs, "on_close_cutoff_ns": 10, **venue},
        "limits": {"price_band": 100_000_000, **off},
    }


class Play:
    """Feeds one instrument, a barrier at a time; keeps the outputs."""

    def __init__(self, make: Make, config: Mapping[str, Any]) -> None:
        self.simulator = make(config)
        self.outputs: list[Output] = []
        self.sequence = 0

    def feed(self, kind: str, ts: int, **fields: Any) -> list[Output]:  # noqa: ANN401
        self.sequence += 1
        head = {"type": kind, "ts": ts, "source": 0, "sequence": self.sequence}
        found = self.simulator.apply({**head, **fields})
        self.outputs += found
        return found

    def bar(self, ts: int, *prices: int, volume: int | None = None) -> None:
        """Send a bar; the prices are open, high, low and close, or the close alone."""
        path: tuple[int | None, ...] = prices if len(prices) == 4 else (None, None, None, *prices)
        names = ("open", "high", "low", "close")
        self.feed("bar", ts, instrument=0, volume=volume, **dict(zip(names, path, strict=True)))

    def barrier(self, ts: int, *prices: int, start: bool = True, end: bool = True) -> list[Output]:
        """Match at a barrier, with a bar before it if there are prices."""
        if prices:
            self.bar(ts, *prices)
        return self.feed("barrier", ts, session_start=start, session_end=end)

    def order(self, ts: int, sleeve: int, side: str, quantity: int, **fields: Any) -> list[Output]:  # noqa: ANN401
        """Send an order: a market order for the day unless the fields say otherwise."""
        usual = {"order_type": "market", "tif": "day", "limit_price": None}
        head = {"sleeve": sleeve, "instrument": 0, "side": side, "quantity": quantity}
        return self.feed("submit_order", ts, **head, **{**usual, **fields})

    def ends(self) -> dict[int, tuple[str, int, str]]:
        """Status, filled quantity and reason of each order."""
        return {
            id: (order.status, order.filled, "" if order.status == "filled" else order.reason)
            for id, order in self.simulator.orders.items()
        }


def fills(outputs: list[Output]) -> list[tuple[int | None, int, int, str]]:
    """Order, quantity, price and kind of each fill."""
    return [
        (output["order_id"], output["quantity"], output["price"], output["kind"])
        for output in outputs
        if output["type"] == "order_filled"
    ]


@pytest.fixture(params=list(IMPLEMENTATIONS))
def make(request: pytest.FixtureRequest) -> Make:
    return IMPLEMENTATIONS[request.param]


def test_close_only_buy_fills_its_external_part_after_crossing(make: Make) -> None:
    play = Play(make, config(cash=[1_000, 9_000], close_only=True))
    play.barrier(100, 100)
    play.order(100, 0, "buy", 10)
    play.barrier(200, 100)
    play.order(200, 0, "sell", 10)
    play.order(200, 1, "buy", 15)
    assert fills(play.barrier(300, 100)) == [
        (2, 10, 100, "cross"),
        (3, 10, 100, "cross"),
        (3, 5, 100, "trade"),
    ]


def test_cross_is_cut_to_the_cash_of_the_buyer(make: Make) -> None:
    play = Play(make, config(cash=[1_000, 2_000], close_only=False))
    play.barrier(100, 100, 100, 100, 100)
    play.order(100, 0, "buy", 10)
    play.barrier(200, 100, 100, 100, 100)
    play.order(200, 0, "sell", 5)
    play.order(200, 1, "buy", 20)
    # 15 go to the venue for 1,635; the 365 left cover 3 of the 5 that are to cross.
    found = play.barrier(300, 109, 109, 109, 109)
    assert fills(found) == [(3, 15, 109, "trade"), (2, 3, 109, "cross"), (3, 3, 109, "cross")]
    assert play.ends()[2] == ("expired", 3, "uncrossed")
    assert play.ends()[3] == ("cancelled", 18, "cash")


def test_external_cut_takes_the_planned_cross_away(make: Make) -> None:
    play = Play(make, config(cash=[200, 2_000], close_only=False))
    play.barrier(100, 100, 100, 100, 100)
    play.order(100, 0, "buy", 1)
    play.barrier(200, 100, 100, 100, 100)
    play.order(200, 0, "sell", 1)
    play.order(200, 1, "buy", 20)
    # 19 go to the venue at 109: 2,071, and 2,000 covers 18. The sale finds no partner any more.
    assert fills(play.barrier(300, 109, 109, 100, 100)) == [(3, 18, 109, "trade")]
    assert play.ends()[2] == ("expired", 0, "uncrossed")
    assert play.ends()[3] == ("cancelled", 18, "cash")


def test_sale_that_cannot_pay_its_fee_is_cancelled(make: Make) -> None:
    # Whole dollars: the fee of 0.01 % is a dollar, and the share is worth half of it in the end.
    setup = config(cash=[1_100], close_only=True, precision=0, fee_rate=100_000)
    play = Play(make, setup)
    play.barrier(100, 1_000)
    play.order(100, 0, "buy", 1)
    play.barrier(200, 1_000)
    assert play.simulator.cash(0) == 0
    play.barrier(300, 50)
    play.order(300, 0, "sell", 1)
    verdict, cancelled = play.barrier(400, 50)
    assert (verdict["outcome"], verdict["rule"]) == ("cut", "cash")
    assert (verdict["figure"], verdict["limit"]) == (100 * CENT, 50 * CENT)
    assert (cancelled["type"], cancelled["reason"]) == ("order_cancelled", "cash")
    assert play.simulator.position(0, 0) == 1


def test_volume_can_leave_a_sale_too_small_for_its_fee(make: Make) -> None:
    setup = config(cash=[2_100], close_only=True, precision=0, fee_rate=1, participation_max=10**9)
    play = Play(make, setup)
    play.bar(100, 20, volume=1_000)
    play.barrier(100)
    play.order(100, 0, "buy", 100)
    play.bar(200, 20, volume=1_000)
    play.barrier(200)
    assert play.simulator.cash(0) == 0
    play.order(200, 0, "sell", 100)
    play.bar(300, 20, volume=4)
    # 100 would bring 20.00, well above the fee of 1.00, but 4 bring only 0.80.
    verdict, _ = play.barrier(300)
    assert (verdict["figure"], verdict["limit"]) == (100 * CENT, 80 * CENT)
    assert play.ends()[2] == ("cancelled", 0, "cash")


def test_on_open_order_expires_with_the_reason_of_the_open(make: Make) -> None:
    play = Play(make, config(cash=[10_000], close_only=False))
    play.barrier(100, 100, 100, 100, 100)
    play.order(100, 0, "buy", 1, order_type="on_open")
    held = play.barrier(200, 150, 150, 100, 100, end=False)[0]
    assert (held["outcome"], held["figure"], held["limit"]) == ("held", 150, 110)
    play.barrier(300, 100, 100, 100, 100, start=False)
    assert play.ends()[1] == ("expired", 0, "price_band")


def test_on_close_order_after_the_cutoff_waits_for_the_next_close(make: Make) -> None:
    play = Play(make, config(cash=[10_000], close_only=False))
    play.barrier(100, 100, 100, 100, 100)
    play.order(190, 0, "buy", 1, order_type="on_close")
    play.order(191, 0, "buy", 1, order_type="on_close")
    assert fills(play.barrier(200, 100, 101, 100, 101)) == [(1, 1, 101, "trade")]
    assert fills(play.barrier(300, 100, 102, 100, 102)) == [(2, 1, 102, "trade")]


def test_touched_limit_fills_only_where_the_venue_says_so(make: Make) -> None:
    for limit_fill, filled in (("through", 0), ("touch", 3)):
        play = Play(make, config(cash=[10_000], close_only=False, limit_fill=limit_fill))
        play.barrier(100, 100, 100, 100, 100)
        play.order(100, 0, "buy", 3, order_type="limit", limit_price=95)
        play.barrier(200, 100, 100, 95, 100)
        assert play.ends()[1][1] == filled


def test_volume_goes_by_largest_remainder_then_sleeve(make: Make) -> None:
    setup = config(cash=[10_000] * 3, close_only=True, participation_max=500_000_000)
    play = Play(make, setup)
    play.bar(100, 100, volume=0)
    play.barrier(100)
    for sleeve, quantity in ((2, 5), (1, 5), (0, 1)):
        play.order(100, sleeve, "buy", quantity)
    play.bar(200, 100, volume=17)
    # 8 over 1, 5, 5: exactly 0.73, 3.64, 3.64, so 0, 3, 3 and one more to the first two.
    assert fills(play.barrier(200)) == [
        (3, 1, 100, "trade"),
        (2, 4, 100, "trade"),
        (1, 3, 100, "trade"),
    ]


def test_cancel_of_an_order_that_does_not_work_is_answered(make: Make) -> None:
    play = Play(make, config(cash=[10_000], close_only=True))
    play.barrier(100, 100)
    play.order(100, 0, "buy", 1)
    assert play.feed("cancel_order", 100, order_id=1)[0]["reason"] == "requested"
    for order_id in (1, 99):
        assert play.feed("cancel_order", 100, order_id=order_id)[0]["type"] == "cancel_rejected"


@pytest.mark.parametrize(
    "prices",
    [(0,), (-1,), (100, 100, 100, 100)],
    ids=["zero", "negative", "range on close-only"],
)
def test_impossible_bar_of_a_close_only_instrument_raises(
    make: Make, prices: tuple[int, ...]
) -> None:
    play = Play(make, config(cash=[10_000], close_only=True))
    with pytest.raises((InputError, QuantVistaError)):
        play.bar(100, *prices)


@pytest.mark.parametrize(
    "prices",
    [(100,), (100, 99, 90, 95), (100, 110, 101, 105), (100, 110, 90, 111), (100, 110, 0, 105)],
    ids=["close alone", "open above high", "open below low", "close above high", "low of zero"],
)
def test_impossible_bar_of_an_ohlc_instrument_raises(make: Make, prices: tuple[int, ...]) -> None:
    play = Play(make, config(cash=[10_000], close_only=False))
    with pytest.raises((InputError, QuantVistaError)):
        play.bar(100, *prices)


def _second_bar(play: Play) -> None:
    play.bar(200, 100)
    play.bar(200, 100)


def _order_while_bars_wait(play: Play) -> None:
    play.bar(200, 100)
    play.order(200, 0, "buy", 1)


def _barrier_too_late(play: Play) -> None:
    play.bar(200, 100)
    play.barrier(201)


def _back_in_time(play: Play) -> None:
    play.barrier(99, 100)


def _class_before(play: Play) -> None:
    play.order(200, 0, "buy", 1)
    play.bar(200, 100)


def _bar_after_the_end(play: Play) -> None:
    play.feed("instrument_ended", 200, instrument=0)
    play.bar(300, 100)


def _ended_twice(play: Play) -> None:
    play.feed("instrument_ended", 200, instrument=0)
    play.feed("instrument_ended", 300, instrument=0)


def _named_twice(play: Play) -> None:
    play.feed("target_portfolio", 200, sleeve=0, targets=[(0, 1), (0, 2)])


@pytest.mark.parametrize(
    "mistake",
    [
        _second_bar,
        _order_while_bars_wait,
        _barrier_too_late,
        _back_in_time,
        _class_before,
        _bar_after_the_end,
        _ended_twice,
        _named_twice,
    ],
)
def test_input_out_of_place_raises(make: Make, mistake: Callable[[Play], None]) -> None:
    play = Play(make, config(cash=[10_000], close_only=True))
    play.barrier(100, 100)
    with pytest.raises((InputError, QuantVistaError)):
        mistake(play)
