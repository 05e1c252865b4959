"""What the market did after each fill of a run over events."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa

from quantvista.backtest._frames import RunFrames
from quantvista.data import MarketData
from quantvista.data.events import EventData, tape_mids
from quantvista.portfolio.making import MARKOUTS, FillQuality, Mids, fill_quality, markouts

__all__ = ["fills_summed", "markouts_table"]

_ARROW = {
    "ts": pa.timestamp("ns", tz="UTC"),
    "fill_id": pa.string(),
    "instrument": pa.string(),
}
_SCHEMA = pa.schema({name: _ARROW.get(name, pa.decimal128(38, 12)) for name in MARKOUTS})


def markouts_table(data: MarketData | EventData, tables: dict[str, pa.Table]) -> pa.Table:
    """Look up the mids at and after each fill, for instruments with quotes or books.

    Parameters
    ----------
    data : MarketData or EventData
        Of the run.
    tables : dict of str to pyarrow.Table
        ``fills`` and ``positions`` of the run.

    Returns
    -------
    pyarrow.Table
        Columns of `quantvista.portfolio.making.MARKOUTS`. Instruments with corporate actions are
        left out: their prices before and after cannot be compared. So are pairs that exchange
        currencies: what one of them buys another sells, and neither holds an inventory.
    """
    fills, positions = (pl.DataFrame(tables[name]) for name in ("fills", "positions"))
    traded = set(fills["instrument"].unique())
    mids: dict[str, Mids] = {}
    if isinstance(data, EventData):
        acted = {action.instrument for action in data.actions}
        last = positions.filter(pl.col("ts") == pl.col("ts").max())
        marks = dict(zip(last["instrument"], last["mark_price"], strict=True))
        until = int(data.tape.ts_received[-1])
        for index, each in enumerate(data.instruments):
            if each.id not in traded or each.id in acted or each.settlement == "exchange":
                continue
            ts, twice = tape_mids(data.tape, index, each)
            if len(ts):
                scale = Decimal(5).scaleb(-each.price_precision - 1)
                prices = [value * scale for value in twice.tolist()]
                end = marks.get(each.id, prices[-1])
                mids[each.id] = Mids(ts.tolist(), prices, until, end)
    frame = markouts(fills, mids) if mids else pl.DataFrame(schema=MARKOUTS)
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(_SCHEMA)


def fills_summed(frames: RunFrames, summary: Mapping[str, Any]) -> list[FillQuality]:
    """Sum up the fills of each instrument that has mark-outs, to the end of the run."""
    multipliers = {each["id"]: int(each["multiplier"]) for each in summary["instruments"]}
    last = frames.equity.select(pl.col("ts").cast(pl.Int64).max()).item()
    return fill_quality(frames.fills, frames.markouts, multipliers, last)
