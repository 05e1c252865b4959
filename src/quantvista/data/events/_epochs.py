"""Units over time: corporate actions, and the precisions that hold between them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.data.events._clock import Clock
from quantvista.engine import Tape, engine_action, merge_tapes, records_tape
from quantvista.errors import MarketDataError
from quantvista.market import CorporateAction, EventKind, Instrument, Records

__all__ = ["Epochs"]


_ENDS = ("merger_cash", "merger_stock", "delisting")


class Epochs:
    """Corporate actions of a run at their instants, and the instruments between them.

    Parameters
    ----------
    instruments : sequence of Instrument
        In ascending order of id, as they are at the start of the run.
    actions : sequence of CorporateAction
        By ex-date. Those of other instruments, or with ex-dates outside the sessions, are not
        applied; nor are those before the first data of their instrument, which nobody can hold by
        then, unless they change its precision.
    clock : Clock
        Sessions of the run.
    since : mapping of str to int
        When the data of each instrument begins, UTC nanoseconds.

    Attributes
    ----------
    applied, written, times
        The actions of the run, as they are and in the engine's units, and their instants.
    changes : list of (int, tuple of Instrument)
        From when the instruments are what they are; the first from the beginning of time.
    ended : dict of str to int
        Instants from which an instrument is no more, by an action or by its expiry.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        actions: Sequence[CorporateAction],
        clock: Clock,
        since: Mapping[str, int],
    ) -> None:
        ids = {each.id for each in instruments}
        first, last = clock.days.labels[0], clock.days.labels[-1]
        self.changes: list[tuple[int, tuple[Instrument, ...]]] = [
            (np.iinfo(np.int64).min, tuple(instruments))
        ]
        self.applied: list[CorporateAction] = []
        self.written: list[dict[str, Any]] = []
        self.times: list[int] = []
        # An expiry is the last instant of a future; whatever is later is not its data.
        self._expiries = {each.id: each.expiry + 1 for each in instruments if each.expiry}
        self.ended: dict[str, int] = dict(self._expiries)
        for action in actions:
            if action.instrument not in ids or not first <= np.datetime64(action.ex_date) <= last:
                continue
            ts = clock.before(np.datetime64(action.ex_date))
            if ts <= since.get(action.instrument, ts) and action.kind != "precision":
                continue
            self._apply(ts, action)

    def _apply(self, ts: int, action: CorporateAction) -> None:
        name = action.instrument
        if self.ended.get(name, ts) < ts:
            rule = "must not come after the end of its instrument"
            raise MarketDataError(f"`actions` {rule}; found {action.kind} of '{name}'")
        current = self.changes[-1][1]
        self.times.append(ts)
        self.applied.append(action)
        self.written.append(engine_action(action, current))
        if action.kind in _ENDS:
            self.ended[name] = ts
            self._expiries.pop(name, None)
        if action.kind == "precision":
            self.changes.append((ts, tuple(_changed(each, action) for each in current)))

    def tapes(self, last: int) -> list[Tape]:
        """Give a row for each action, with its number in ``a``, and one for each expiry.

        Expiries after ``last``, the time of the last event, are not part of the run.
        """
        place = {each.id: index for index, each in enumerate(self.changes[0][1])}
        of = np.array([place[each.instrument] for each in self.applied], dtype=np.int64)
        number = np.arange(len(self.applied), dtype=np.int64)
        ts = np.array(self.times, dtype=np.int64)
        actions = Tape.of(EventKind.ACTION, ts, instrument=of, values={"a": number})
        ends = sorted((at, place[name]) for name, at in self._expiries.items() if at <= last + 1)
        at = np.array([each[0] for each in ends], dtype=np.int64)
        of = np.array([each[1] for each in ends], dtype=np.int64)
        return [actions, Tape.of(EventKind.INSTRUMENT_ENDED, at, instrument=of)]

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
        """Put checked records on a tape, in the units of their time.

        Raises
        ------
        MarketDataError
            If there are events of an instrument that is no more.
        """
        self._refuse_ended(records)
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

    def _refuse_ended(self, records: Records) -> None:
        names = records.instruments
        if not any(name in self.ended for name in names):
            return
        never = np.iinfo(np.int64).max
        ends = np.array([self.ended.get(name, never) for name in names], dtype=np.int64)
        late = records.frame["ts_received"].to_numpy() >= ends[records.codes(names)]
        if late.any():
            index = int(np.argmax(late))
            raise MarketDataError(
                f"{records.where}: must have nothing of an instrument after its end; found "
                f"'{records.frame['instrument'][index]}' in row {records.row(index)}"
            )


def _changed(instrument: Instrument, action: CorporateAction) -> Instrument:
    if instrument.id != action.instrument:
        return instrument
    terms: dict[str, Any] = {
        name: getattr(action, name)
        for name in ("price_precision", "quantity_precision", "tick_size", "lot_size")
    }
    return replace(instrument, **terms)
