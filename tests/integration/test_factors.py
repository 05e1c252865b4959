"""Raw prices with corporate actions earn what LEAN's factor files and adjusted closes say.

The ledger holds 1,000 shares from the first day on. A day's return is the value of the position at
the close over its value after the actions of that day; by the factors it is the ratio of two
adjusted closes, ``close * price factor * split factor``. The files lie beside the checkout and are
not part of it; without them the tests on them are skipped.

What is compared, and what the files themselves do not hold:

- A split factor has seven or eight decimals, so a ratio such as 1 : 56 is off by up to 3e-6. The
  adjusted closes here are made with the ratio of whole numbers that the factors stand for.
- QQQ has no closes from 2004-12-01 to 2011-03-22, when it traded as QQQQ: one return spans its
  gap, with 24 actions within. With dividends as shares of the price, as the factors have them, it
  is compared like every other. With the amounts of money that users get, which have no price there
  to be a share of, that one return is 0.6 % off, and no other day of any symbol is.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantvista.data.events import read_factors
from quantvista.engine import LimitRates, RawEngine, SleeveCash, VenueRates, engine_config
from quantvista.market import CorporateAction, Instrument
from support.engine_records import to_engine

FILES = Path(__file__).parents[3] / "shared" / "data" / "equities_daily"
SYMBOLS = ("aapl", "spy", "iwm", "qqq")
DIGITS = 8
"""Of prices: half a unit of the last is less than 1e-8 of any price here."""
HELD = 1_000
DAY = 86_400 * 10**9
TOLERANCE = 1e-6

type Row = tuple[dt.date, Decimal, Decimal, Decimal]


@dataclass(frozen=True)
class Factors:
    """A factor file: what multiplies raw prices up to each date."""

    rows: list[Row]

    @classmethod
    def read(cls, symbol: str) -> "Factors":
        lines = (FILES / f"lean_factor_{symbol}.csv").read_text().splitlines()
        rows = [line.split(",") for line in lines]
        return cls(
            [
                (dt.datetime.strptime(d, "%Y%m%d").date(), Decimal(p), Decimal(s), Decimal(r))  # noqa: DTZ007 - a date
                for d, p, s, r in rows
            ]
        )

    def at(self, day: dt.date) -> tuple[Fraction, Fraction]:
        """Price factor, and the split factor that the printed one stands for."""
        for date, price, split, _ in self.rows:
            if day <= date:
                return Fraction(price), Fraction(split).limit_denominator(1_000)
        raise AssertionError(f"no factor for {day}")

    def between(self, before: dt.date, day: dt.date) -> Iterator[tuple[Row, Row]]:
        """Rows whose change falls between two sessions."""
        for row, later in pairwise(self.rows):
            if before <= row[0] < day:
                yield row, later


def closes(symbol: str) -> list[tuple[dt.date, Fraction]]:
    if not FILES.is_dir():
        pytest.skip("needs equities_daily beside the checkout, which is not here")
    frame = pl.read_parquet(FILES / f"lean_{symbol}_1d_raw.parquet").sort("date")
    prices = (Fraction(int(price), 10_000) for price in frame["close_e4"].to_list())
    return list(zip(frame["date"].to_list(), prices, strict=True))


class Ledger:
    """One instrument in one sleeve, fed day by day."""

    def __init__(self, first: Fraction, side: str = "buy") -> None:
        config = engine_config(
            fund="factors",
            currency="USD",
            instruments=[
                Instrument("A.X", price_precision=DIGITS, tick_size=Decimal(1).scaleb(-DIGITS))
            ],
            close_only=True,
            sleeves=[SleeveCash("all", Decimal(10**9))],
            venue=VenueRates(),
            limits=LimitRates(),
        )
        if side == "sell":
            config["account"] = {"kind": "margin", "positions": "netting"}
            config["instruments"][0]["shortable"] = 10**6
        self.engine = RawEngine(config)
        self._ts, self._sequence = DAY, 0
        self.close(first)
        self._send(
            {
                "type": "submit_order",
                "sleeve": 0,
                "instrument": 0,
                "side": side,
                "quantity": HELD,
                "tif": "day",
                "order_type": "market",
                "limit_price": None,
            }
        )
        self.close(first)
        assert self.engine.position(0, 0) == (HELD if side == "buy" else -HELD)

    def close(self, price: Fraction) -> Fraction:
        """Give a close; returns what the position is worth."""
        self._ts += DAY
        units = price * 10**DIGITS
        assert units.denominator == 1
        self._send(
            {
                "type": "bar",
                "instrument": 0,
                "open": None,
                "high": None,
                "low": None,
                "close": int(units),
                "volume": None,
            }
        )
        self._send({"type": "barrier", "session_start": True, "session_end": True})
        return self.value()

    def act(self, kind: str, **terms: int) -> list[dict[str, Any]]:
        """Apply an action of the next day."""
        self._ts += 1
        return self._send({"type": "action", kind: {"instrument": 0, **terms}})

    def value(self) -> Fraction:
        return Fraction(self.engine.sleeve_equity(0) - self.engine.cash(0), 10**12)

    def _send(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        self._sequence += 1
        head = {"ts": self._ts, "source": 0, "sequence": self._sequence}
        return self.engine.apply(to_engine({**event, **head}))


def units(money: Fraction) -> int:
    return round(money * 10**12)


def split_of(row: Row, later: Row) -> Fraction:
    return (Fraction(later[2]) / Fraction(row[2])).limit_denominator(1_000)


def adjusted_returns(symbol: str, days: Sequence[tuple[dt.date, Fraction]]) -> list[Fraction]:
    """What the factors say that each day earned."""
    factors = Factors.read(symbol)
    adjusted = []
    for day, price in days:
        of_price, of_split = factors.at(day)
        adjusted.append(price * of_price * of_split)
    return [now / before for before, now in pairwise(adjusted)]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_day_earns_what_the_factors_say(symbol: str) -> None:
    """With dividends as the shares of the price that the factors are; no day is left out."""
    days, factors = closes(symbol), Factors.read(symbol)
    ledger, wrong = Ledger(days[0][1]), []
    wanted = adjusted_returns(symbol, days)
    acted = 0
    for (before, mark), (day, price), should in zip(days, days[1:], wanted, strict=False):
        worth = mark
        for row, later in factors.between(before, day):
            if row[1] != later[1]:
                paid = worth * (1 - Fraction(row[1]) / Fraction(later[1]))
                ledger.act("cash_dividend", amount=units(paid))
                worth -= paid
                acted += 1
            if row[2] != later[2]:
                ratio = split_of(row, later)
                terms = {"numerator": ratio.numerator, "denominator": ratio.denominator}
                ledger.act("split", **terms)
                worth /= ratio
                acted += 1
        start = ledger.value()
        wrong.append(abs(float(ledger.close(price) / start - should)))
    assert len(wrong) == len(days) - 1
    assert max(wrong) <= TOLERANCE, days[int(np.argmax(wrong)) + 1]
    assert acted == sum(1 for _ in _actions(symbol, days))
    ledger.engine.audit()


def _actions(symbol: str, days: Sequence[tuple[dt.date, Fraction]]) -> Iterator[CorporateAction]:
    """Actions as users get them, as far as they fall after the first day of the data."""
    path = FILES / f"lean_factor_{symbol}.csv"
    for action in read_factors(path, path.name, f"{symbol.upper()}.XNAS", "XNYS"):
        if days[0][0] < action.ex_date <= days[-1][0]:
            yield action


GAP = {"qqq": dt.date(2011, 3, 23)}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_amounts_of_money_earn_the_same_on_all_days_but_that_after_a_gap(symbol: str) -> None:
    days, actions = closes(symbol), list(_actions(symbol, closes(symbol)))
    ledger, applied, differing = Ledger(days[0][1]), 0, {}
    wanted = adjusted_returns(symbol, days)
    for (before, _), (day, price), should in zip(days, days[1:], wanted, strict=False):
        of_day = [each for each in actions if before < each.ex_date <= day]
        for each in of_day:
            _apply(ledger, each)
        applied += len(of_day)
        start = ledger.value()
        wrong = abs(float(ledger.close(price) / start - should))
        if wrong > TOLERANCE:
            differing[day] = (wrong, len(of_day))
    assert applied == len(actions)
    assert set(differing) == {day for name, day in GAP.items() if name == symbol}
    for wrong, count in differing.values():
        assert wrong < 0.007
        assert count == 24
    ledger.engine.audit()


def _apply(ledger: Ledger, action: CorporateAction) -> None:
    if action.kind == "split":
        assert action.numerator is not None
        assert action.denominator is not None
        ledger.act("split", numerator=action.numerator, denominator=action.denominator)
    else:
        assert action.kind == "cash_dividend"
        ledger.act("cash_dividend", amount=units(Fraction(action.amount or 0)))


def test_total_return_of_apple_is_that_of_adjusted_closes() -> None:
    """Against stocknet's ``adj_close``, 2012-09-04 to 2017-09-01, to 0.3 %."""
    days = closes("aapl")
    frame = pl.read_parquet(FILES / "stocknet_dev.parquet").filter(pl.col("symbol") == "AAPL")
    frame = frame.drop_nulls("adj_close").sort("date")
    first, last = frame["date"][0], frame["date"][-1]
    assert (str(first), str(last)) == ("2012-09-04", "2017-09-01")
    theirs = frame["adj_close"][-1] / frame["adj_close"][0]
    inside = [each for each in days if first <= each[0] <= last]
    assert (inside[0][0], inside[-1][0]) == (first, last)
    ledger, actions = Ledger(inside[0][1]), list(_actions("aapl", inside))
    assert {each.kind for each in actions} == {"split", "cash_dividend"}
    total = 1.0
    for (before, _), (day, price) in pairwise(inside):
        for each in actions:
            if before < each.ex_date <= day:
                _apply(ledger, each)
        start = ledger.value()
        total *= float(ledger.close(price) / start)
    assert total == pytest.approx(theirs, rel=0.003)
    # What was paid out is in the cash, too: 7 new shares for one came in between.
    price_alone = float(inside[-1][1] / inside[0][1]) * 7
    assert total > 1.05 * price_alone


def test_dividend_on_a_short_is_paid_once() -> None:
    """The seller owes it; neither the close, nor the end of the day, nor a split asks again."""
    ledger = Ledger(Fraction(100), side="sell")
    cash, equity = ledger.engine.cash(0), ledger.engine.equity()
    outputs = ledger.act("cash_dividend", amount=units(Fraction("0.82")))
    posted = [each["posted"] for each in outputs if "posted" in each]
    assert [(each["kind"], each["amount"]) for each in posted] == [
        ("dividend", -units(Fraction("0.82") * HELD))
    ]
    paid = units(Fraction("0.82") * HELD)
    assert ledger.engine.cash(0) == cash - paid
    assert ledger.engine.equity() == equity  # the shares owed are worth that much less
    ledger.close(Fraction("99.18"))
    ledger.act("split", numerator=4, denominator=1)
    ledger.close(Fraction("24.795"))
    assert ledger.engine.position(0, 0) == -4 * HELD
    assert ledger.engine.cash(0) == cash - paid
    assert ledger.engine.equity() == equity
    assert ledger.engine.balance(0, "dividends") == paid
    ledger.engine.audit()
