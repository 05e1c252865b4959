"""Real ticks against Polars' own grouping, and real short bars against real long ones."""

from datetime import time
from pathlib import Path

import polars as pl
import pytest

from quantvista.data.bars import BarOptions, BarSpec, aggregate

DATA = Path(__file__).parents[5] / "shared" / "data"
NEW_YORK = "America/New_York"
OHLCV = ("open", "high", "low", "close", "volume")

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="needs the data beside the checkout, which is not here"
)


def of_day(name: str, price: str, size: str) -> pl.DataFrame:
    """LEAN's ticks of a day, as trades."""
    midnight = pl.col("date").cast(pl.Datetime("ns")).dt.replace_time_zone(NEW_YORK)
    frame = pl.read_parquet(DATA / name)
    return frame.select(
        (midnight + pl.duration(milliseconds="ms")).dt.convert_time_zone("UTC").alias("ts_event"),
        (pl.col(price) / 10_000).alias("price"),
        pl.col(size).cast(pl.Float64).alias("size"),
    )


def grouped(frame: pl.DataFrame, every: str) -> pl.DataFrame:
    """What Polars makes of trades, stamped with the end."""
    found = frame.group_by_dynamic("ts_event", every=every, closed="left", label="right").agg(
        pl.col("price").first().alias("open"),
        pl.col("price").max().alias("high"),
        pl.col("price").min().alias("low"),
        pl.col("price").last().alias("close"),
        pl.col("size").sum().alias("volume"),
        pl.len().cast(pl.Int64).alias("ticks"),
    )
    return found.with_columns(pl.col("ts_event").dt.epoch("ns"))


@pytest.mark.parametrize("every", ["1s", "1m", "5m", "1h"])
@pytest.mark.parametrize("name", ["lean_spy_trades_20131008", "lean_bac_trades_20131007"])
def test_bars_of_real_trades_are_those_of_polars_to_the_last_bit(name: str, every: str) -> None:
    frame = of_day(f"ticks/{name}.parquet", "price_e4", "size")
    found = aggregate(frame, BarSpec("time", every), partial=True).bars[every]
    wanted = grouped(frame, every)
    columns = [*OHLCV, "ticks"]
    assert found.select(columns).equals(wanted.select(columns))
    assert found["ts_event"][:-1].equals(wanted["ts_event"][:-1])  # the last is not over


def test_sizes_of_real_trades_add_up_and_no_bar_could_have_ended_earlier() -> None:
    frame = of_day("ticks/lean_spy_trades_20131008.parquet", "price_e4", "size")
    options = BarOptions(calendar="XNYS")
    specs = [BarSpec("volume", 100_000), BarSpec("dollar", 2e7), BarSpec("tick", 1_000)]
    made = aggregate(frame, specs, options)
    inside = frame.height - made.counts.outside
    assert made.counts.outside == 11_192
    for spec, column in zip(specs, ("volume", "value", "ticks"), strict=True):
        bars = made.bars[spec.name]
        full, rest = bars.head(-1), bars.tail(1)
        assert bars["ticks"].sum() == inside
        assert full["ended_by"].unique().to_list() == ["size"]
        assert rest["ended_by"].item() == "session"
        assert (full[column] >= spec.size).all()
        largest = frame.select((pl.col("price") * pl.col("size")).max()).item()
        over = {"volume": frame["size"].max(), "value": largest, "ticks": 1}[column]
        assert (full[column] - spec.size < over).all()


def test_bars_of_real_crypto_trades_are_those_of_the_exchange() -> None:
    trades = pl.read_parquet(DATA / "crypto" / "freqtrade_XRP_ETH_trades.parquet").select(
        (pl.col("timestamp").cast(pl.Int64) * 10**6).alias("ts_event"),
        pl.col("price"),
        pl.col("amount").alias("size"),
        pl.col("side").alias("aggressor"),
    )
    minutes = pl.read_parquet(DATA / "crypto" / "freqtrade_XRP_ETH-1m.parquet").select(
        (pl.col("date").dt.epoch("ns") + 60 * 10**9).alias("ts_event"), *OHLCV
    )
    made = aggregate(trades.sort("ts_event"), BarSpec("time", "1m")).bars["1m"]
    both = made.join(minutes, on="ts_event", suffix="_theirs")
    assert both.height > 1_000
    for name in OHLCV[:4]:
        assert (both[name] == both[f"{name}_theirs"]).all()
    assert ((both["volume"] - both["volume_theirs"]).abs() < 1e-6).all()
    total = made["buy_volume"] + made["sell_volume"]
    assert ((total - made["volume"]).abs() < 1e-6).all()


