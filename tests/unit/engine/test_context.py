"""What a strategy may ask of its context, and what that refuses."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantvista import backtest
from quantvista.engine import (
    BarArrays,
    LimitRates,
    Session,
    SleeveCash,
    VenueRates,
    bar_feed,
    engine_config,
)
from quantvista.errors import StrategyError
from quantvista.market import Instrument
from quantvista.strategies import Bar, Context, EventStrategy

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")
PRICES = "date,A.XNYS\n" + "".join(f"{day},100.00\n" for day in DAYS)


def run(tmp_path: Path, strategy: type[EventStrategy]) -> backtest.Outcome:
    (tmp_path / "prices.csv").write_text(PRICES)
    fund: dict[str, Any] = {
        "fund": {"name": "tiny", "cash": "10000.00"},
        "data": {"source": str(tmp_path / "prices.csv")},
        "sleeve": [{"id": "a", "strategy": strategy}],
    }
    return backtest.run(fund)


@pytest.mark.parametrize("price", [100.826, float("nan"), float("inf"), 1e300])
def test_limit_price_that_is_no_price_of_the_instrument_is_refused(
    tmp_path: Path, price: float
) -> None:
    class Fine(EventStrategy):
        def on_bar(self, ctx: Context, bar: Bar) -> None:
            ctx.submit(bar.instrument, "buy", 1, type="limit", limit_price=price)

    with pytest.raises(StrategyError, match="`limit_price` must have no more digits"):
        run(tmp_path, Fine)


def test_limit_price_with_the_noise_of_floats_is_the_price_meant(tmp_path: Path) -> None:
    class Noisy(EventStrategy):
        def on_bar(self, ctx: Context, bar: Bar) -> None:
            ctx.submit(bar.instrument, "buy", 1, type="limit", limit_price=33.1 * 3)

    assert run(tmp_path, Noisy).orders["limit_price"].to_list() == [99.3] * len(DAYS)


def test_many_timers_come_in_the_order_of_their_time(tmp_path: Path) -> None:
    seen: list[str] = []

    class Timed(EventStrategy):
        def on_bar(self, ctx: Context, bar: Bar) -> None:
            if not seen:
                for number in range(20_000):
                    ctx.set_timer(2**62 + number, "never")
            for name, later in (("second", 2), ("first", 1)):
                ctx.set_timer(bar.ts + later, name)

        def on_timer(self, ctx: Context, timer: Any) -> None:  # noqa: ANN401
            seen.append(timer.name)

    run(tmp_path, Timed)
    assert seen == ["first", "second"] * (len(DAYS) - 1)


def test_session_without_a_record_refuses_strategies() -> None:
    instrument = Instrument("A.XNYS")
    config = engine_config(
        fund="tiny",
        currency="USD",
        instruments=[instrument],
        close_only=True,
        sleeves=[SleeveCash("a", Decimal(1000))],
        venue=VenueRates(),
        limits=LimitRates(),
    )
    flags = np.ones(2, np.bool_)
    bars = BarArrays(np.arange(1, 3), flags, flags, np.full((2, 1), 10.0))
    session = Session(config, bar_feed(bars, [instrument]), record="off")
    with pytest.raises(ValueError, match="`record` must not be off"):
        session.run(2, [], lambda row: None)
    session.run(1, [])
    assert (session.row, session.fills) == (1, 0)
