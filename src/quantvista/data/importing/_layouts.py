"""Columns of each kind, and of layouts that are known without a header."""

import datetime as dt
import re
from collections.abc import Mapping

import polars as pl

from quantvista.data.importing._source import Source
from quantvista.errors import MarketDataError

__all__ = ["NEEDED", "OHLC", "PRICES", "VALUES", "without_header"]

OHLC = ("open", "high", "low", "close")
_SIDES = ("bid", "ask")
VALUES: Mapping[str, tuple[str, ...]] = {
    "bars": (*OHLC, "volume"),
    "quote_bars": tuple(f"{side}_{name}" for side in _SIDES for name in (*OHLC, "size")),
    "quotes": ("bid", "bid_size", "ask", "ask_size"),
    "trades": ("price", "size"),
    "funding": ("rate",),
    "fundamentals": ("value",),
    "series": ("value",),
    "news": (),
    "reference": (),
}
"""Columns of numbers of each kind that is read row by row."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "bars": ("close",),
    "trades": ("price", "size"),
    "funding": ("rate",),
    "fundamentals": ("value",),
    "series": ("value",),
    "news": ("text",),
}
"""Columns without which a row of a kind says nothing."""
PRICES = frozenset({*OHLC, "bid", "ask", "price", *(f"{s}_{n}" for s in _SIDES for n in OHLC)})
# Columns of files without a header, by how many there are.
_KLINES = [
    "open_time",
    *OHLC,
    "volume",
    "close_time",
    "quote_volume",
    "trades",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
]
_LEAN_BARS = ["ms", *OHLC, "volume"]
_LEAN_QUOTES = ["ms", *VALUES["quote_bars"]]
_LEAN_TICKS = ["ms", "price", "size", "exchange", "conditions", "suspicious"]


def without_header(
    source: Source, sample: pl.DataFrame
) -> tuple[dict[str, str], dict[str, dt.date]]:
    """Name the columns of a file that has no header, by what known layouts look like.

    Parameters
    ----------
    source : Source
        The file.
    sample : polars.DataFrame
        Its first rows.

    Returns
    -------
    (dict of str to str, dict of str to datetime.date)
        New names, and columns that the name of the file stands for; empty where there is a header.

    Raises
    ------
    MarketDataError
        If it is none of them.
    """
    if source.header:
        return {}, {}
    first = [str(value) for value in sample.row(0)]
    names: list[str] | None = None
    constants: dict[str, dt.date] = {}
    day = re.match(r"(\d{8})_", source.stem)
    if len(first) == 12 and len(first[0]) >= 13:
        names = _KLINES
    elif len(first) == 4 and re.fullmatch(r"\d{8}", first[0]):
        names = ["date", "price factor", "split factor", "reference price"]
    elif len(first) == 6 and re.fullmatch(r"\d{8} \d\d:\d\d", first[0]):
        names = ["date", *(f"{name}_e4" for name in OHLC), "volume"]
    elif day and len(first) in (6, 11):
        names = _LEAN_QUOTES if len(first) == 11 else _LEAN_BARS
        names = _LEAN_TICKS if "tick" in source.stem.lower() else names
        constants = {"date": dt.datetime.strptime(day[1], "%Y%m%d").replace(tzinfo=dt.UTC).date()}
    if names is None:
        raise MarketDataError(
            f"{source.where}: must have a header that names its columns; found "
            f"{', '.join(first[:6])} in row 1, which is none of Binance's and LEAN's layouts"
        )
    return dict(zip(sample.columns, names, strict=True)), constants
