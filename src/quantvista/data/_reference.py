"""Sectors and steps of instruments from the reference data of a dataset, for runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import numpy as np

from quantvista.data._block import Block
from quantvista.data._types import DataSpec
from quantvista.data.lake import Snapshot
from quantvista.data.quality import counted
from quantvista.errors import MarketDataError
from quantvista.market import SecurityMaster

__all__ = ["with_reference"]

_DAY_NS = 86_400 * 10**9
_STEPS = ("tick_size", "lot_size")
_NAMED = 5


def with_reference(
    spec: DataSpec, block: Block, snapshot: Snapshot, *, sectors_required: bool
) -> tuple[DataSpec, tuple[str, ...]]:
    """Fill in what a fund does not say of its instruments: what was known when the run begins.

    Parameters
    ----------
    spec : DataSpec
        What the fund says comes first.
    block : Block
        Bars of the dataset.
    snapshot : Snapshot
        Of the dataset.
    sectors_required : bool
        Whether sectors are limited.

    Returns
    -------
    (DataSpec, tuple of str)
        With sectors and steps, and what is to be said of them.

    Raises
    ------
    MarketDataError
        If a step changes while the run goes on, or a sector that is limited does: a run has one
        for each instrument.
    """
    if "reference" not in snapshot.kinds:
        return spec, ()
    master = SecurityMaster(snapshot.scan("reference", vintages=True).collect())
    wanted = set(block.ids if spec.instruments is None else spec.instruments)
    names = sorted(wanted & set(block.ids) & set(master.instruments))
    first, last = _span(spec, block)
    sectors, late, moved = _sectors(spec, master, names, first, last)
    if moved and sectors_required:
        name = min(moved)
        raise MarketDataError(
            f"{spec.source}: sectors must not change while `risk.sector_max` is set; found another "
            f"one for '{name}' on {_day(moved[name])}: begin later (`data.start`), end earlier "
            f"(`data.end`), or name its sector in [data.sectors]"
        )
    declared = dict(spec.declared)
    for name in names:
        steps = _steps(spec, master, name, first, last)
        if steps:
            declared[name] = {**steps, **spec.declared.get(name, {})}
    stepped = [name for name in names if declared.get(name) != spec.declared.get(name)]
    notes = [
        _note(f"Sectors are those that {spec.source} knew when the data begin", sectors),
        _note(f"Tick and lot sizes are those that {spec.source} knew when the data begin", stepped),
        _note("Sectors that became known only later are not used", late),
        _note("Sectors that change later stay as they were when the data begin", moved),
    ]
    said = tuple(each for each in notes if each)
    return replace(spec, sectors={**sectors, **spec.sectors}, declared=declared), said


def _sectors(
    spec: DataSpec, master: SecurityMaster, names: Sequence[str], first: int, last: int
) -> tuple[dict[str, str], list[str], dict[str, int]]:
    """Sectors as they were known at first; who had none yet; and when others change."""
    found: dict[str, str] = {}
    late: list[str] = []
    moved: dict[str, int] = {}
    for name in names:
        if name in spec.sectors or "sector" in spec.declared.get(name, {}):
            continue
        value = master.value(name, "sector", first)
        if value is not None:
            found[name] = value
            if (at := _changed(master, name, "sector", value, first, last)) is not None:
                moved[name] = at
        elif master.vintages(name, "sector"):
            late.append(name)
    return found, late, moved


def _steps(
    spec: DataSpec, master: SecurityMaster, name: str, first: int, last: int
) -> Mapping[str, Decimal]:
    """Look up the steps that a fund leaves open, as they were known at first."""
    found = {}
    for field in _STEPS:
        if getattr(spec, field) is not None or field in spec.declared.get(name, {}):
            continue
        value = master.value(name, field, first)
        if value is None:
            continue
        found[field] = _number(spec, name, field, value)
        if (at := _changed(master, name, field, value, first, last)) is not None:
            raise MarketDataError(
                f"{spec.source}: `{field}` of '{name}' must not change within the data; found "
                f"another one on {_day(at)}: begin later (`data.start`), end earlier (`data.end`), "
                f"or say it in [[instrument]] and name the change as an action `precision`"
            )
    return found


def _changed(
    master: SecurityMaster, name: str, field: str, value: str, first: int, last: int
) -> int | None:
    """From when another value holds within the data, by what was known then."""
    for since, known, other in master.vintages(name, field):
        at = max(since, known)
        if first < at <= last and other != value:
            return at
    return None


def _span(spec: DataSpec, block: Block) -> tuple[int, int]:
    """First and last instant of the data that are used, UTC nanoseconds."""
    stamps = block.stamps * (_DAY_NS if block.daily else 1)
    first, last = int(stamps[0]), int(stamps[-1])
    if spec.start is not None:
        first = max(first, int(np.datetime64(spec.start, "D").astype(np.int64)) * _DAY_NS)
    if spec.end is not None:
        last = min(last, (int(np.datetime64(spec.end, "D").astype(np.int64)) + 1) * _DAY_NS - 1)
    return first, last


def _number(spec: DataSpec, name: str, field: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(0)
    if not (number.is_finite() and number > 0):
        raise MarketDataError(
            f"{spec.source}: `{field}` must be a positive number; found {text!r} for '{name}'"
        )
    return number


def _note(text: str, names: Sequence[str] | Mapping[str, object]) -> str:
    shown = ", ".join(sorted(names)[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"{text}: {counted(len(names), 'instrument')} ({shown})." if names else ""


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%d")
