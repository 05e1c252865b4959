"""Recorded ticks, books, trades and factors load as they are, and mean what they say.

The files lie beside the checkout and are not part of it; without them these tests are skipped.
"""

from bisect import bisect_right
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantvista.data import DataSpec
from quantvista.data.events import EventData, EventSource, load_events, read_events, read_factors
from quantvista.engine import MISSING, records_tape
from quantvista.errors import MarketDataError
from quantvista.market import EventKind, Instrument, sessions

FILES = Path(__file__).parents[3] / "shared" / "data"
NEW_YORK = "America/New_York"
BITCOIN: dict[str, Any] = {
    "kind": "spot",
    "currency": "USDT",
    "quantity_precision": 8,
    "lot_size": Decimal("0.00001"),
}


def load(
    *sources: EventSource,
    calendar: str = "24/7",
    currency: str = "USD",
    **options: Any,  # noqa: ANN401
) -> EventData:
    for each in sources:
        if not (FILES / each.source).exists():
            pytest.skip(f"needs {each.source} beside the checkout, which is not here")
    spec = DataSpec(events=sources, **options)
    return load_events(spec, base=FILES, calendar=calendar, currency=currency)


def bank_of_america(name: str) -> EventSource:
    return EventSource(
        f"ticks/lean_bac_{name}_20131007.parquet", instrument="BAC.XNYS", time_zone=NEW_YORK
    )


def test_ticks_of_lean_are_the_national_best_and_never_crossed() -> None:
    data = load(bank_of_america("quotes"), bank_of_america("trades"), calendar="XNYS")
    counts = data.tape.counts()
    assert (counts["quote"], counts["trade"], counts["barrier"]) == (476_855, 88_172, 391)
    quotes = data.tape.take(data.tape.kind == EventKind.QUOTE)
    opened, closed = (
        np.datetime64(f"2013-10-07T{t}", "ns").astype(int) for t in ("13:30", "20:00")
    )
    inside = (quotes.ts_received >= opened) & (quotes.ts_received < closed)
    spread = quotes.c[inside] - quotes.a[inside]
    assert spread.min() == 0
    assert np.bincount(spread).argmax() == 1
    assert (spread <= 2).all()
    assert [t for t in data.assumptions if "sale conditions" in t]


def test_trades_of_lean_happen_near_the_quotes() -> None:
    data = load(bank_of_america("quotes"), bank_of_america("trades"), calendar="XNYS")
    tape = data.tape
    row = np.where(tape.kind == EventKind.QUOTE, np.arange(len(tape)), 0)
    last = np.maximum.accumulate(row)
    opened, closed = (
        np.datetime64(f"2013-10-07T{t}", "ns").astype(int) for t in ("13:31", "20:00")
    )
    trades = (
        (tape.kind == EventKind.TRADE) & (tape.ts_received > opened) & (tape.ts_received < closed)
    )
    price, bid, ask = tape.a[trades], tape.a[last[trades]], tape.c[last[trades]]
    assert ((price >= bid - 1) & (price <= ask + 1)).mean() > 0.99


def test_ticks_of_spy_load() -> None:
    source = EventSource(
        "ticks/lean_spy_trades_20131008.parquet", instrument="SPY.ARCX", time_zone=NEW_YORK
    )
    assert load(source, calendar="XNYS").tape.counts()["trade"] == 451_545


def test_quotes_of_oanda_are_whole_tenths_of_a_pip() -> None:
    source = EventSource(
        "fx/lean_oanda_eurusd_ticks_2014-05.parquet", instrument="EUR-USD.OANDA", time_zone="UTC"
    )
    pair = {"EUR-USD.OANDA": {"kind": "pair", "base": "EUR", "tick_size": Decimal("0.00001")}}
    data = load(source, declared=pair, clock_s=3600)
    assert data.tape.counts()["quote"] == 532_903
    assert data.currencies == (("USD", 2), ("EUR", 2))
    coarse = {**pair["EUR-USD.OANDA"], "tick_size": Decimal("0.0001")}
    with pytest.raises(MarketDataError, match="must have at most 4 decimals"):
        load(source, declared={"EUR-USD.OANDA": coarse})


