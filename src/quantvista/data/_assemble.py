"""Files to one time axis: sessions, window, universe and benchmark."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantvista.data._block import Block, show_stamp
from quantvista.data._instruments import make_instrument
from quantvista.data._moves import large_moves
from quantvista.data._types import Bias, DataSpec, MarketData, fingerprint
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import CURRENCIES, CalendarReachError, Instrument, Sessions, sessions

__all__ = ["assemble"]

_DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Axis:
    ts: NDArray[np.int64]
    day: NDArray[np.int64]  # session label of each bar, days since 1970
    session: NDArray[np.int64]  # number of its session


def assemble(
    blocks: Sequence[Block],
    spec: DataSpec,
    calendar: str,
    currency: str,
    biases: tuple[Bias, ...],
    assumptions: tuple[str, ...],
    *,
    moves_known: bool = False,
) -> MarketData:
    """Join checked files into market data.

    Parameters
    ----------
    blocks : sequence of Block
        At least one, checked.
    spec : DataSpec
        Window, universe, benchmark, steps and sectors.
    calendar, currency : str
        Of the fund.
    biases, assumptions
        What is known of the source.
    moves_known : bool
        Whether its large moves were looked into, so that they need no mention.

    Returns
    -------
    MarketData
        Instruments ascending by id.

    Raises
    ------
    MarketDataError
        If a stamp is in no session, files overlap, or the window or the universe is empty.
    ConfigError
        If the fund asks for an instrument that the data lacks.
    """
    if len({block.daily for block in blocks}) > 1:
        one = next(block.where for block in blocks if block.daily)
        other = next(block.where for block in blocks if not block.daily)
        raise MarketDataError(
            f"{spec.source}: files must agree on dates or instants; "
            f"{one} has dates, {other} has instants"
        )
    fields = {tuple(sorted(block.values)): block.where for block in blocks}
    if len(fields) > 1:
        shown = "; ".join(f"{where} has {', '.join(names)}" for names, where in fields.items())
        raise MarketDataError(f"{spec.source}: files must have the same values; {shown}")
    axis, keys = _axis(blocks, calendar)
    ids = sorted({name for block in blocks for name in block.ids})
    values = _merge(blocks, ids, axis, keys)
    window = _window(axis, spec)
    axis = _Axis(axis.ts[window], axis.day[window], axis.session[window])
    values = {name: matrix[window] for name, matrix in values.items()}
    chosen, notes = _universe(ids, values["close"], spec)
    columns = np.array([ids.index(name) for name in chosen], dtype=np.int64)
    if not moves_known:
        used = [name for name in ids if name in chosen or name == spec.benchmark]
        at = np.array([ids.index(name) for name in used], dtype=np.int64)
        notes += large_moves(used, values["close"][:, at], _times(axis, blocks[0].daily))
    benchmark = None
    if spec.benchmark is not None:
        column = values["close"][:, ids.index(spec.benchmark)]
        benchmark, note = _carry_forward(column, spec.benchmark, axis.ts)
        notes += note
    values = {name: np.ascontiguousarray(m[:, columns]) for name, m in values.items()}
    if gaps := int(np.isnan(values["close"]).all(axis=1).sum()):
        notes += (f"{gaps} of {len(axis.ts)} bars have no price of any instrument.",)
    notes = assumptions + notes
    return _finish(chosen, axis, values, benchmark, spec, currency, calendar, biases, notes)


def _finish(
    chosen: list[str],
    axis: _Axis,
    values: dict[str, NDArray[np.float64]],
    benchmark: NDArray[np.float64] | None,
    spec: DataSpec,
    currency: str,
    calendar: str,
    biases: tuple[Bias, ...],
    assumptions: tuple[str, ...],
) -> MarketData:
    instruments = tuple(make_instrument(name, spec, currency, calendar) for name in chosen)
    biases += _quoted_otherwise(instruments)
    change = np.flatnonzero(np.diff(axis.session)) + 1
    start = np.zeros(len(axis.ts), dtype=np.bool_)
    end = np.zeros(len(axis.ts), dtype=np.bool_)
    start[0] = end[-1] = True
    start[change] = end[change - 1] = True
    arrays = {
        "ts": axis.ts,
        "session_start": start,
        "session_end": end,
        "close": values["close"],
        "open": values.get("open"),
        "high": values.get("high"),
        "low": values.get("low"),
        "volume": values.get("volume"),
        "benchmark": benchmark,
    }
    for array in arrays.values():
        if array is not None:
            array.setflags(write=False)
    return MarketData(
        instruments=instruments,
        **arrays,  # type: ignore[arg-type]
        benchmark_id=spec.benchmark,
        biases=biases,
        assumptions=assumptions,
        source=spec.source,
        fingerprint=fingerprint(instruments, spec.benchmark, arrays),
    )


def _quoted_otherwise(instruments: Sequence[Instrument]) -> tuple[Bias, ...]:
    """Say which pairs have another currency in their name than their prices are taken in."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in instruments:
        _, sign, rest = each.id.rpartition(".")[0].partition("-")
        quote = rest.partition("-")[0]
        if sign and quote in CURRENCIES and quote != each.currency:
            found.setdefault((quote, each.currency), []).append(each.id)
    return tuple(
        Bias(
            "quoted_otherwise",
            f"{', '.join(ids[:3])}{' and others' if len(ids) > 3 else ''}: the name says {quote}, "
            f"the prices are taken as {currency}. Declare their `currency` in [[instrument]].",
        )
        for (quote, currency), ids in sorted(found.items())
    )


