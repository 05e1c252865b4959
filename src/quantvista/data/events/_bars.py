"""Bars as rows of a tape."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.data._types import MarketData
from quantvista.data.events._epochs import Epochs
from quantvista.engine import MISSING, BarArrays, Tape, bar_feed, merge_tapes
from quantvista.errors import MarketDataError
from quantvista.market import EventKind, Instrument

__all__ = ["bars_tape"]

_FIELDS = ("open", "high", "low", "close", "volume")


def bars_tape(data: MarketData, epochs: Epochs) -> Tape:
    """Put the bars of the instruments that are matched against bars on a tape.

    Parameters
    ----------
    data : MarketData
        Bars of some of the instruments.
    epochs : Epochs
        Instruments of the run over time.

    Returns
    -------
    Tape
        By time, then instrument: its bars, ``BAR_MISSING`` where one is missing between its
        first and its last, and ``INSTRUMENT_ENDED`` at the time after its last, unless that is
        the data's, or it ends by an action or expires.

    Raises
    ------
    MarketDataError
        If a price is finer than the precision of its time, or of an instrument that is no more.
    """
    number = {each.id: index for index, each in enumerate(epochs.changes[0][1])}
    instruments = epochs.changes[0][1]
    own = np.array(
        [
            column
            for column, name in enumerate(data.ids)
            if instruments[number[name]].matching == "bars"
        ],
        dtype=np.int64,
    )
    if not len(own):
        return Tape.empty()
    of = np.array([number[data.ids[column]] for column in own], dtype=np.int64)
    there = ~np.isnan(data.close[:, own])
    count = len(data.ts)
    some = there.any(axis=0)
    first = np.where(some, there.argmax(axis=0), count)
    last = np.where(some, count - 1 - there[::-1].argmax(axis=0), -1)
    rows = np.arange(count)[:, None]
    alive = (rows >= first) & (rows <= last)
    kind = np.where(there, EventKind.BAR, EventKind.BAR_MISSING).astype(np.uint8)
    ts = np.broadcast_to(data.ts[:, None], there.shape)[alive]
    columns = _columns(data, epochs, own, of)
    values = {
        letter: columns[name][alive]
        for letter, name in zip("abcde", _FIELDS, strict=True)
        if name in columns
    }
    bars = Tape.of(
        kind[alive], ts, instrument=np.broadcast_to(of, there.shape)[alive], values=values
    )
    ids = [instruments[index].id for index in of]
    for name, row in zip(ids, last.tolist(), strict=True):
        if row >= 0 and data.ts[row] >= epochs.ended.get(name, np.iinfo(np.int64).max):
            raise MarketDataError(
                f"{data.source}: must have nothing of an instrument after its end; found a bar of "
                f"'{name}'"
            )
    by_itself = np.array([name not in epochs.ended for name in ids], dtype=np.bool_)
    ended = np.flatnonzero((last >= 0) & (last + 1 < count) & by_itself)
    ended = ended[np.argsort(last[ended], kind="stable")]
    ends = Tape.of(EventKind.INSTRUMENT_ENDED, data.ts[last[ended] + 1], instrument=of[ended])
    return merge_tapes([bars, ends])


def _columns(
    data: MarketData, epochs: Epochs, own: NDArray[np.int64], of: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Whole units of all values, shape (T, n) each, in the precision of their time."""
    found: dict[str, list[NDArray[np.int64]]] = {}
    for rows, instruments in epochs.bounds(data.ts):
        units = _units(data, rows, own, [instruments[index] for index in of])
        if len(epochs.changes) > 1:
            _refuse_finer(data, rows, own, instruments, of, units)
        for name, matrix in units.items():
            found.setdefault(name, []).append(matrix)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _units(
    data: MarketData, rows: slice, own: NDArray[np.int64], instruments: list[Instrument]
) -> dict[str, NDArray[np.int64]]:
    def part(matrix: NDArray[np.float64] | None) -> Any:  # noqa: ANN401 - None stays None
        return None if matrix is None else matrix[rows][:, own]

    bars = BarArrays(
        data.ts[rows],
        data.session_start[rows],
        data.session_end[rows],
        part(data.close),
        part(data.open),
        part(data.high),
        part(data.low),
        part(data.volume),
    )
    feed = bar_feed(bars, instruments)
    shape = (len(bars.ts), len(own))
    return {name: feed[name].reshape(shape) for name in _FIELDS if feed[name] is not None}


def _refuse_finer(
    data: MarketData,
    rows: slice,
    own: NDArray[np.int64],
    instruments: tuple[Instrument, ...],
    of: NDArray[np.int64],
    units: dict[str, NDArray[np.int64]],
) -> None:
    scale = np.array([10.0 ** instruments[index].price_precision for index in of])
    for name in ("open", "high", "low", "close"):
        matrix = getattr(data, name)
        if matrix is None:
            continue
        exact = matrix[rows][:, own]
        bad = (units[name] / scale != exact) & (units[name] != MISSING)
        if bad.any():
            row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
            instrument = instruments[of[column]]
            raise MarketDataError(
                f"{data.source}: `{name}` must have at most {instrument.price_precision} decimals "
                f"at its time; found {exact[row, column]} of '{instrument.id}'"
            )