def test_minutes_of_fxcm_have_crossed_closes_which_must_be_set_aside() -> None:
    options = {"instrument": "USD-JPY.FXCM", "columns": {"ts": "timestamp"}, "stamp": "open"}
    terms = {"kind": "pair", "base": "USD", "currency": "JPY", "tick_size": Decimal("0.001")}
    declared = {"USD-JPY.FXCM": terms}
    file = "fx/fxcm_usdjpy_1m_2013-02.parquet"
    with pytest.raises(MarketDataError, match=r"'bid' must not be above the ask.*set_aside"):
        load(EventSource(file, **options), declared=declared)  # type: ignore[arg-type]
    source = EventSource(file, **options, set_aside=("crossed",))  # type: ignore[arg-type]
    data = load(source, declared=declared, clock_s=3600)
    assert data.tape.counts()["quote"] == 28_761 - 683
    assert "683 of 28761 quotes, which are crossed" in " ".join(data.assumptions)


def test_minutes_of_coinbase_trades_of_binance_and_funding_load() -> None:
    coin = {"kind": "spot", "quantity_precision": 8, "lot_size": Decimal("0.00000001")}
    quotes = EventSource(
        "crypto/lean_coinbase_btcusd_1m_quote.parquet",
        instrument="BTC-USD.COINBASE",
        time_zone="UTC",
    )
    data = load(quotes, declared={"BTC-USD.COINBASE": coin}, clock_s=86_400)
    assert data.tape.counts()["quote"] == 7_188
    trades = EventSource("crypto/freqtrade_XRP_ETH_trades.parquet", instrument="XRP-ETH.BINANCE")
    terms = {"kind": "spot", "currency": "ETH", "tick_size": Decimal("0.00000001")}
    data = load(trades, declared={"XRP-ETH.BINANCE": terms}, currency="ETH", clock_s=3600)
    flags = data.tape.flag[data.tape.kind == EventKind.TRADE]
    assert np.bincount(flags).tolist() == [0, 6_524, 5_953]
    name = "XRP-USDT-PERP.BINANCE"
    funding = EventSource(
        "crypto/freqtrade_XRP_USDT_USDT-8h-funding_rate.parquet",
        instrument=name,
        columns={"ts": "date", "rate": "open"},
    )
    (records,) = read_events(funding, FILES)
    rates = records_tape(records, [Instrument(name, currency="USDT", kind="perpetual")])
    assert rates.counts() == {"funding": 91}
    assert rates.a[:2].tolist() == [100_000, 100_000]


def test_the_recorded_book_of_binance_agrees_with_its_best_quotes() -> None:
    use = ("levels", "trades", "quotes")
    name = "BTC-USDT.BINANCE"
    source = EventSource("l2_binance_ws", instrument=name, use=use)
    data = load(source, declared={name: BITCOIN}, currency="USDT")
    counts = data.tape.counts()
    assert (counts["book_level"], counts["book_clear"]) == (300_094, 1)
    assert (counts["quote"], counts["trade"]) == (73_174, 19_904)
    assert "2 differences before it are part of it" in " ".join(data.assumptions)
    assert "1.276 s after they were received" in " ".join(data.assumptions)
    _check_book(data)


def _check_book(data: EventData) -> None:
    """Each 50th state of the book is uncrossed, and its best were quoted within 100 ms."""
    tape = data.tape
    quotes = tape.take(tape.kind == EventKind.QUOTE)
    stamps = quotes.ts_received.tolist()
    book: tuple[dict[int, int], dict[int, int]] = ({}, {})
    rows = tape.take((tape.kind == EventKind.BOOK_LEVEL) | (tape.kind == EventKind.BOOK_CLEAR))
    messages = 0
    columns = (getattr(rows, k).tolist() for k in ("ts_received", "flag", "a", "b"))
    for ts, flag, price, size in zip(*columns, strict=True):
        if price == MISSING:
            continue  # the clear before the snapshot
        book[flag & 1].pop(price, None)
        if size:
            book[flag & 1][price] = size
        messages += not flag & 128
        if flag & 128 or messages % 50:
            continue
        best = (max(book[0]), min(book[1]))
        assert best[0] < best[1]
        upto = bisect_right(stamps, ts)
        since = bisect_right(stamps, ts - 2 * 10**8)
        near = slice(max(0, since - 1), upto)
        assert best in set(zip(quotes.a[near].tolist(), quotes.c[near].tolist(), strict=True))
    assert messages == 6_494


def test_the_second_hour_alone_has_no_snapshot() -> None:
    name = "BTC-USDT.BINANCE"
    source = EventSource("l2_binance_ws/spot_btcusdt_20240809.jsonl.gz", instrument=name)
    with pytest.raises(MarketDataError, match="must hold a depth snapshot that fits"):
        load(source, declared={name: BITCOIN}, currency="USDT")