def _axis(blocks: Sequence[Block], calendar: str) -> tuple[_Axis, list[NDArray[np.int64]]]:
    """Build the common time axis, and the stamps of each block on it."""
    days = _sessions(blocks, calendar)
    if blocks[0].daily:
        labels = days.labels.astype(np.int64)
        for block in blocks:
            bad = ~np.isin(block.stamps, labels)
            _refuse_stamp(block, bad, f"must be a session of the calendar {calendar}")
        axis = _Axis(days.close_ns.copy(), labels, np.arange(len(labels), dtype=np.int64))
        return axis, [np.searchsorted(labels, block.stamps) for block in blocks]
    for block in blocks:
        number = _session_of(days, block.stamps)
        rule = f"must be the close of a bar within a session of the calendar {calendar}"
        _refuse_stamp(block, number < 0, rule)
    ts = np.unique(np.concatenate([block.stamps for block in blocks]))
    number = _session_of(days, ts)
    axis = _Axis(ts, days.labels[number].astype(np.int64), number)
    return axis, [np.searchsorted(ts, block.stamps) for block in blocks]


def _sessions(blocks: Sequence[Block], calendar: str) -> Sessions:
    """All sessions that the stamps may belong to; those that the calendar lacks are refused."""
    first = min(block.stamps[0] for block in blocks)
    last = max(block.stamps[-1] for block in blocks)
    unit, margin = (1, 0) if blocks[0].daily else (_DAY_NS, 3)
    start = np.datetime64(int(first // unit) - margin, "D")
    end = np.datetime64(int(last // unit) + margin, "D")
    try:
        return sessions(calendar, start, end)
    except CalendarReachError as error:
        low, high = error.first.astype(np.int64), error.last.astype(np.int64)
        rule = f"must lie within the calendar {calendar}, {error.first} to {error.last}"
        for block in blocks:
            day = block.stamps // unit
            _refuse_stamp(block, (day < low) | (day > high), rule)
        return sessions(calendar, max(start, error.first), min(end, error.last))


def _session_of(days: Sessions, ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the session with ``open < ts <= close``, else -1."""
    number = np.searchsorted(days.open_ns, ts, side="left").astype(np.int64) - 1
    inside = (number >= 0) & (ts <= days.close_ns[np.maximum(number, 0)])
    return np.where(inside, number, -1)


def _refuse_stamp(block: Block, bad: NDArray[np.bool_], rule: str) -> None:
    if bad.any():
        index = int(np.argmax(bad))
        rows = block.rows[index]
        row = int(rows[rows > 0].min())
        stamp = show_stamp(block.stamps[index], block.daily)
        kind = "date" if block.daily else "ts"
        raise MarketDataError(f"{block.where}: `{kind}` {rule}; found {stamp} in row {row}")


def _times(axis: _Axis, daily: bool) -> list[str]:
    return [show_stamp(stamp, daily) for stamp in (axis.day if daily else axis.ts)]


def _merge(
    blocks: Sequence[Block], ids: list[str], axis: _Axis, keys: list[NDArray[np.int64]]
) -> dict[str, NDArray[np.float64]]:
    shape = (len(axis.ts), len(ids))
    values = {name: np.full(shape, np.nan) for name in blocks[0].values}
    number = {name: index for index, name in enumerate(ids)}
    for block, key in zip(blocks, keys, strict=True):
        columns = np.array([number[name] for name in block.ids], dtype=np.int64)
        cells = np.ix_(key, columns)
        both = ~np.isnan(values["close"][cells]) & ~np.isnan(block.values["close"])
        if both.any():
            row, column = np.unravel_index(int(np.argmax(both)), both.shape)
            stamp = show_stamp(block.stamps[row], block.daily)
            raise MarketDataError(
                f"{block.where}: every time must be there once; found {stamp} of "
                f"'{block.ids[column]}' in another file too"
            )
        for name, matrix in values.items():
            fresh = block.values[name]
            matrix[cells] = np.where(np.isnan(fresh), matrix[cells], fresh)
    return values


def _window(axis: _Axis, spec: DataSpec) -> slice:
    first, last = (np.datetime64(int(day), "D") for day in (axis.day[0], axis.day[-1]))
    start = np.datetime64(spec.start, "D") if spec.start else first
    end = np.datetime64(spec.end, "D") if spec.end else last
    for name, day in (("start", start), ("end", end)):
        if not first <= day <= last:
            rule = f"must lie within the data, {first} to {last}"
            raise MarketDataError(f"`data.{name}` {rule}; found {day} for {spec.source}")
    low, high = np.searchsorted(axis.day, [start.astype(np.int64), end.astype(np.int64) + 1])
    if low >= high:
        raise MarketDataError(
            f"`data.start` to `data.end` must hold a session; found none from {start} to {end}"
        )
    return slice(int(low), int(high))


def _universe(
    ids: list[str], close: NDArray[np.float64], spec: DataSpec
) -> tuple[list[str], tuple[str, ...]]:
    """Choose the instruments, and say which were left out."""
    if spec.benchmark is not None and spec.benchmark not in ids:
        raise ConfigError(_absent("data.benchmark", spec.benchmark, ids, spec.source))
    for name in spec.instruments or ():
        if name not in ids:
            raise ConfigError(_absent("data.instruments", name, ids, spec.source))
    for name in spec.sectors:
        if name not in ids:
            raise ConfigError(_absent("data.sectors", name, ids, spec.source))
    wanted = [name for name in ids if name != spec.benchmark]
    if spec.instruments is not None:
        wanted = sorted(set(spec.instruments))
    empty = [name for name in wanted if np.isnan(close[:, ids.index(name)]).all()]
    if empty and spec.instruments is not None:
        found = f"found none of '{empty[0]}'"
        raise MarketDataError(f"`data.instruments` must have prices in the window; {found}")
    chosen = [name for name in wanted if name not in empty]
    if not chosen:
        raise MarketDataError(f"the universe is empty: no instrument of {spec.source} has a price")
    if empty:
        return chosen, (f"Left out, without a price in the window: {', '.join(empty)}.",)
    return chosen, ()


def _absent(argument: str, name: str, ids: list[str], source: str) -> str:
    close = difflib.get_close_matches(name, ids, n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"`{argument}` must be in {source}; found '{name}'{hint}"


def _carry_forward(
    level: NDArray[np.float64], name: str, ts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    missing = np.isnan(level)
    if not missing.any():
        return np.ascontiguousarray(level), ()
    if missing[0]:
        day = show_stamp(ts[0], daily=False)
        raise MarketDataError(
            f"`data.benchmark` must have a price from the start; '{name}' has none at {day}"
        )
    source = np.maximum.accumulate(np.where(missing, 0, np.arange(len(level))))
    gaps = f"{int(missing.sum())} of {len(level)} bars"
    return level[source], (f"The benchmark has no price at {gaps}; the last one stands.",)