def test_hours_of_real_minutes_are_those_of_polars() -> None:
    minutes = pl.read_parquet(DATA / "crypto" / "freqtrade_XRP_ETH-1m.parquet").select(
        (pl.col("date").dt.convert_time_zone("UTC").cast(pl.Datetime("ns", "UTC"))).alias("date"),
        *OHLCV,
    )
    wanted = minutes.group_by_dynamic("date", every="1h", label="right").agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    )
    frame = minutes.with_columns(ts_event=pl.col("date").dt.epoch("ns") + 60 * 10**9)
    found = aggregate(frame, BarSpec("time", "1h"), kind="bars").bars["1h"]
    wanted = wanted.head(found.height)
    assert found.select(OHLCV[:4]).equals(wanted.select(OHLCV[:4]))
    assert ((found["volume"] - wanted["volume"]).abs() < 1e-6).all()
    assert found["ts_event"].equals(wanted["date"].dt.epoch("ns").rename("ts_event"))


def test_days_of_real_hours_are_close_to_what_another_source_has() -> None:
    hours = (
        pl.read_parquet(DATA / "crypto" / "coinbase_btcusd_1h.parquet")
        .sort("ts")
        .unique("ts", maintain_order=True)
    )
    days = pl.read_parquet(DATA / "crypto" / "coinbase_btcusd_1d.parquet")
    frame = hours.select(
        (pl.col("ts").dt.epoch("ns") + 3_600 * 10**9).alias("ts_event"),
        *OHLCV[:4],
        pl.col("volume_btc").alias("volume"),
    )
    made = (
        aggregate(frame, BarSpec("time", "1d"))
        .bars["1d"]
        .select(pl.from_epoch("ts_start", "ns").dt.date().alias("date"), *OHLCV)
    )
    both = made.join(days.with_columns(pl.col("date").cast(pl.Date)), on="date", suffix="_theirs")
    assert both.height > 700
    for name in OHLCV[:4]:
        agree = (both[name] == both[f"{name}_theirs"]).sum()
        assert agree > 0.9 * both.height


@pytest.mark.parametrize("name", ["aapl", "spy"])
def test_hours_of_lean_have_the_volume_of_its_minutes_and_prices_of_their_own(name: str) -> None:
    """Its hours were not made of its minutes, whose opens, highs and closes have other trades."""
    folder = DATA / "equities_intraday"
    local = pl.col("date").cast(pl.Datetime("us")) + pl.duration(milliseconds=pl.col("ms"))
    minutes = pl.read_parquet(folder / f"lean_{name}_1m_trade.parquet").with_columns(ts=local)
    regular = pl.col("ts").dt.time().is_between(time(9, 30), time(15, 59))
    minutes = minutes.filter(regular)
    frame = minutes.with_columns(ts_event=pl.col("ts").dt.epoch("ns") + 60 * 10**9)
    made = aggregate(frame.drop("ts"), BarSpec("time", "1h"), until=2**62).bars["1h"]
    wanted = minutes.group_by(pl.col("ts").dt.truncate("1h"), maintain_order=True).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    )
    for each in OHLCV:
        assert made[each].to_list() == wanted[each].to_list()
    hours = pl.read_parquet(folder / f"lean_{name}_1h.parquet")
    both = wanted.join(hours, on="ts", suffix="_lean")
    assert both.height >= 20
    assert (both["volume"] == both["volume_lean"]).all()
    for each in OHLCV[:4]:
        same = float((both[each] == both[f"{each}_e4"]).mean())  # type: ignore[arg-type]
        assert 0.6 < same < 0.9
        assert ((both[each] / both[f"{each}_e4"] - 1).abs() < 0.01).all()