@pytest.mark.parametrize(
    ("symbol", "splits", "dividends"),
    [("aapl", 4, 35), ("spy", 0, 94), ("iwm", 1, 86), ("qqq", 1, 66)],
)
def test_factors_of_lean_follow_from_the_actions_that_they_imply(
    symbol: str, splits: int, dividends: int
) -> None:
    """Adjusting raw closes by the actions gives the factors back, to their seven decimals."""
    folder = FILES / "equities_daily"
    if not folder.is_dir():
        pytest.skip("needs equities_daily beside the checkout, which is not here")
    path = folder / f"lean_factor_{symbol}.csv"
    actions = read_factors(path, path.name, f"{symbol.upper()}.XNAS", "XNYS")
    kinds = [each.kind for each in actions]
    assert (kinds.count("split"), kinds.count("cash_dividend")) == (splits, dividends)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    closes = pl.read_parquet(folder / f"lean_{symbol}_1d_raw.parquet")
    prices = dict(zip(closes["date"].to_list(), (closes["close_e4"] / 1e4).to_list(), strict=True))
    price = split = 1.0
    wanted = {row[0]: (float(row[1]), float(row[2]), float(row[3])) for row in rows}
    for action in reversed(actions):
        day = np.datetime64(action.ex_date)
        before = sessions("XNYS", day - np.timedelta64(10, "D"), day - np.timedelta64(1, "D"))
        last = before.labels[-1].astype(object)
        factors = wanted[last.strftime("%Y%m%d")]
        if action.kind == "split":
            assert action.numerator is not None
            split *= (action.denominator or 1) / action.numerator
            assert split == pytest.approx(factors[1], rel=1e-5)
        else:
            reference = factors[2]
            if last in prices:
                assert reference == pytest.approx(prices[last], rel=0.01)
            price *= 1 - float(action.amount or 0) / reference
            assert price == pytest.approx(factors[0], rel=1e-6)


@pytest.mark.parametrize("symbol", ["aapl", "spy", "iwm", "qqq"])
def test_raw_prices_with_their_actions_earn_what_the_factors_say(symbol: str) -> None:
    """A day earns ``close * split / (close before - dividend)``, to 1e-6."""
    folder = FILES / "equities_daily"
    if not folder.is_dir():
        pytest.skip("needs equities_daily beside the checkout, which is not here")
    name = f"{symbol.upper()}.XNAS"
    spec = DataSpec(
        f"equities_daily/lean_{symbol}_1d_raw.parquet",
        instrument=name,
        tick_size=Decimal("0.0001"),
        factors={name: f"equities_daily/lean_factor_{symbol}.csv"},
    )
    data = load_events(spec, base=FILES, calendar="XNYS")
    assert data.bars is not None
    close = data.bars.close[:, 0]
    there = ~np.isnan(close)
    days = data.bars.ts[there].astype("M8[ns]").astype("M8[D]")
    close = close[there]
    multiple, dividend = np.ones(len(days)), np.zeros(len(days))
    for action in data.actions:
        row = int(np.searchsorted(days, np.datetime64(action.ex_date)))
        if action.kind == "split":
            multiple[row] = (action.numerator or 1) / (action.denominator or 1)
        else:
            dividend[row] = float(action.amount or 0)
    earned = close[1:] * multiple[1:] / (close[:-1] - dividend[1:])
    lines = [line.split(",") for line in Path(FILES / spec.factors[name]).read_text().splitlines()]
    dates = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d, *_ in lines], dtype="M8[D]")
    factor = np.array([float(price) * float(split) for _, price, split, _ in lines])
    adjusted = close * factor[np.searchsorted(dates, days)]
    wrong = np.abs(earned - adjusted[1:] / adjusted[:-1])
    # Reference prices of some rows are not the raw closes of the data; those days differ.
    reference = {date: float(line[3]) for date, line in zip(dates, lines, strict=True)}
    last = {day: price for day, price in zip(days, close, strict=True) if day in reference}
    off = {day for day, price in last.items() if abs(reference[day] / price - 1) > 1e-6}
    near = np.diff(days) < np.timedelta64(8, "D")  # QQQ lacks six years, in which it was QQQQ
    exact = near & np.array([day not in off for day in days[:-1]])
    noise = np.where(multiple[1:] == 1, 1e-6, 1e-5)  # split factors have seven decimals
    assert (wrong[exact] <= noise[exact]).all(), days[1:][exact][np.argmax(wrong[exact])]
    assert (wrong[near] <= 1e-4).all()
    counts = data.tape.counts()
    assert counts["action"] == len(data.actions) > 30
    assert data.growth is not None
    total = close * data.growth[there, 0]
    np.testing.assert_allclose((total[1:] / total[:-1])[near], earned[near], rtol=1e-9)
