"""The tape: all that a run is told by the world, as columns of whole numbers in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from quantvista.market import EventKind

__all__ = ["MISSING", "MORE", "Tape", "merge_tapes"]

MISSING = -(2**63)
"""Stands in a tape for a price or size that is not there."""

MORE = 128
"""Bit of ``flag``: rows of the same message follow."""

_CLASS_MARKET, _CLASS_ACTION, _CLASS_TIMER = 2, 1, 3
_CLASS = {
    EventKind.ACTION: _CLASS_ACTION,
    EventKind.INSTRUMENT_ENDED: _CLASS_ACTION,
    EventKind.BARRIER: _CLASS_TIMER,
    EventKind.DAY_ENDED: _CLASS_TIMER,
}
_DTYPES = {"kind": np.dtype(np.uint8), "flag": np.dtype(np.uint8)}
_INT64 = np.dtype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Events in the order in which the engine takes them.

    Parameters
    ----------
    ts_event, ts_received : int64, shape (n,)
        UTC nanoseconds.
    kind : uint8, shape (n,)
        `EventKind`.
    flag : uint8, shape (n,)
        By kind: the side, the aggressor, the phase; bit 7 says that the message goes on.
    instrument : int64, shape (n,)
        Index into the run's instruments, or into its currencies for a rate; 0 where neither.
    a, b, c, d, e : int64, shape (n,)
        By kind, in units of the instrument's precision; `MISSING` where there is nothing.

    Notes
    -----
    Ordered by (``ts_received``, class, source, place in the source), classes being corporate
    actions, market data, timers. Two tapes are joined by `merge_tapes`.
    """

    ts_event: NDArray[np.int64]
    ts_received: NDArray[np.int64]
    kind: NDArray[np.uint8]
    flag: NDArray[np.uint8]
    instrument: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    c: NDArray[np.int64]
    d: NDArray[np.int64]
    e: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.ts_received)
        for name, array in self.columns().items():
            assert array.shape == (count,), f"{name} must have {count} rows"
            assert array.dtype == _DTYPES.get(name, _INT64), f"{name} is {array.dtype}"

    def __len__(self) -> int:
        return len(self.ts_received)

    def __repr__(self) -> str:
        return f"Tape({len(self)} events)"

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Give the arrays by name, for the engine."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Self:
        """Choose rows."""
        return type(self)(**{name: array[rows] for name, array in self.columns().items()})  # type: ignore[arg-type]

    def counts(self) -> dict[str, int]:
        """Count the rows of each kind that there is, by name in lower case."""
        found = np.bincount(self.kind, minlength=max(EventKind) + 1)
        return {kind.name.lower(): int(found[kind]) for kind in EventKind if found[kind]}

    @classmethod
    def of(
        cls,
        kind: EventKind | NDArray[np.uint8],
        ts_received: NDArray[np.int64],
        ts_event: NDArray[np.int64] | None = None,
        flag: NDArray[np.uint8] | int = 0,
        instrument: NDArray[np.int64] | int = 0,
        values: Mapping[str, NDArray[np.int64]] | None = None,
    ) -> Self:
        """Make a tape of columns, some of which may be constant or absent.

        Parameters
        ----------
        kind, ts_received, ts_event, flag, instrument
            As above; without ``ts_event`` it happened when it was received.
        values : mapping of str to int64, shape (n,)
            Some of ``a`` to ``e``; the others are `MISSING`.

        Returns
        -------
        Tape
            In the order given.
        """
        count = len(ts_received)
        given = values or {}

        def whole(value: object, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
            array = np.asarray(value, dtype=dtype)
            return np.ascontiguousarray(np.broadcast_to(array, (count,)))

        return cls(
            ts_event=whole(ts_received if ts_event is None else ts_event, _INT64),  # type: ignore[arg-type]
            ts_received=whole(ts_received, _INT64),  # type: ignore[arg-type]
            kind=whole(kind, _DTYPES["kind"]),  # type: ignore[arg-type]
            flag=whole(flag, _DTYPES["flag"]),  # type: ignore[arg-type]
            instrument=whole(instrument, _INT64),  # type: ignore[arg-type]
            **{name: whole(given.get(name, MISSING), _INT64) for name in "abcde"},  # type: ignore[arg-type]
        )

    @classmethod
    def empty(cls) -> Self:
        """Make a tape without rows."""
        return cls.of(EventKind.QUOTE, np.empty(0, dtype=np.int64))


def merge_tapes(sources: Sequence[Tape]) -> Tape:
    """Join tapes of several sources into the one order.

    Parameters
    ----------
    sources : sequence of Tape
        In ascending number of the source; each in order of ``ts_received`` within a class.

    Returns
    -------
    Tape
        Ordered by (``ts_received``, class, source, place in the source).

    Examples
    --------
    >>> late = Tape.of(EventKind.QUOTE, np.array([5, 9]))
    >>> early = Tape.of(EventKind.TRADE, np.array([5, 7]))
    >>> [(row.kind[0].item(), row.ts_received[0].item()) for row in
    ...  (merge_tapes([late, early]).take(slice(k, k + 1)) for k in range(4))]
    [(1, 5), (2, 5), (2, 7), (1, 9)]
    """
    parts: list[Tape] = []
    for rank in (_CLASS_ACTION, _CLASS_MARKET, _CLASS_TIMER):
        for source in sources:
            part = source.take(np.flatnonzero(_classes(source) == rank)) if len(source) else source
            assert bool(np.all(np.diff(part.ts_received) >= 0)), "a source must be in order"
            if len(part):
                parts.append(part)
    if not parts:
        return Tape.empty()
    # The parts lie in ascending (class, source), so a stable sort by time alone is the full order;
    # it merges the sorted runs that it finds.
    ts = np.concatenate([part.ts_received for part in parts])
    order = np.argsort(ts, kind="stable")
    names = [each.name for each in fields(Tape)]
    return Tape(**{k: np.concatenate([getattr(p, k) for p in parts])[order] for k in names})


_CLASS_OF = np.full(max(EventKind) + 1, _CLASS_MARKET, dtype=np.uint8)
for _kind, _rank in _CLASS.items():
    _CLASS_OF[_kind] = _rank


def _classes(tape: Tape) -> NDArray[np.uint8]:
    return _CLASS_OF[tape.kind]
