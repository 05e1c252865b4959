"""Every data set beside the checkout imports, and this says how each is understood.

The files lie beside the checkout and are not part of it; without them these tests are skipped.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.data.importing import Imported, ImportOptions, import_into
from quantvista.data.lake import Lake, Snapshot

FILES = Path(__file__).parents[3] / "shared" / "data"
ELSEWHERE = ("vendor_payloads/", "venue_payloads/")
AUGUST_2026 = 20_696 * 86_400 * 10**9


@dataclass(frozen=True)
class Case:
    """What a file becomes.

    Parameters
    ----------
    options : ImportOptions
        What must be said, because nothing in the file does.
    rows : dict of str to int
        Stored, by kind.
    rejected : int
        In quarantine.
    time : str
        What the import says of its times.
    first : str
        Least `ts_event`, in UTC.
    """

    options: ImportOptions
    rows: dict[str, int]
    rejected: int
    time: str
    first: str


def said(**options: object) -> ImportOptions:
    return ImportOptions(**options)  # type: ignore[arg-type]


CASES: dict[str, Case] = {
    "crypto/coinbase_btcusd_1d.parquet": Case(
        said(instrument="BTC-USD.COINBASE"),
        {"bars": 1770},
        0,
        "column 'date', dates; known at the close of that session of 24/7",
        "2014-12-02T00:00:00",
    ),
    "crypto/coinbase_btcusd_1h.parquet": Case(
        said(instrument="BTC-USD.COINBASE"),
        {"bars": 20111},
        0,
        "column 'ts', instants with their offset; the open of a bar, known 3600 s later",
        "2017-07-01T12:00:00",
    ),
    "crypto/freqtrade_5m_dev.parquet": Case(
        said(venue="BITTREX"),
        {"bars": 28757},
        0,
        "column 'date', instants with their offset; the open of a bar, known 300 s later",
        "2018-01-10T05:00:00",
    ),
    "crypto/freqtrade_XRP_ETH-1m.parquet": Case(
        said(instrument="XRP-ETH.BINANCE"),
        {"bars": 2469},
        0,
        "column 'date', instants with their offset; the open of a bar, known 60 s later",
        "2019-10-11T00:01:00",
    ),
    "crypto/freqtrade_XRP_ETH_trades.parquet": Case(
        said(instrument="XRP-ETH.BINANCE"),
        {"trades": 12477},
        0,
        "column 'timestamp', ms since 1970 UTC",
        "2019-10-11T00:00:11.62",
    ),
    "crypto/freqtrade_XRP_USDT_USDT-1h-futures.parquet": Case(
        said(instrument="XRP-USDT-PERP.BINANCE"),
        {"bars": 100},
        0,
        "column 'date', instants with their offset; the open of a bar, known 3600 s later",
        "2021-11-17T02:00:00",
    ),
    "crypto/freqtrade_XRP_USDT_USDT-8h-funding_rate.parquet": Case(
        said(instrument="XRP-USDT-PERP.BINANCE"),
        {"funding": 91},
        0,
        "column 'date', instants with their offset",
        "2021-11-18T00:00:00.017",
    ),
    "crypto/lean_coinbase_btcusd_1m_quote.parquet": Case(
        said(instrument="BTC-USD.COINBASE"),
        {"quote_bars": 7188},
        0,
        "column 'date' and milliseconds 'ms' of a day in UTC; the open of a bar, known 60 s later",
        "2017-09-03T00:01:00",
    ),
    "crypto/lean_coinbase_btcusd_1m_trade.parquet": Case(
        said(instrument="BTC-USD.COINBASE"),
        {"bars": 12423},
        0,
        "column 'date' and milliseconds 'ms' of a day in UTC; the open of a bar, known 60 s later",
        "2016-10-07T00:01:00",
    ),
    "equities_daily/lean_aapl_1d_raw.parquet": Case(
        said(instrument="AAPL.XNAS"),
        {"bars": 5849},
        0,
        "column 'date', dates; known at the close of that session of XNYS",
        "1998-01-02T21:00:00",
    ),
    "equities_daily/lean_factor_aapl.csv": Case(
        said(instrument="AAPL.XNAS"),
        {"actions": 39},
        0,
        "as recorded",
        "2000-06-21T13:30:00",
    ),
    "equities_daily/lean_factor_iwm.csv": Case(
        said(instrument="IWM.ARCX"),
        {"actions": 87},
        0,
        "as recorded",
        "2000-06-21T13:30:00",
    ),
    "equities_daily/lean_factor_qqq.csv": Case(
        said(instrument="QQQ.XNAS"),
        {"actions": 67},
        0,
        "as recorded",
        "2000-03-20T14:30:00",
    ),
    "equities_daily/lean_factor_spy.csv": Case(
        said(instrument="SPY.ARCX"),
        {"actions": 94},
        0,
        "as recorded",
        "1998-03-20T14:30:00",
    ),
    "equities_daily/lean_iwm_1d_raw.parquet": Case(
        said(instrument="IWM.ARCX"),
        {"bars": 5244},
        0,
        "column 'date', dates; known at the close of that session of XNYS",
        "2000-05-26T20:00:00",
    ),
    "equities_daily/lean_qqq_1d_raw.parquet": Case(
        said(instrument="QQQ.XNAS"),
        {"bars": 3964},
        0,
        "column 'date', dates; known at the close of that session of XNYS",
        "1999-03-10T21:00:00",
    ),
    "equities_daily/lean_spy_1d_raw.parquet": Case(
        said(instrument="SPY.ARCX"),
        {"bars": 5849},
        0,
        "column 'date', dates; known at the close of that session of XNYS",
        "1998-01-02T21:00:00",
    ),
    "equities_daily/skfolio/factors_dataset.csv.gz": Case(
        said(venue="ARCX"),
        {"bars": 11320},
        0,
        "column 'Date', dates written %Y-%m-%d; known at the close of that session of XNYS",
        "2014-01-02T21:00:00",
    ),
    "equities_daily/skfolio/sp500_dataset.csv.gz": Case(
        said(venue="XNYS"),
        {"bars": 166260},
        0,
        "column 'Date', dates written %Y-%m-%d; known at the close of that session of XNYS",
        "1990-01-02T21:00:00",
    ),
    "equities_daily/skfolio/sp500_index.csv.gz": Case(
        said(venue="INDEX"),
        {"bars": 8313},
        0,
        "column 'Date', dates written %Y-%m-%d; known at the close of that session of XNYS",
        "1990-01-02T21:00:00",
    ),
    "equities_daily/stocknet_dev.parquet": Case(
        said(venue="XNYS"),
        {"bars": 75883},
        1,
        "column 'date', dates; known at the close of that session of XNYS",
        "2012-09-04T20:00:00",
    ),
    "equities_daily/stocknet_sectors.csv": Case(
        said(venue="XNYS", known_at=AUGUST_2026),
        {"reference": 186},
        0,
        "none; all rows became known at one time",
        "2026-08-31T00:00:00",
    ),
    "equities_daily/us_google_finance_dev.parquet": Case(
        said(),
        {"bars": 1047056},
        60,
        "column 'date', dates; known at the close of that session of XNYS",
        "2006-01-03T21:00:00",
    ),
    "equities_daily/us_google_finance_symbols.csv": Case(
        said(known_at=AUGUST_2026),
        {"reference": 638},
        0,
        "none; all rows became known at one time",
        "2026-08-31T00:00:00",
    ),
    "equities_intraday/lean_aapl_1h.parquet": Case(
        said(instrument="AAPL.XNAS"),
        {"bars": 40831},
        0,
        "column 'ts', times of America/New_York; the open of a bar, known 3600 s later",
        "1998-01-02T15:00:00",
    ),
    "equities_intraday/lean_aapl_1m_trade.parquet": Case(
        said(instrument="AAPL.XNAS"),
        {"bars": 2303},
        0,
        "column 'date' and milliseconds 'ms' of a day in America/New_York; the open of a bar, "
        "known 60 s later",
        "2014-06-05T08:16:00",
    ),
    "equities_intraday/lean_spy_1h.parquet": Case(
        said(instrument="SPY.ARCX"),
        {"bars": 40832},
        0,
        "column 'ts', times of America/New_York; the open of a bar, known 3600 s later",
        "1998-01-02T15:00:00",
    ),
    "equities_intraday/lean_spy_1m_quote.parquet": Case(
        said(instrument="SPY.ARCX"),
        {"quote_bars": 6373},
        0,
        "column 'date' and milliseconds 'ms' of a day in America/New_York; the open of a bar, "
        "known 60 s later",
        "2013-10-04T08:01:00",
    ),
    "equities_intraday/lean_spy_1m_trade.parquet": Case(
        said(instrument="SPY.ARCX"),
        {"bars": 5786},
        0,
        "column 'date' and milliseconds 'ms' of a day in America/New_York; the open of a bar, "
        "known 60 s later",
        "2013-10-04T08:07:00",
    ),
    "fx/eurusd_1h_ask_2017.parquet": Case(
        said(instrument="EUR-USD.DUKASCOPY"),
        {"bars": 6225},
        0,
        "column 'time', times of UTC; the open of a bar, known 3600 s later",
        "2017-01-01T23:00:00",
    ),
    "fx/fxcm_usdjpy_1m_2013-02.parquet": Case(
        said(instrument="USD-JPY.FXCM"),
        {"quote_bars": 28761},
        0,
        "column 'timestamp', instants with their offset; the open of a bar, known 60 s later",
        "2013-02-01T00:01:00",
    ),
    "fx/lean_oanda_eurusd_ticks_2014-05.parquet": Case(
        said(instrument="EUR-USD.OANDA"),
        {"quotes": 532903},
        0,
        "column 'date' and milliseconds 'ms' of a day in UTC",
        "2014-05-01T00:00:00.292",
    ),
    "l2_binance_ws/spot_btcusdt_20240808.jsonl.gz": Case(
        said(instrument="BTC-USDT.BINANCE"),
        {"levels": 126073, "trades": 9757, "quotes": 28040},
        0,
        "as recorded",
        "2024-08-08T23:54:14.206652067",
    ),
    "l2_binance_ws": Case(
        said(instrument="BTC-USDT.BINANCE"),
        {"levels": 300094, "trades": 19904, "quotes": 73174},
        0,
        "as recorded",
        "2024-08-08T23:54:14.206652067",
    ),
    "macro/bond-yields-us-10y_monthly.csv": Case(
        said(),
        {"series": 879},
        0,
        "column 'Date', dates written %Y-%m-%d; known 1mo later",
        "1953-04-01T00:00:00",
    ),
    "macro/cpi-us_cpiai.csv": Case(
        said(),
        {"series": 2719},
        0,
        "column 'Date', dates written %Y-%m-%d; known 1mo later",
        "1913-01-01T00:00:00",
    ),
    "macro/exchange-rates_monthly.csv.gz": Case(
        said(),
        {"series": 17237},
        0,
        "column 'Date', dates written %Y-%m-%d; known 1mo later",
        "1971-01-01T00:00:00",
    ),
    "macro/finance-vix_vix-daily.csv.gz": Case(
        said(instrument="VIX.INDEX"),
        {"bars": 9202},
        33,
        "column 'DATE', dates written %Y-%m-%d; known at the close of that session of XNYS",
        "1990-01-02T21:00:00",
    ),
    "macro/oil-prices_wti-daily.csv.gz": Case(
        said(kind="series"),
        {"series": 10226},
        0,
        "column 'Date', dates written %Y-%m-%d; known 1d later",
        "1986-01-02T00:00:00",
    ),
    "macro/s-and-p-500_data.csv.gz": Case(
        said(),
        {"series": 16794},
        0,
        "column 'Date', dates written %Y-%m-%d; known 1mo later",
        "1871-01-01T00:00:00",
    ),
    "macro/zipline_SPY_benchmark.csv.gz": Case(
        said(),
        {"series": 6357},
        0,
        "column 'date', dates written %Y-%m-%d %H:%M:%S%.f%z; known 1d later",
        "1993-02-01T00:00:00",
    ),
    "options/lean_aapl_2014_daily_quotes.parquet": Case(
        said(instrument="AAPL.XNAS"),
        {"quote_bars": 4532},
        0,
        "column 'date', dates; known at the close of that session of XNYS",
        "2014-06-06T20:00:00",
    ),
    "reference/sp500_constituents_2026-08.csv": Case(
        said(venue="XNYS", known_at=AUGUST_2026),
        {"reference": 4024},
        0,
        "none; all rows became known at one time",
        "2026-08-31T00:00:00",
    ),
    "text/sentfin_dev.parquet": Case(
        said(known_at=AUGUST_2026),
        {"news": 7501},
        0,
        "none; all rows became known at one time",
        "2026-08-31T00:00:00",
    ),
    "text/stocknet_tweets_2014.parquet": Case(
        said(venue="XNYS"),
        {"news": 40679},
        0,
        "column 'ts', instants with their offset",
        "2014-01-01T00:00:48",
    ),
    "text/twitter_fin_news_sentiment_train.parquet": Case(
        said(known_at=AUGUST_2026),
        {"news": 11211},
        0,
        "none; all rows became known at one time",
        "2026-08-31T00:00:00",
    ),
    "ticks/lean_bac_quotes_20131007.parquet": Case(
        said(instrument="BAC.XNYS"),
        {"quotes": 476855},
        0,
        "column 'date' and milliseconds 'ms' of a day in America/New_York",
        "2013-10-07T08:00:00.151",
    ),
    "ticks/lean_bac_trades_20131007.parquet": Case(
        said(instrument="BAC.XNYS"),
        {"trades": 88172},
        0,
        "column 'date' and milliseconds 'ms' of a day in America/New_York",
        "2013-10-07T08:00:00.614",
    ),
    "ticks/lean_spy_trades_20131008.parquet": Case(
        said(instrument="SPY.ARCX"),
        {"trades": 451545},
        0,
        "column 'date' and milliseconds 'ms' of a day in America/New_York",
        "2013-10-08T08:00:17.034",
    ),
}
# This one continues the other recording, whose snapshot its book needs: both come as a folder.
TOGETHER = {"l2_binance_ws/spot_btcusdt_20240809.jsonl.gz": "l2_binance_ws"}


def listed() -> list[str]:
    """Files that the manifest beside them names."""
    manifest = FILES / "MANIFEST.md"
    if not manifest.is_file():
        return []
    names = re.findall(r"^\| ([a-z_0-9]+/\S+) \|", manifest.read_text("utf-8"), re.MULTILINE)
    return [name for name in names if not name.startswith(ELSEWHERE)]


def bring(name: str, folder: Path, case: Case) -> tuple[Imported, Snapshot]:
    path = FILES / name
    if not path.exists():
        pytest.skip(f"needs {name} beside the checkout, which is not here")
    dataset = Lake(folder).dataset("d")
    done = import_into(dataset, path, case.options)
    assert done.commit == dataset.head()
    return done, dataset.at()


def test_every_file_of_the_manifest_has_a_case() -> None:
    names = listed()
    if not names:
        pytest.skip("needs the data beside the checkout, which is not here")
    assert len(names) > 40
    assert {TOGETHER.get(name, name) for name in names} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_file_imports(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    done, snapshot = bring(name, tmp_path, case)
    assert done.rows == case.rows
    assert done.rejected.height == case.rejected
    assert dict(done.understood[0].words())["time"] == case.time
    kind = next(iter(case.rows))
    rows = snapshot.scan(kind).collect()
    assert rows.height == case.rows[kind]
    assert str(np.datetime64(rows["ts_event"].min(), "ns")).rstrip("0").rstrip(".") == case.first  # type: ignore[call-overload]
    assert (rows["known_at"] >= rows["ts_received"]).all()
    # Vendors' clocks differ from ours; what is computed here is never received before it happened.
    if kind not in ("levels", "trades"):
        assert (rows["ts_received"] >= rows["ts_event"]).all()
    if case.rejected:
        quarantine = snapshot.scan("quarantine").collect()
        assert quarantine.height == case.rejected
        assert (quarantine["reason"].str.len_bytes() > 0).all()


def test_the_dirty_file_keeps_every_row_or_says_why(tmp_path: Path) -> None:
    name = "equities_daily/us_google_finance_dev.parquet"
    done, snapshot = bring(name, tmp_path, CASES[name])
    raw = pl.read_parquet(FILES / name)
    assert done.rows["bars"] + done.rejected.height == raw.height
    assert done.rejected["reason"].unique().to_list() == ["no session of XNYS"]
    again = raw[done.rejected["row"] - 1]
    assert set(again["exchange"]) == {"NYSEAMERICAN"}
    # Single precision comes back as the shortest decimals, every digit of them.
    stored = snapshot.scan("bars", instruments=["AAPL.XNAS"]).collect().sort("date")
    original = raw.filter(pl.col("symbol") == "AAPL").sort("date")
    for column in ("open", "high", "low", "close"):
        assert stored[column].cast(pl.Float32).equals(original[column])
        assert stored[column].equals(original[column].cast(pl.String).cast(pl.Float64))


def test_deci_cents_become_the_nearest_doubles(tmp_path: Path) -> None:
    name = "equities_daily/lean_qqq_1d_raw.parquet"
    _, snapshot = bring(name, tmp_path, CASES[name])
    stored = snapshot.scan("bars").collect().sort("date")
    original = pl.read_parquet(FILES / name).sort("date")
    assert (stored["close"].to_numpy() == original["close_e4"].to_numpy() / 10_000).all()


def test_a_recording_is_not_imported_twice(tmp_path: Path) -> None:
    name = "crypto/freqtrade_XRP_ETH_trades.parquet"
    bring(name, tmp_path, CASES[name])
    with pytest.raises(ValueError, match="must not be imported twice; commit"):
        bring(name, tmp_path, CASES[name])


def test_the_same_bars_again_change_nothing(tmp_path: Path) -> None:
    name = "crypto/coinbase_btcusd_1d.parquet"
    first, _ = bring(name, tmp_path, CASES[name])
    again, _ = bring(name, tmp_path, CASES[name])
    assert (again.commit, again.unchanged, again.rows) == (first.commit, 1770, {"bars": 0})
