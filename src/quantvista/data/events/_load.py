"""From the ``[data]`` section to the tape of a run."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.data._instruments import check_declared_fields, make_instrument
from quantvista.data._load import check_sectors, load
from quantvista.data._moves import unexplained
from quantvista.data._types import Bias, DataSpec, MarketData
from quantvista.data.events._actions import read_actions, read_factors
from quantvista.data.events._bars import bars_tape
from quantvista.data.events._clock import Clock, clock_tape
from quantvista.data.events._epochs import Epochs
from quantvista.data.events._generated import GENERATED, generate
from quantvista.data.events._growth import growth
from quantvista.data.events._lake import lake_actions
from quantvista.data.events._read import read_events
from quantvista.data.events._window import window
from quantvista.engine import Tape, merge_tapes
from quantvista.errors import ConfigError
from quantvista.market import (
    CorporateAction,
    Instrument,
    Records,
    check_declared,
    check_records,
    currency_digits,
)

__all__ = ["EventData", "load_events"]

_UNKNOWN = Bias(
    "unknown_origin",
    "QuantVista cannot see how these events were recorded, what was left out, or how these "
    "instruments were chosen.",
)
_REPLAY = (
    "Others quote and trade as they did in the recording, whatever we do: no one reacts to our "
    "orders."
)
_CLOCK_S = 60
# Books are for instruments that are matched against them; other kinds may always be there.
_BOOKS = {"orders": "l3", "levels": "l2"}
# What each way of matching needs, the most detailed first.
_NEEDS = {"l3": "orders", "l2": "levels", "quotes": "quotes", "trades": "trades", "bars": "bars"}


@dataclass(frozen=True, slots=True)
class EventData:
    """All that a run of events is told by the world.

    Parameters
    ----------
    instruments : tuple of Instrument
        In ascending order of id; ``matching`` says what orders are matched against.
    currencies : tuple of (str, int)
        Codes and decimals, the fund's first, the others in ascending order.
    tape : Tape
        Events, barriers, ends of days and actions in the canonical order.
    actions : tuple of CorporateAction
        Those that column ``a`` of an action's row counts.
    engine_actions : tuple of dict
        The same in the engine's units.
    bars : MarketData or None
        The bars that are on the tape too, for strategies over many instruments.
    growth : float64, shape (T, n), or None
        Units that one unit of each instrument of ``bars`` has become by actions, 1 at the start:
        as of bar ``t`` the adjusted close of bar ``s`` is ``close[s] * growth[s] / growth[t]``.
        None without bars or without actions.
    kinds : mapping of str to tuple of str
        Kinds of records by instrument, and ``bars``.
    biases, assumptions : tuple
        As of `MarketData`.
    source : str
        All sources, as written in the fund file.
    fingerprint : str
        SHA-256 of the above.
    """

    instruments: tuple[Instrument, ...]
    currencies: tuple[tuple[str, int], ...]
    tape: Tape
    actions: tuple[CorporateAction, ...]
    engine_actions: tuple[dict[str, Any], ...]
    bars: MarketData | None
    growth: NDArray[np.float64] | None
    kinds: Mapping[str, tuple[str, ...]]
    biases: tuple[Bias, ...]
    assumptions: tuple[str, ...]
    source: str
    fingerprint: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Instrument ids, ascending."""
        return tuple(each.id for each in self.instruments)

    @property
    def commit(self) -> str:
        """As of `MarketData`."""
        return self.bars.commit if self.bars is not None else ""

    def __repr__(self) -> str:
        return f"EventData({len(self.tape)} events of {', '.join(self.ids)})"


