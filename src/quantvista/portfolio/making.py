"""What the fills of a market maker earned, and what the market did after them.

Of a fill on side ``s`` (+1 bought, -1 sold) of ``q`` units at ``price``, with ``mid`` just before
it, ``mid_h`` the mid ``h`` seconds after it and ``end`` the mark at the end of the run::

    spread captured   s * q * (mid - price)
    mark-out at h     s * q * (mid_h - mid)       negative is adverse selection
    realised spread   s * q * (mid_h - price)     the sum of the two

and, with ``h`` the longest horizon, so that all parts add up to the profit exactly::

    profit = captured + selection + inventory - fees
    selection = s * q * (mid_h - mid)      inventory = s * q * (end - mid_h)

All of it times the multiplier, in the currency of the instrument, summed over the fills. Decimal
arithmetic on the recorded figures: no float, no rounding. Basis points are of the mid.

References
----------
Huang and Stoll (1996), Dealer versus auction markets, Journal of Financial Economics 41(3), for
effective and realised spreads.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from itertools import pairwise
from typing import Any, Final

import polars as pl

__all__ = [
    "HORIZONS_S",
    "MARKOUTS",
    "FillQuality",
    "Mids",
    "fill_quality",
    "inventory",
    "markouts",
    "quality_frame",
]

HORIZONS_S: Final = (1, 5, 30, 60)
"""Seconds after a fill at which the mid is looked at."""

MARKOUTS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "ts": pl.Datetime("ns", "UTC"),
    "fill_id": pl.String,
    "instrument": pl.String,
    "mid": pl.Decimal(38, 12),
    **{f"mid_{seconds}s": pl.Decimal(38, 12) for seconds in HORIZONS_S},
    "mid_end": pl.Decimal(38, 12),
}
"""Columns of the table of mark-outs, one row per fill."""

_NS: Final = 1_000_000_000
_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Mids:
    """Mid prices of an instrument.

    Parameters
    ----------
    ts : sequence of int
        UTC ns, ascending.
    price : sequence of Decimal
        The mid from then on.
    until : int
        UTC ns up to which the market is known.
    end : Decimal
        What a position is worth at the end of the run, per unit.
    """

    ts: Sequence[int]
    price: Sequence[Decimal]
    until: int
    end: Decimal

    def at(self, ts: int, *, before: bool = False) -> Decimal | None:
        """Give the last mid at a time, or before it; None where there was none yet."""
        index = (bisect_left if before else bisect_right)(self.ts, ts) - 1
        return self.price[index] if index >= 0 else None


@dataclass(frozen=True, slots=True)
class FillQuality:
    """The fills of one instrument, summed.

    Parameters
    ----------
    instrument : str
        Its id.
    fills, makers : int
        How many, and how many of them rested.
    bought, sold : Decimal
        Units.
    captured, selection, inventory, fees : Decimal
        Parts of the profit, see the module; fees are positive where they cost.
    traded : Decimal
        Notional at the mids of the fills.
    unmarked : int
        Fills before any mid: they have no spread, and count in ``inventory`` alone.
    captured_bps : float
        Spread captured over what was traded; NaN where nothing has a mid.
    markout_bps, realised_bps : dict of int to float
        By horizon in seconds, over the fills whose horizon lies within the data; NaN without.
    held_max, held_min, held_mean : Decimal
        Largest and least inventory, and the mean of its size over time, in units.
    held_end : Decimal
        What is left.
    """

    instrument: str
    fills: int
    makers: int
    bought: Decimal
    sold: Decimal
    captured: Decimal
    selection: Decimal
    inventory: Decimal
    fees: Decimal
    traded: Decimal
    unmarked: int
    captured_bps: float
    markout_bps: dict[int, float]
    realised_bps: dict[int, float]
    held_max: Decimal
    held_min: Decimal
    held_mean: Decimal
    held_end: Decimal

    @property
    def profit(self) -> Decimal:
        """What the fills made, after fees."""
        with localcontext(_EXACT):
            return self.captured + self.selection + self.inventory - self.fees


_EXACT: Final = Context(prec=100)


def markouts(fills: pl.DataFrame, mids: Mapping[str, Mids]) -> pl.DataFrame:
    """Look up the mids at and after each fill.

    Parameters
    ----------
    fills : polars.DataFrame
        As of a run: ts, fill_id, instrument, liquidity.
    mids : mapping of str to Mids
        By instrument; fills of others are left out.

    Returns
    -------
    polars.DataFrame
        Columns of `MARKOUTS`. A maker is compared with the last mid before the event that filled
        it, since that event moves the mid; a taker with the mid at that time.

    Notes
    -----
    Missing data: null where there was no mid yet, and at horizons beyond the end of the data.
    """
    columns = ("ts", "fill_id", "instrument", "liquidity")
    rows = []
    stamps = fills.select(pl.col("ts").cast(pl.Int64), *columns[1:]).iter_rows()
    for ts, fill_id, instrument, liquidity in stamps:
        known = mids.get(instrument)
        if known is None:
            continue
        after = [
            known.at(ts + seconds * _NS) if ts + seconds * _NS <= known.until else None
            for seconds in HORIZONS_S
        ]
        mid = known.at(ts, before=liquidity == "maker")
        rows.append((ts, fill_id, instrument, mid, *after, known.end))
    schema = {name: pl.Int64 if name == "ts" else kind for name, kind in MARKOUTS.items()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.from_epoch("ts", "ns").dt.replace_time_zone("UTC"))


def inventory(fills: pl.DataFrame) -> pl.DataFrame:
    """Follow what was held: the quantity of each instrument after each time at which it traded.

    Returns
    -------
    polars.DataFrame
        ts, instrument, quantity; by time within each instrument, which come in ascending order.
    """
    signed = (
        pl.when(pl.col("side") == "buy").then(pl.col("quantity")).otherwise(-pl.col("quantity"))
    )
    moved = fills.group_by("instrument", "ts").agg(signed.sum().alias("quantity"))
    moved = moved.sort("instrument", "ts")
    return moved.select("ts", "instrument", pl.col("quantity").cum_sum().over("instrument"))


def fill_quality(
    fills: pl.DataFrame,
    marked: pl.DataFrame,
    multipliers: Mapping[str, int] | None = None,
    until: int | None = None,
) -> list[FillQuality]:
    """Sum up the fills of each instrument that has mark-outs.

    Parameters
    ----------
    fills : polars.DataFrame
        As of a run, exact decimals.
    marked : polars.DataFrame
        What `markouts` made of them.
    multipliers : mapping of str to int, optional
        By instrument; 1 where absent.
    until : int, optional
        UTC ns up to which the last inventory counts in its mean; by default the last fill.

    Returns
    -------
    list of FillQuality
        In ascending order of instrument.
    """
    joined = fills.join(marked.drop("ts", "instrument"), on="fill_id", how="inner")
    found = []
    with localcontext(_EXACT):
        for (name,), part in sorted(
            joined.group_by("instrument", maintain_order=True), key=lambda each: str(each[0])
        ):
            unit = Decimal((multipliers or {}).get(str(name), 1))
            found.append(_summed(str(name), part, unit, until))
    return found


def quality_frame(found: Sequence[FillQuality]) -> pl.DataFrame:
    """Lay fills out as a frame of floats, one row per instrument."""
    plain = [
        *("instrument", "fills", "makers", "unmarked", "bought", "sold", "traded"),
        *("captured", "selection", "inventory", "fees", "profit", "captured_bps"),
    ]
    rest = ("held_max", "held_min", "held_mean", "held_end")
    whole = ("instrument", "fills", "makers", "unmarked")
    rows = [
        {
            **{name: getattr(each, name) for name in plain},
            **{f"markout_bps_{key}": value for key, value in each.markout_bps.items()},
            **{f"realised_bps_{key}": value for key, value in each.realised_bps.items()},
            **{name: getattr(each, name) for name in rest},
        }
        for each in found
    ]
    by_horizon = [f"{kind}_bps_{each}" for kind in ("markout", "realised") for each in HORIZONS_S]
    schema: dict[str, Any] = dict.fromkeys((*plain, *by_horizon, *rest), pl.Float64)
    schema |= {"instrument": pl.String, **dict.fromkeys(whole[1:], pl.Int64)}
    values = [
        {key: value if key in whole else float(value) for key, value in row.items()} for row in rows
    ]
    return pl.DataFrame(values, schema=schema)


def _summed(name: str, fills: pl.DataFrame, unit: Decimal, until: int | None) -> FillQuality:
    zero = Decimal(0)
    captured = selection = held = fees = traded = zero
    moves = dict.fromkeys(HORIZONS_S, zero)
    gains = dict.fromkeys(HORIZONS_S, zero)
    bases = dict.fromkeys(HORIZONS_S, zero)
    unmarked = 0
    for row in fills.iter_rows(named=True):
        size = row["quantity"] * unit
        signed = size if row["side"] == "buy" else -size
        price, end, fees = row["price"], row["mid_end"], fees + row["fee"]
        mid = row["mid"]
        if mid is None:
            unmarked += 1
            held += signed * (end - price)
            continue
        last = row[f"mid_{HORIZONS_S[-1]}s"]
        last = end if last is None else last
        captured += signed * (mid - price)
        selection += signed * (last - mid)
        held += signed * (end - last)
        traded += size * mid
        for seconds in HORIZONS_S:
            after = row[f"mid_{seconds}s"]
            if after is not None:
                moves[seconds] += signed * (after - mid)
                gains[seconds] += signed * (after - price)
                bases[seconds] += size * mid
    sides = {side: _total(fills.filter(pl.col("side") == side)) for side in ("buy", "sell")}
    path = _path(fills, until)
    return FillQuality(
        instrument=name,
        fills=fills.height,
        makers=int((fills["liquidity"] == "maker").sum()),
        bought=sides["buy"],
        sold=sides["sell"],
        captured=captured,
        selection=selection,
        inventory=held,
        fees=fees,
        traded=traded,
        unmarked=unmarked,
        captured_bps=_bps(captured, traded),
        markout_bps={each: _bps(moves[each], bases[each]) for each in HORIZONS_S},
        realised_bps={each: _bps(gains[each], bases[each]) for each in HORIZONS_S},
        held_max=max(zero, *(quantity for _, quantity in path)),
        held_min=min(zero, *(quantity for _, quantity in path)),
        held_mean=_mean_size(path),
        held_end=path[-1][1],
    )


def _total(fills: pl.DataFrame) -> Decimal:
    return sum(fills["quantity"].to_list(), Decimal(0))


def _path(fills: pl.DataFrame, until: int | None) -> list[tuple[int, Decimal]]:
    steps = inventory(fills).select(pl.col("ts").cast(pl.Int64), "quantity").rows()
    return [*steps, (until, steps[-1][1])] if until is not None and until > steps[-1][0] else steps


def _mean_size(path: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Average over the time from the first fill to the last row; the last quantity has no span."""
    span = path[-1][0] - path[0][0]
    if span == 0:
        return abs(path[-1][1])
    pairs = pairwise(path)
    return sum((abs(held) * (after - ts) for (ts, held), (after, _) in pairs), Decimal(0)) / span


def _bps(amount: Decimal, base: Decimal) -> float:
    return float(amount / base * _BPS) if base else float("nan")
