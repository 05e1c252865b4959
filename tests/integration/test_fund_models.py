"""Accounts, currencies, books, fees, impact, latency: each from a fund file, checked by hand.

Every figure that is expected here is worked out in the test, from the files it writes and the rules
of docs/engine, in exact decimals.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import polars as pl
import pytest

import quantvista as qv
from quantvista.errors import ConfigError

STRATEGY = '''
from dataclasses import dataclass, field
from typing import Any

import quantvista as qv

START = {start}


class Script(qv.EventStrategy):
    """Send each order at the first event so many seconds after the start."""

    class Params(qv.StrategyParams):
        steps: list[dict[str, Any]]

    @dataclass
    class State:
        done: int = 0
        books: list[list[float]] = field(default_factory=list)

    def _act(self, ctx):
        steps = self.params.steps
        while self.state.done < len(steps):
            step = dict(steps[self.state.done])
            if ctx.clock.now < START + round(step.pop("at") * 1e9):
                return
            self.state.done += 1
            ctx.submit(**step)

    def on_quote(self, ctx, quote):
        self._act(ctx)

    def on_trade(self, ctx, trade):
        self._act(ctx)

    def on_bar(self, ctx, bar):
        self._act(ctx)

    def on_book(self, ctx, book):
        print("book", ctx.clock.now - START, book.bids, book.asks)
        self._act(ctx)
'''
HEAD = """
version = 1
[fund]
name = "models"
cash = "10000.00"
calendar = "24/7"
time_zone = "UTC"
"""
START = "2024-01-02T12:00:00"
START_NS = 1_704_196_800 * 10**9


def at(seconds: float) -> str:
    """Write an instant so many seconds after the start."""
    ms = round(seconds * 1000)
    stamp = pl.Series([START_NS + ms * 10**6]).cast(pl.Datetime("ns")).dt.strftime("%FT%T%.3f")
    return f"{stamp[0]}Z"


def rows(path: Path, header: str, lines: Sequence[Sequence[object]]) -> None:
    """Write a file of events: seconds, then what the header says."""
    text = [
        ",".join([at(float(str(line[0]))), *(str(each) for each in line[1:])]) for line in lines
    ]
    path.write_text("\n".join([header, *text]) + "\n")


def quotes(path: Path, lines: Sequence[Sequence[object]], name: str = "quotes.csv") -> None:
    """Seconds, instrument, bid, bid size, ask, ask size."""
    rows(path / name, "ts,instrument,bid,bid_size,ask,ask_size", lines)


def run(folder: Path, body: str, steps: str) -> qv.Result:
    """Write the fund file and the strategy, and run them."""
    (folder / "mine.py").write_text(STRATEGY.format(start=START_NS))
    sleeve = (
        f'[[sleeve]]\nid = "a"\nstrategy = "mine.py:Script"\nparams = {{ steps = [{steps}] }}\n'
    )
    (folder / "fund.toml").write_text(HEAD + body + sleeve)
    return qv.run(folder / "fund.toml")


def equity(result: qv.Result) -> Decimal:
    """Exact equity at the end."""
    return Decimal(str(result.summary["fund"]["equity"]))


def prices(result: qv.Result) -> list[tuple[Decimal, Decimal]]:
    """Quantity and price of each fill, exactly."""
    fills = result.frames.fills
    return list(zip(fills["quantity"], fills["price"], strict=True))


QUOTES = '[[data.events]]\nsource = "quotes.csv"\n'


def test_hedging_account_holds_both_legs(tmp_path: Path) -> None:
    quotes(
        tmp_path,
        [
            (0, "ACME.SIM", "10.00", 900, "10.02", 900),
            (60, "ACME.SIM", "11.00", 900, "11.02", 900),
            (120, "ACME.SIM", "11.00", 900, "11.02", 900),
        ],
    )
    result = run(
        tmp_path,
        QUOTES
        + '[account]\nkind = "margin"\npositions = "hedging"\n'
        + '[[instrument]]\nid = "ACME.SIM"\nshortable = "1000"\nmargin_initial = "0.5"\n',
        '{ at = 0, instrument = "ACME.SIM", side = "buy", quantity = 100, leg = "long" },'
        '{ at = 0, instrument = "ACME.SIM", side = "sell", quantity = 80, leg = "short" },'
        '{ at = 60, instrument = "ACME.SIM", side = "buy", quantity = 50, leg = "short" }',
    )
    cash = Decimal(10_000) - 100 * Decimal("10.02") + 80 * Decimal("10.00") - 50 * Decimal("11.02")
    mid = Decimal("11.01")
    assert equity(result) == cash + (100 - 30) * mid
    last = result.positions.filter(pl.col("ts") == result.equity["ts"][-1])
    assert sorted(last["quantity"]) == [-30.0, 100.0]


def test_each_currency_is_cleared_in_its_own(tmp_path: Path) -> None:
    quotes(
        tmp_path,
        [
            (0, "ACME.XETR", "19.99", 900, "20.01", 900),
            (0, "EUR-USD.SIM", "1.1000", 90000, "1.1002", 90000),
            (60, "ACME.XETR", "20.99", 900, "21.01", 900),
            (60, "EUR-USD.SIM", "1.2000", 90000, "1.2002", 90000),
        ],
    )
    result = run(
        tmp_path,
        QUOTES
        + '[account]\nbalances = { EUR = "5000.00" }\n'
        + '[[instrument]]\nid = "ACME.XETR"\ncurrency = "EUR"\n'
        + '[[instrument]]\nid = "EUR-USD.SIM"\nkind = "pair"\nbase = "EUR"\ntick_size = "0.0001"\n'
        + '[[venue]]\nfee_bps = "7"\n',
        '{ at = 0, instrument = "ACME.XETR", side = "buy", quantity = 101 },'
        '{ at = 0, instrument = "EUR-USD.SIM", side = "buy", quantity = 333 }',
    )
    cent = Decimal("0.01")
    stock = 101 * Decimal("20.01")
    pair = 333 * Decimal("1.1002")
    fee_eur = (stock * Decimal("0.0007")).quantize(cent, ROUND_CEILING)
    fee_usd = (pair * Decimal("0.0007")).quantize(cent, ROUND_CEILING)
    assert list(result.frames.fills["fee"]) == [fee_eur, fee_usd]
    eur = 5000 - stock - fee_eur + 333
    usd = 10_000 - pair - fee_usd
    last = result.balances.filter(pl.col("ts") == result.equity["ts"][-1])
    assert dict(zip(last["currency"], last["settled"], strict=True)) == {
        "EUR": float(eur),
        "USD": float(usd),
    }
    rate = Decimal("1.2001")  # the mid of the pair
    assert equity(result) == usd + (eur + 101 * Decimal("21.00")) * rate


def test_rates_of_a_file_value_what_has_no_pair(tmp_path: Path) -> None:
    quotes(tmp_path, [(t, "ACME.XETR", "19.99", 900, "20.01", 900) for t in (0, 60, 120)])
    rows(tmp_path / "rates.csv", "ts,currency,rate", [(0, "EUR", "1.10"), (90, "EUR", "1.25")])
    result = run(
        tmp_path,
        '[[data.events]]\nsource = "rates.csv"\n'
        + QUOTES
        + '[account]\nbalances = { EUR = "2500.00" }\n'
        + '[[instrument]]\nid = "ACME.XETR"\ncurrency = "EUR"\n',
        '{ at = 60, instrument = "ACME.XETR", side = "buy", quantity = 100 }',
    )
    eur = 2500 - 100 * Decimal("20.01") + 100 * Decimal("20.00")
    assert equity(result) == 10_000 + eur * Decimal("1.25")


def test_tiers_minimum_and_rate_per_unit_make_the_fee(tmp_path: Path) -> None:
    day = 86_400
    quotes(
        tmp_path,
        [
            (t, name, "9.99", 5000, "10.00", 5000)
            for t in (0, 60, day, day + 60)
            for name in ("ACME.ALPHA", "ACME.BETA")
        ],
    )
    result = run(
        tmp_path,
        QUOTES
        + '[[venue]]\nid = "alpha"\nmarkets = ["ALPHA"]\ntier_window_days = 1\n'
        + '[[venue.tiers]]\nvolume_from = 0\nmaker_bps = "2"\ntaker_bps = "10"\n'
        + '[[venue.tiers]]\nvolume_from = 1000\nmaker_bps = "0"\ntaker_bps = "5"\n'
        + '[[venue]]\nid = "beta"\nmarkets = ["BETA"]\n'
        + 'fee_per_unit = "0.005"\nfee_minimum = "1.00"\n',
        ", ".join(
            f'{{ at = {t}, instrument = "ACME.{venue}", side = "buy", quantity = {n} }}'
            for t, venue, n in (
                (0, "ALPHA", 110),
                (0, "BETA", 20),
                (day, "ALPHA", 110),
                (day, "BETA", 300),
            )
        ),
    )
    alpha = 110 * Decimal(10)
    assert list(result.frames.fills["fee"]) == [
        alpha * Decimal("0.0010"),
        Decimal("1.00"),  # 20 units cost 0.10, less than the minimum
        alpha * Decimal("0.0005"),  # 1,100 were traded the day before
        300 * Decimal("0.005"),
    ]


def test_impact_is_the_square_root_and_is_forgotten(tmp_path: Path) -> None:
    quotes(
        tmp_path,
        [(t, "ACME.SIM", "9.99", 9000, "10.00", 9000) for t in (0, 1, 61, 62, 10_000, 10_001)],
    )
    result = run(
        tmp_path,
        QUOTES
        + '[[instrument]]\nid = "ACME.SIM"\nvolatility = "0.02"\naverage_volume = "10000"\n'
        + 'tick_size = "0.0001"\n'
        + "[[venue]]\nimpact = { coefficient = 1, half_life_s = 60 }\n",
        ", ".join(
            f'{{ at = {t}, instrument = "ACME.SIM", side = "buy", quantity = 100 }}'
            for t in (0, 1, 61, 10_000)
        ),
    )

    def price(felt: Decimal) -> Decimal:
        """Ten, moved by a coefficient of 1 times 2 % times the root of our share of 10,000."""
        moved = 10 * (1 + Decimal("0.02") * (felt / 10_000).sqrt())
        return moved.quantize(Decimal("0.0001"), ROUND_CEILING)

    second = 100 * (1 - Decimal(1) / 120) + 100  # a line from all of it to half of it in 60 s
    third = (second.to_integral_value(rounding="ROUND_FLOOR")) / 2 + 100
    expected = [price(Decimal(100)), price(second), price(third), price(Decimal(100))]
    assert [each for _, each in prices(result)] == pytest.approx(expected, abs=Decimal("0.0001"))
    assert prices(result)[0][1] == Decimal("10.0200")  # 2 % of the root of a hundredth


def test_latency_is_that_of_the_venue(tmp_path: Path) -> None:
    names = ("ACME.ALPHA", "ACME.BETA")
    lines = [(t / 100, name, "9.99", 900, "10.00", 900) for t in range(100) for name in names]
    quotes(tmp_path, lines)
    result = run(
        tmp_path,
        QUOTES
        + '[[venue]]\nid = "alpha"\nmarkets = ["ALPHA"]\nlatency = { submit_ms = 5 }\n'
        + '[[venue]]\nid = "beta"\nmarkets = ["BETA"]\nlatency = { submit_ms = "72.5" }\n',
        '{ at = 0, instrument = "ACME.ALPHA", side = "buy", quantity = 1 },'
        '{ at = 0, instrument = "ACME.BETA", side = "buy", quantity = 1 }',
    )
    both = result.fills.join(result.orders.select("order_id", made="ts"), on="order_id")
    waited = dict(
        zip(both["venue"], (both["ts"] - both["made"]).dt.total_nanoseconds(), strict=True)
    )
    assert waited == {"alpha": 5_000_000, "beta": 72_500_000}


def test_books_of_levels_are_swept_and_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows(
        tmp_path / "levels.csv",
        "ts,instrument,side,price,size,message,snapshot",
        [
            (0, "ACME.SIM", "bid", "9.99", 300, 1, "true"),
            (0, "ACME.SIM", "ask", "10.02", 100, 1, "true"),
            (0, "ACME.SIM", "ask", "10.03", 200, 1, "true"),
            (30, "ACME.SIM", "ask", "10.02", 0, 2, "false"),
            (60, "ACME.SIM", "bid", "10.00", 50, 3, "false"),
        ],
    )
    result = run(
        tmp_path,
        '[[data.events]]\nsource = "levels.csv"\n',
        '{ at = 0, instrument = "ACME.SIM", side = "buy", quantity = 150 }',
    )
    assert prices(result) == [(Decimal(100), Decimal("10.02")), (Decimal(50), Decimal("10.03"))]
    cash = Decimal(10_000) - 100 * Decimal("10.02") - 50 * Decimal("10.03")
    assert equity(result) == cash + 150 * Decimal("10.01")  # the mid of 10.00 and 10.03, down
    heard = [line for line in capsys.readouterr().out.splitlines() if line.startswith("book")]
    assert len(heard) == 3


def test_books_of_orders_keep_our_place_in_the_queue(tmp_path: Path) -> None:
    rows(
        tmp_path / "orders.csv",
        "ts,instrument,action,side,price,size,order_id,message",
        [
            (0, "ACME.SIM", "added", "bid", "10.00", 100, 1, 1),
            (0, "ACME.SIM", "added", "ask", "10.02", 100, 2, 1),
            (10, "ACME.SIM", "added", "bid", "10.00", 70, 3, 2),
            (20, "ACME.SIM", "modified", "bid", "10.00", 60, 1, 3),
            (40, "ACME.SIM", "deleted", "ask", "10.02", 100, 2, 4),
            (40, "ACME.SIM", "added", "ask", "10.03", 100, 4, 4),
        ],
    )
    rows(
        tmp_path / "trades.csv",
        "ts,instrument,price,size,aggressor",
        [(30, "ACME.SIM", "10.00", 145, "sell")],
    )
    result = run(
        tmp_path,
        '[[data.events]]\nsource = "orders.csv"\n[[data.events]]\nsource = "trades.csv"\n',
        '{ at = 5, instrument = "ACME.SIM", side = "buy", quantity = 50, type = "limit", '
        'limit_price = 10.00, tif = "gtc" }',
    )
    # We come at 10 s behind 100 and 70 units, of which 130 are left when 145 are sold there.
    assert prices(result) == [(Decimal(145 - 130), Decimal("10.00"))]
    assert result.fills["liquidity"].to_list() == ["maker"]


DAYS = "ts,instrument,open,high,low,close,volume\n"


def bars(folder: Path, closes: Sequence[tuple[str, str]], name: str = "ACME.SIM") -> None:
    """Bars that do not move within the day."""
    text = "".join(f"{day}T23:59:59Z,{name},{p},{p},{p},{p},1000\n" for day, p in closes)
    (folder / "bars.csv").write_text(DAYS + text)


BARS = '[data]\nsource = "bars.csv"\n'


def test_returns_are_weighted_by_time_and_by_money(tmp_path: Path) -> None:
    # Two months of a price that stands at 10, and doubles while most of the money is there.
    days = pl.date_range(pl.date(2024, 1, 2), pl.date(2024, 3, 1), eager=True).cast(pl.String)
    bars(tmp_path, [(day, "10.00" if day < "2024-02-15" else "20.00") for day in days])
    result = run(
        tmp_path,
        BARS
        + '[risk]\nprice_band = 0.9\n[[cash_flow]]\ndate = "2024-02-01"\namount = "30000.00"\n'
        + '[[cash_flow]]\ndate = "2024-02-20"\namount = "-5000.00"\n',
        '{ at = 0, instrument = "ACME.SIM", side = "buy", quantity = 100 },'
        '{ at = 2700000, instrument = "ACME.SIM", side = "buy", quantity = 1000 }',
    )
    flows = result.postings.filter(pl.col("kind").is_in(["deposit", "withdrawal"]))
    assert flows["amount"].to_list() == [30_000.0, -5_000.0]
    # 1,100 units gain 10 each on 40,000; nothing else moves.
    assert equity(result) == 10_000 + 30_000 - 5_000 + 1_100 * 10
    assert result.metrics["total_return"] == pytest.approx(11_000 / 40_000)
    rate = result.metrics["money_weighted_return"]
    first, last = result.equity["ts"][0], result.equity["ts"][-1]
    year = 365.25 * 86_400

    def grown(amount: float, since: datetime) -> float:
        return float(amount * (1 + rate) ** ((last - since).total_seconds() / year))

    ends = grown(10_000, first) + sum(
        grown(amount, ts) for ts, amount in zip(flows["ts"], flows["amount"], strict=True)
    )
    assert ends == pytest.approx(float(equity(result)), rel=1e-9)
    assert 0.27 < (1 + rate) ** (59 / 365.25) - 1 < 0.6  # more money was there when it rose


def test_futures_roll_and_expire_in_cash(tmp_path: Path) -> None:
    lines: list[Sequence[object]] = []
    for day, (near, far) in enumerate([(100, 102), (103, 105), (104, 107), (None, 110)]):
        for hour in (0, 3_600):
            t = day * 86_400 + hour
            if near is not None:
                lines.append((t, "FUT-2024F.SIM", near, 50, near + 1, 50))
            lines.append((t, "FUT-2024G.SIM", far, 50, far + 1, 50))
    quotes(tmp_path, lines)
    kind = 'kind = "future"\nmultiplier = 10\nmargin_initial = "0.1"\ntick_size = "1"\n'
    day = 86_400
    result = run(
        tmp_path,
        QUOTES
        + '[account]\nkind = "margin"\n'
        + f'[[instrument]]\nid = "FUT-2024F.SIM"\nexpiry = "2024-01-04"\n{kind}'
        + f'[[instrument]]\nid = "FUT-2024G.SIM"\nexpiry = "2024-02-02"\n{kind}'
        + '[[venue]]\nfee_per_unit = "0.50"\n',
        '{ at = 0, instrument = "FUT-2024F.SIM", side = "buy", quantity = 3 },'
        f'{{ at = {day}, instrument = "FUT-2024F.SIM", side = "sell", quantity = 2 }},'
        f'{{ at = {day}, instrument = "FUT-2024G.SIM", side = "buy", quantity = 2 }}',
    )
    # Bought at 101; two rolled at 103 into 106; the third settles at its last mark, 104.5 down.
    near = 2 * (103 - 101) + (104 - 101)
    far = 2 * (110 - 106)
    fees = (3 + 2 + 2) * Decimal("0.50")
    assert equity(result) == 10_000 + 10 * (near + far) - fees
    kinds = result.fills.select("instrument", "kind", "quantity").rows()
    assert kinds[-1] == ("FUT-2024F.SIM", "settlement", 1.0)


def test_halt_holds_orders_and_an_auction_fills_them(tmp_path: Path) -> None:
    quotes(
        tmp_path, [(t, "ACME.SIM", "9.99", 900, "10.00", 900) for t in (0, 10, 20, 30, 40, 60, 70)]
    )
    rows(
        tmp_path / "halts.csv",
        "ts,instrument,status",
        [(5, "ACME.SIM", "halted"), (50, "ACME.SIM", "trading")],
    )
    rows(
        tmp_path / "auctions.csv",
        "ts,instrument,phase,price,volume",
        [(45, "ACME.SIM", "open", "10.07", 5000)],
    )
    result = run(
        tmp_path,
        QUOTES
        + '[[data.events]]\nsource = "halts.csv"\n[[data.events]]\nsource = "auctions.csv"\n',
        '{ at = 10, instrument = "ACME.SIM", side = "buy", quantity = 7, tif = "ioc" },'
        '{ at = 20, instrument = "ACME.SIM", side = "buy", quantity = 10, type = "on_open" },'
        '{ at = 30, instrument = "ACME.SIM", side = "buy", quantity = 20, tif = "gtc" }',
    )
    assert result.orders.select("status", "reason").rows() == [
        ("rejected", "halted"),  # what must fill at once cannot
        ("filled", None),
        ("filled", None),
    ]
    assert prices(result) == [(Decimal(10), Decimal("10.07")), (Decimal(20), Decimal("10.07"))]
    assert (result.fills["ts"].dt.timestamp("ms") == START_NS // 10**6 + 45_000).all()


def test_figures_of_a_file_hold_orders_while_they_are_valid(tmp_path: Path) -> None:
    quotes(tmp_path, [(t, "ACME.SIM", "9.99", 900, "10.00", 900) for t in (0, 10, 20, 30, 40)])
    figures = [(-60, 15, "0.01"), (15, 25, "0.09"), (25, 35, "0.01")]
    (tmp_path / "figures.csv").write_text(
        "ts,expires_at,kind,instrument,value\n"
        + "".join(
            f"{START_NS + t * 10**9},{START_NS + end * 10**9},volatility,ACME.SIM,{value}\n"
            for t, end, value in figures
        )
    )
    result = run(
        tmp_path,
        QUOTES + '[risk]\nfigures = "figures.csv"\ninstrument_volatility_max = 0.05\n',
        ", ".join(
            f'{{ at = {t}, instrument = "ACME.SIM", side = "buy", quantity = 1 }}'
            for t in (0, 20, 30, 40)
        ),
    )
    # Low, high, low again, and expired: what is not known takes no new risk.
    assert result.orders["status"].to_list() == ["filled", "rejected", "filled", "rejected"]


MODELS = {
    "impact": ("[[venue]]\nimpact = { coefficient = 1, half_life_s = 60 }\n", "volatility"),
    "participation": (
        '[[data.events]]\nsource = "bare.csv"\n[[venue]]\nparticipation_max = 0.1\n',
        "size",
    ),
    "volatility": ("[risk]\nvolatility_max = 0.1\n", "figures"),
    "instrument volatility": ("[risk]\ninstrument_volatility_max = 0.1\n", "figures"),
    "correlation": ("[risk]\ncorrelation_max = 0.1\n", "figures"),
    "regimes": ("[risk]\nregimes_blocked = [1]\n", "figures"),
    "volume": ("[risk]\nfat_finger_volume = 0.1\n", "bars or `risk.figures`"),
    "value at risk": ("[risk.value_at_risk]\nmax = 0.1\n", "bars"),
    "sector": ("[risk]\nsector_max = 0.1\n", "sector"),
    "balances": ('[account]\nbalances = { EUR = "10.00" }\n', "EUR"),
    "rate": ('[[instrument]]\nid = "ACME.SIM"\ncurrency = "EUR"\n', "EUR"),
    "perpetual in cash": ('[[instrument]]\nid = "ACME.SIM"\nkind = "perpetual"\n', "margin"),
    "short in cash": ('[[instrument]]\nid = "ACME.SIM"\nshortable = "10"\n', "margin"),
    "hedging in cash": ('[account]\npositions = "hedging"\n', "margin"),
    "future without expiry": ('[[instrument]]\nid = "ACME.SIM"\nkind = "future"\n', "expiry"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_without_its_data_is_a_configuration_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "bare.csv").write_text(
        f"ts,instrument,bid,bid_size,ask,ask_size\n{at(0)},ACME.SIM,9.99,,10.00,\n"
    )
    quotes(tmp_path, [(t, "ACME.SIM", "9.99", 900, "10.00", 900) for t in (0, 10)])
    body, remedy = MODELS[name]
    data = "" if "[[data.events]]" in body else QUOTES
    with pytest.raises(ConfigError, match=remedy):
        run(tmp_path, data + body, "")