def load_events(
    spec: DataSpec,
    *,
    base: Path,
    calendar: str,
    currency: str = "USD",
    time_zone: str = "America/New_York",
    sectors_required: bool = False,
) -> EventData:
    """Load bars, events and corporate actions, refusing whatever cannot be used as it stands.

    Parameters
    ----------
    spec : DataSpec
        What to load.
    base : pathlib.Path
        Folder that relative paths start from.
    calendar, currency, time_zone : str
        Of the fund.
    sectors_required : bool
        Whether each instrument must have a sector, because one is limited.

    Returns
    -------
    EventData
        See there.

    Raises
    ------
    MarketDataError
        If files are missing, malformed or contradict themselves.
    ConfigError
        If the section asks for something that does not exist, or for a way of matching whose data
        is not there.
    """
    check_declared(spec.currencies)
    check_declared_fields(spec)
    actions = _actions(spec, base, calendar)
    bars = None
    if spec.source:
        bars = load(
            spec,
            base=base,
            calendar=calendar,
            currency=currency,
        )
    elif spec.benchmark is not None:
        raise ConfigError(
            f"`data.benchmark` must be in bars; found '{spec.benchmark}' without `data.source`"
        )
    records, spec, biases = _records(spec, base)
    if bars is None and not records:
        raise ConfigError("`data` must have a source or events; found neither")
    kinds = _kinds(bars, records, actions)
    instruments = _instruments(spec, kinds, currency, calendar, bars)
    if sectors_required:
        check_sectors(instruments)
    currencies = _currencies(instruments, records, currency, spec.currencies)
    clock, records = window(spec, bars, records, calendar, time_zone)
    by_id = {each.id: each for each in instruments}
    for each in records:
        check_records(each, by_id)
    codes = [code for code, _ in currencies]
    taped = Epochs(instruments, actions, clock, _since(bars, records))
    tapes = [taped.tape(each, codes, spec.round_prices) for each in records]
    if bars is not None:
        tapes.insert(0, bars_tape(bars, taped))
    timers = _timers(spec, clock, bars, [tape for tape in tapes if len(tape)])
    last = max(int(each.ts_received[-1]) for each in tapes if len(each))
    tape = merge_tapes([*taped.tapes(last), *tapes, *timers])
    applied = tuple(taped.applied)
    days = {(each.instrument, str(each.ex_date)) for each in applied}
    assumptions = unexplained(bars.assumptions if bars else (), days)
    assumptions += [note for each in records for note in each.notes]
    assumptions += [*_said(tape, bool(records)), *_acted(applied)]
    written = tuple(taped.written)
    sources = [spec.source] if spec.source else []
    return EventData(
        instruments=instruments,
        currencies=currencies,
        tape=tape,
        actions=applied,
        engine_actions=written,
        bars=bars,
        growth=growth(bars, applied, taped.times) if bars is not None and applied else None,
        kinds=kinds,
        biases=(*(bars.biases if bars else ()), *biases),
        assumptions=tuple(assumptions),
        source=", ".join([*sources, *(each.source for each in spec.events)]),
        fingerprint=_fingerprint(instruments, currencies, applied, tape, bars),
    )


def _since(bars: MarketData | None, records: Sequence[Records]) -> dict[str, int]:
    """When the data of each instrument begins."""
    found: dict[str, int] = {}
    if bars is not None:
        there = ~np.isnan(bars.close)
        found = {
            name: int(bars.ts[int(there[:, column].argmax())])
            for column, name in enumerate(bars.ids)
        }
    for each in records:
        names = each.instruments
        if not names:
            continue
        codes, received = each.codes(names), each.frame["ts_received"].to_numpy()
        for code, name in enumerate(names):
            ts = int(received[int((codes == code).argmax())])
            found[name] = min(ts, found.get(name, ts))
    return found


def _timers(
    spec: DataSpec, clock: Clock, bars: MarketData | None, tapes: Sequence[Tape]
) -> list[Tape]:
    first = min(int(tape.ts_received[0]) for tape in tapes)
    last = max(int(tape.ts_received[-1]) for tape in tapes)
    seconds = spec.clock_s if spec.clock_s is not None else None if bars else _CLOCK_S
    rows = None if bars is None else (bars.ts, bars.session_start, bars.session_end)
    return clock_tape(clock, first, last, rows, seconds * 10**9 if seconds else None)


def _acted(applied: Sequence[CorporateAction]) -> list[str]:
    """Say which corporate actions the run knows of."""
    if not applied:
        return []
    counts = Counter(each.kind.replace("_", " ") for each in applied)
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    return [
        f"Prices are raw; corporate actions were booked on their ex-dates ({listed}), and "
        "strategies see closes adjusted as of each decision."
    ]


def _said(tape: Tape, events: bool) -> list[str]:
    """Sentences about the events as a whole."""
    said = [_REPLAY] if events else []
    ahead = tape.ts_event - tape.ts_received
    if count := int((ahead > 0).sum()):
        said.append(
            f"{count} events happened, by the clock of their venue, up to "
            f"{ahead.max() / 1e9:.3f} s after they were received: the clocks differ, and the "
            "time received decides."
        )
    return said


