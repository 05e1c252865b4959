"""Units over time: corporate actions, and the precisions that hold between them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.data.events._clock import Clock
from quantvista.engine import Tape, engine_action, merge_tapes, records_tape
from quantvista.market import CorporateAction, EventKind, Instrument, Records

__all__ = ["Epochs"]


class Epochs:
    """Corporate actions of a run at their instants, and the instruments between them.

    Parameters
    ----------
    instruments : sequence of Instrument
        In ascending order of id, as they are at the start of the run.
    actions : sequence of CorporateAction
        By ex-date. Those of other instruments, or with ex-dates outside the sessions, are not
        applied.
    clock : Clock
        Sessions of the run.

    Attributes
    ----------
    applied, written
        The actions of the run, as they are and in the engine's units.
    changes : list of (int, tuple of Instrument)
        From when the instruments are what they are; the first from the beginning of time.
    """

    def __init__(
        self, instruments: Sequence[Instrument], actions: Sequence[CorporateAction], clock: Clock
    ) -> None:
        ids = {each.id for each in instruments}
        first, last = clock.days.labels[0], clock.days.labels[-1]
        self.applied = [
            each
            for each in actions
            if each.instrument in ids and first <= np.datetime64(each.ex_date) <= last
        ]
        self._ts = [clock.before(np.datetime64(each.ex_date)) for each in self.applied]
        self.changes: list[tuple[int, tuple[Instrument, ...]]] = [
            (np.iinfo(np.int64).min, tuple(instruments))
        ]
        self.written: list[dict[str, Any]] = []
        for ts, action in zip(self._ts, self.applied, strict=True):
            current = self.changes[-1][1]
            self.written.append(engine_action(action, current))
            if action.kind == "precision":
                changed = tuple(_changed(each, action) for each in current)
                self.changes.append((ts, changed))

    def actions_tape(self) -> Tape:
        """Give a row for each action, with its number in ``a``."""
        place = {each.id: index for index, each in enumerate(self.changes[0][1])}
        of = np.array([place[each.instrument] for each in self.applied], dtype=np.int64)
        number = np.arange(len(self.applied), dtype=np.int64)
        ts = np.array(self._ts, dtype=np.int64)
        return Tape.of(EventKind.ACTION, ts, instrument=of, values={"a": number})

    def bounds(self, ts: NDArray[np.int64]) -> list[tuple[slice, tuple[Instrument, ...]]]:
        """Rows of ascending times between changes, with the instruments of that time."""
        starts = np.searchsorted(ts, [since for since, _ in self.changes], side="left")
        ends = [*starts[1:].tolist(), len(ts)]
        return [
            (slice(start, end), instruments)
            for start, end, (_, instruments) in zip(
                starts.tolist(), ends, self.changes, strict=True
            )
            if start < end
        ]

    def tape(self, records: Records, currencies: Sequence[str], round_prices: bool) -> Tape:
        """Put checked records on a tape, in the units of their time."""
        parts = []
        for rows, instruments in self.bounds(records.frame["ts_received"].to_numpy()):
            part = records
            if len(self.changes) > 1:
                frame = records.frame
                if "row" not in frame.columns:
                    frame = frame.with_row_index("row", records.row_first)
                part = replace(records, frame=frame[rows])
            parts.append(records_tape(part, instruments, currencies, round_prices=round_prices))
        return parts[0] if len(parts) == 1 else merge_tapes(parts)


def _changed(instrument: Instrument, action: CorporateAction) -> Instrument:
    if instrument.id != action.instrument:
        return instrument
    terms: dict[str, Any] = {
        name: getattr(action, name)
        for name in ("price_precision", "quantity_precision", "tick_size", "lot_size")
    }
    return replace(instrument, **terms)
