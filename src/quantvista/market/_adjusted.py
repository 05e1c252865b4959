"""Raw prices adjusted for splits and dividends, as of a decision.

What is stored is raw and never changes. An adjusted price is a view: it says what a bar was worth
in the units of the time of the decision, by the actions that were known then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import ConfigError, MarketDataError

__all__ = ["adjusted", "distinct_actions"]

_PRICES = ("open", "high", "low", "close")
_ADJUSTING = ("split", "stock_dividend", "cash_dividend", "spin_off")
_DAY_NS = 86_400 * 10**9
_APART_NS = 4 * _DAY_NS  # within which two sources may mean the same action: zones and typing
_SAME = 0.01  # amounts of two sources that differ by less are roundings of one


def adjusted(
    bars: pl.DataFrame,
    actions: pl.DataFrame,
    as_of: int,
    *,
    sources: Sequence[str] = (),
    dividends: bool = True,
) -> pl.DataFrame:
    """Show bars as they looked at a time, in the units of that time.

    Parameters
    ----------
    bars : polars.DataFrame
        Raw: ``instrument``, ``ts_event``, ``close``, and ``open``, ``high``, ``low``, ``volume``
        where there are any; with ``known_at``, what was known later is left out.
    actions : polars.DataFrame
        As the lake has them: ``instrument``, ``action``, ``ts_event`` (the first instant at whose
        prices it has happened), ``known_at``, ``numerator``, ``denominator``, ``amount``,
        ``into_price``; ``source`` where there are several.
    as_of : int
        UTC nanoseconds of the decision. Only actions with ``known_at`` and ``ts_event`` up to then
        count.
    sources : sequence of str
        Whose word counts where several report the same action, the first that does; those that
        are not named come last, in the order of their names.
    dividends : bool
        Whether dividends are adjusted for, or splits alone.

    Returns
    -------
    polars.DataFrame
        Bars known at ``as_of`` by instrument and time, with a column ``factor`` by which prices
        were multiplied.

    Raises
    ------
    MarketDataError
        If two sources contradict each other, or a dividend is not below the price before it.

    Notes
    -----
    A split multiplies the prices before it by old units / new units, and divides volume by that. A
    dividend multiplies them by ``1 - amount / c``, where ``c`` is the last raw close before it, as
    CRSP and LEAN do; a dividend before the first bar changes nothing. A split and a dividend of one
    instant: the dividend is in the units before the split.

    Examples
    --------
    >>> bars = pl.DataFrame({"instrument": "A.X", "ts_event": [1, 3], "close": [40.0, 10.0]})
    >>> split = {"instrument": "A.X", "action": "split", "ts_event": 2, "known_at": 2}
    >>> split |= {"numerator": 4, "denominator": 1}
    >>> adjusted(bars, pl.DataFrame([split]), as_of=3)["close"].to_list()
    [10.0, 10.0]
    """
    if "known_at" in bars.columns:
        bars = bars.filter(pl.col("known_at") <= as_of)
        bars = bars.sort("known_at", maintain_order=True).unique(
            ["instrument", "ts_event"], keep="last", maintain_order=True
        )
    bars = bars.filter(pl.col("ts_event") <= as_of).sort("instrument", "ts_event")
    happened = actions.filter(
        (pl.col("known_at") <= as_of)
        & (pl.col("ts_event") <= as_of)
        & pl.col("action").is_in(_ADJUSTING)
    )
    if "number" in happened.columns:  # with it rows have a key, and may have vintages
        key = ["instrument", "action", "number", "ts_event"]
        key += ["source"] if "source" in happened.columns else []
        happened = happened.sort("known_at", maintain_order=True).unique(
            key, keep="last", maintain_order=True
        )
    if not dividends:
        happened = happened.filter(pl.col("action") != "cash_dividend")
    happened = distinct_actions(happened, sources=sources)
    of: dict[str, list[dict[str, object]]] = {}
    for row in happened.iter_rows(named=True):
        of.setdefault(str(row["instrument"]), []).append(row)
    price = np.ones(bars.height)
    units = np.ones(bars.height)
    names = bars["instrument"].to_list()
    stamps = bars["ts_event"].to_numpy()
    closes = bars["close"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    for name, start, end in _runs(names):
        if name in of:
            rows = slice(start, end)
            _factors(of[name], stamps[rows], closes[rows], price[rows], units[rows])
    made = [
        pl.Series(name, bars[name].to_numpy() * price).fill_nan(None)
        for name in _PRICES
        if name in bars.columns
    ]
    if "volume" in bars.columns:
        made.append(pl.Series("volume", bars["volume"].to_numpy() / units).fill_nan(None))
    return bars.with_columns(*made, pl.Series("factor", price))


def _runs(names: list[str]) -> list[tuple[str, int, int]]:
    """Rows of each instrument in a sorted list."""
    found: list[tuple[str, int, int]] = []
    start = 0
    for index in range(1, len(names) + 1):
        if index == len(names) or names[index] != names[start]:
            found.append((names[start], start, index))
            start = index
    return found


def _factors(
    actions: list[dict[str, object]],
    stamps: NDArray[np.int64],
    closes: NDArray[np.float64],
    price: NDArray[np.float64],
    units: NDArray[np.float64],
) -> None:
    """Multiply what belongs before each action; ``price`` and ``units`` are changed."""
    for row in actions:
        before = int(np.searchsorted(stamps, row["ts_event"], side="left"))  # type: ignore[call-overload]
        known = np.flatnonzero(~np.isnan(closes[:before]))
        if not len(known):
            continue
        reference = float(closes[known[-1]])
        split, share = _terms(row, reference)
        price[:before] *= split * share
        units[:before] *= split


def _terms(row: Mapping[str, object], reference: float) -> tuple[float, float]:
    """Factor of units, and factor of value that is left, of one action."""
    kind = row["action"]
    if kind in ("split", "stock_dividend"):
        new, old = Fraction(str(row["numerator"])), Fraction(str(row["denominator"]))
        return float(old / new) if kind == "split" else float(old / (new + old)), 1.0
    if kind == "cash_dividend":
        given = float(str(row["amount"]))
    else:
        if row.get("into_price") is None:
            raise MarketDataError(
                f"`into_price` must be there to adjust for the spin-off of '{row['instrument']}'; "
                "found none"
            )
        ratio = Fraction(str(row["numerator"])) / Fraction(str(row["denominator"]))
        given = float(ratio) * float(str(row["into_price"]))
    if not 0 <= given < reference:
        raise MarketDataError(
            f"`amount` of the {kind} of '{row['instrument']}' at {row['ts_event']} must be below "
            f"the close before it, {reference}; found {given}"
        )
    return 1.0, 1.0 - given / reference


@dataclass(frozen=True, slots=True)
class _Group:
    """What one source says of one kind of action of one instrument on one day."""

    source: str
    ts_event: int
    rows: tuple[int, ...]
    size: float


def distinct_actions(actions: pl.DataFrame, *, sources: Sequence[str] = ()) -> pl.DataFrame:
    """Leave each action once, also where several sources report it.

    Parameters
    ----------
    actions : polars.DataFrame
        As of `adjusted`.
    sources : sequence of str
        As of `adjusted`.

    Returns
    -------
    polars.DataFrame
        In the order of time.

    Raises
    ------
    MarketDataError
        If two sources give other terms for the same instant.

    Notes
    -----
    Two sources mean the same action if they date it within four days of each other, and their
    ratio or amount differs by less than 1 %. What one source reports twice, such as a special
    dividend beside the ordinary one, are two actions.
    """
    if "source" not in actions.columns or actions["source"].n_unique() <= 1:
        return actions.sort("ts_event", maintain_order=True)
    if len(set(sources)) < len(sources):
        raise ConfigError(f"`sources` must name each source once; found {list(sources)}")
    rank = {name: place for place, name in enumerate(sources)}
    groups: dict[tuple[str, str], list[_Group]] = {}
    for whose, found in _groups(actions):
        groups.setdefault(whose, []).append(found)
    kept: list[int] = []
    for (instrument, kind), each in groups.items():
        each.sort(key=lambda g: (rank.get(g.source, len(rank)), g.source, g.ts_event))
        taken: list[tuple[_Group, set[str]]] = []
        for group in each:
            same = _same(group, taken, f"{kind} of '{instrument}'")
            if same is None:
                taken.append((group, {group.source}))
                kept += group.rows
            else:
                same.add(group.source)
    return actions[sorted(kept)].sort("ts_event", maintain_order=True)


def _groups(actions: pl.DataFrame) -> list[tuple[tuple[str, str], _Group]]:
    rows: dict[tuple[str, str, str, int], list[int]] = {}
    sizes: dict[tuple[str, str, str, int], float] = {}
    for index, row in enumerate(actions.iter_rows(named=True)):
        key = (str(row["instrument"]), str(row["action"]), str(row["source"]), int(row["ts_event"]))
        rows.setdefault(key, []).append(index)
        sizes[key] = sizes.get(key, 0.0) + _size(row)
    return [
        ((key[0], key[1]), _Group(key[2], key[3], tuple(indices), sizes[key]))
        for key, indices in rows.items()
    ]


def _size(row: Mapping[str, object]) -> float:
    if row.get("amount") is not None:
        return float(str(row["amount"]))
    if row.get("numerator") is not None:
        return float(Fraction(str(row["numerator"])) / Fraction(str(row["denominator"])))
    return 0.0


def _same(group: _Group, taken: list[tuple[_Group, set[str]]], what: str) -> set[str] | None:
    """Find the accepted action that a group reports once more, by its sources; None if none."""
    near = [
        (abs(other.ts_event - group.ts_event), place)
        for place, (other, reported) in enumerate(taken)
        if group.source not in reported and abs(other.ts_event - group.ts_event) <= _APART_NS
    ]
    for apart, place in sorted(near):
        other, reported = taken[place]
        if abs(other.size - group.size) <= _SAME * max(abs(other.size), abs(group.size)):
            return reported
        if apart < _DAY_NS:
            raise MarketDataError(
                f"sources must agree on the {what} at {group.ts_event}; found {other.size:g} from "
                f"{other.source} and {group.size:g} from {group.source}: leave one out"
            )
    return None