def _fingerprint(
    instruments: Sequence[Instrument],
    currencies: Sequence[tuple[str, int]],
    actions: Sequence[CorporateAction],
    tape: Tape,
    bars: MarketData | None,
) -> str:
    digest = hashlib.sha256(b"quantvista events 1\n")
    for each in (*instruments, *currencies, *actions):
        digest.update(f"{each}\n".encode())
    digest.update(f"bars {bars.fingerprint if bars else None}\n".encode())
    for name, array in tape.columns().items():
        digest.update(f"{name} {len(array)}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).data)
    return digest.hexdigest()


def _actions(spec: DataSpec, base: Path, calendar: str) -> tuple[CorporateAction, ...]:
    found: list[CorporateAction] = []
    for name, file in sorted(spec.factors.items()):
        found += read_factors(base / Path(file).expanduser(), file, name, calendar)
    if spec.actions_file:
        path = base / Path(spec.actions_file).expanduser()
        found += read_actions(path, spec.actions_file)
    found += lake_actions(spec.source, base)
    found += spec.actions
    return tuple(sorted(found, key=lambda action: action.ex_date))


def _records(spec: DataSpec, base: Path) -> tuple[list[Records], DataSpec, tuple[Bias, ...]]:
    """Read every source; a generated one brings the terms of its instruments with it."""
    records: list[Records] = []
    biases: dict[str, Bias] = {}
    declared = dict(spec.declared)
    for source in spec.events:
        if source.source.startswith(GENERATED):
            market = generate(source)
            records += market.records
            for name, terms in market.instruments.items():
                declared[name] = {**terms, **declared.get(name, {})}
            biases[source.source] = Bias("generated", market.bias)
        else:
            records += read_events(source, base)
            biases["files"] = _UNKNOWN
    if spec.instruments is not None:
        wanted = set(spec.instruments)
        records = [_chosen(each, wanted) for each in records]
    return records, replace(spec, declared=declared), tuple(biases.values())


def _chosen(records: Records, wanted: set[str]) -> Records:
    if records.kind == "rates" or set(records.instruments) <= wanted:
        return records
    frame = records.frame
    if "row" not in frame.columns:
        frame = frame.with_row_index("row", records.row_first)
    kept = frame.filter(frame["instrument"].is_in(sorted(wanted)))
    return replace(records, frame=kept)


def _kinds(
    bars: MarketData | None, records: Sequence[Records], actions: Sequence[CorporateAction]
) -> dict[str, tuple[str, ...]]:
    """Kinds of data by instrument; what is received by an action needs none."""
    found: dict[str, set[str]] = {name: {"bars"} for name in (bars.ids if bars else ())}
    for each in records:
        for name in each.instruments:
            found.setdefault(name, set()).add(each.kind)
    for action in actions:
        if action.into is not None and action.instrument in found:
            found.setdefault(action.into, set())
    return {name: tuple(sorted(found[name])) for name in sorted(found)}


def _instruments(
    spec: DataSpec,
    kinds: Mapping[str, tuple[str, ...]],
    currency: str,
    calendar: str,
    bars: MarketData | None,
) -> tuple[Instrument, ...]:
    for name in spec.declared:
        if name not in kinds and (spec.instruments is None or name in spec.instruments):
            rule = "must be an instrument of the data"
            raise ConfigError(f"`instrument.id` {rule}; found '{name}', there are {_some(kinds)}")
    for name in spec.instruments or ():
        if name not in kinds:
            rule = "must be in the data"
            raise ConfigError(
                f"`data.instruments` {rule}; found '{name}', there are {_some(kinds)}"
            )
    barred = {each.id: each for each in bars.instruments} if bars else {}
    made = []
    for name, of in kinds.items():
        guess = next((way for way, need in _NEEDS.items() if need in of), None)
        if of and guess is None:
            raise ConfigError(
                f"`data` must have bars, quotes, trades or a book of '{name}' to match orders "
                f"against; found {', '.join(of)}"
            )
        instrument = make_instrument(name, spec, currency, calendar, guess or "bars")
        if name in barred:  # a sample has steps of its own
            instrument = replace(barred[name], matching=instrument.matching)
        need = _NEEDS[instrument.matching]
        if of and need not in of:
            raise ConfigError(
                f"`instrument.matching` {instrument.matching} must come with {need}; "
                f"found {', '.join(of)} of '{name}'"
            )
        for book, way in _BOOKS.items():
            if book in of and instrument.matching != way:
                raise ConfigError(
                    f"`instrument.matching` must be {way} beside {book}; found "
                    f"{instrument.matching} for '{name}' (leave the {book} out of the data)"
                )
        made.append(instrument)
    return tuple(made)


def _some(kinds: Mapping[str, object]) -> str:
    names = list(kinds)
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _currencies(
    instruments: Sequence[Instrument],
    records: Sequence[Records],
    currency: str,
    declared: Mapping[str, int],
) -> tuple[tuple[str, int], ...]:
    codes = {each.currency for each in instruments}
    codes |= {each.base for each in instruments if each.settlement == "exchange"}
    for each in records:
        if each.kind == "rates":
            codes |= set(each.frame["currency"].drop_nulls().unique())
    ordered = [currency, *sorted(codes - {currency})]
    return tuple((code, currency_digits(code, declared)) for code in ordered)
