"""From the ``[data]`` section to market data."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from quantvista.data._assemble import assemble
from quantvista.data._block import Block, to_block
from quantvista.data._check import check_block
from quantvista.data._columns import numbers
from quantvista.data._instruments import check_declared_fields, negative_prices, price_digits
from quantvista.data._lake_source import LAKE, lake_block
from quantvista.data._names import COLUMNS
from quantvista.data._read import SUFFIXES, Table, read_table
from quantvista.data._reference import with_reference
from quantvista.data._sample import load_sample
from quantvista.data._types import Bias, DataSpec, MarketData
from quantvista.data._universe import with_universe
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import Instrument

__all__ = ["check_sectors", "load", "source_files"]

_DECI_CENTS = tuple(f"{name}_e4" for name in ("open", "high", "low", "close"))
_UNKNOWN = Bias(
    "unknown_origin",
    "QuantVista cannot see how these instruments were chosen or how their prices were adjusted. "
    "A list made today of what did well flatters every result.",
)
_CLOSE_ONLY = Bias(
    "close_only",
    "There is no open, high or low: orders fill at the next close.",
)


def load(
    spec: DataSpec,
    *,
    base: Path,
    calendar: str,
    currency: str = "USD",
    sectors_required: bool = False,
) -> MarketData:
    """Load market data, refusing whatever cannot be used as it stands.

    Parameters
    ----------
    spec : DataSpec
        What to load.
    base : pathlib.Path
        Folder that relative paths start from: that of the fund file.
    calendar : str
        Sessions that daily dates stand for and that intraday bars must lie in.
    currency : str
        Of all the prices.
    sectors_required : bool
        Whether each instrument must have a sector, because one is limited.

    Returns
    -------
    MarketData
        See there.

    Raises
    ------
    MarketDataError
        If files are missing, malformed or contradict themselves.
    ConfigError
        If the section asks for something that does not exist.

    Notes
    -----
    Missing data: an empty field or NaN is a missing bar, never filled; anything else that is no
    number is refused. Rows may come in any order, but each time once per instrument.
    """
    if spec.instruments is not None and not spec.instruments:
        raise ConfigError("`data.instruments` must name at least one instrument; found none")
    if not spec.source:
        raise ConfigError(
            "`data.source` must name a sample, a file, a folder or lake:NAME; found none"
        )
    check_declared_fields(spec)
    if spec.source.startswith(LAKE):
        data = _load_lake(spec, base, calendar, currency, sectors_required=sectors_required)
    elif spec.source.startswith("sample:"):
        data = load_sample(spec, calendar, currency)
    else:
        data = _load_files(spec, base, calendar, currency)
    if sectors_required:
        check_sectors(data.instruments)
    return with_universe(data, spec.universe, base) if spec.universe else data


def _load_lake(
    spec: DataSpec, base: Path, calendar: str, currency: str, *, sectors_required: bool
) -> MarketData:
    block, snapshot, biases, assumptions = lake_block(spec, base)
    spec, said = with_reference(spec, block, snapshot, sectors_required=sectors_required)
    assumptions += said
    block = checked(block, spec)
    if spec.round_prices:
        assumptions += (f"Prices are rounded to {price_digits(spec)} decimals.",)
    if "open" not in block.values:
        biases += (_CLOSE_ONLY,)
    found = assemble([block], spec, calendar, currency, (_UNKNOWN, *biases), assumptions)
    assert snapshot.commit is not None
    return replace(found, commit=snapshot.commit)


def _load_files(spec: DataSpec, base: Path, calendar: str, currency: str) -> MarketData:
    for ours in spec.columns:
        if ours not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise ConfigError(f"`data.columns` must use the names {known}; found {ours!r}")
    digits = price_digits(spec)
    blocks: list[Block] = []
    unused: set[str] = set()
    sectors: dict[str, str] = {}
    files = source_files(spec.source, base)
    if spec.instrument is not None and len(files) > 1:
        rule = "must be left out for a folder, whose files are named after their instruments"
        raise ConfigError(f"`data.instrument` {rule}; found {spec.instrument!r}")
    if spec.stamp == "open" and spec.period_s is None:
        raise ConfigError('`data.period_s` must come with stamp = "open"; found none')
    for path, where in files:
        table = in_money(read_table(path, where))
        block = to_block(
            table,
            spec.columns,
            spec.venue,
            exact=not spec.round_prices,
            instrument=spec.instrument,
        )
        if spec.stamp == "open":
            block = at_close(block, spec.period_s or 0)
        blocks.append(checked(block, spec))
        unused.update(block.unused)
        for name, sector in block.sectors.items():
            if sectors.setdefault(name, sector) != sector:
                raise MarketDataError(
                    f"{where}: must give '{name}' the sector of the other files, "
                    f"{sectors[name]!r}; found {sector!r}"
                )
    spec = replace(spec, sectors={**sectors, **spec.sectors})
    assumptions: tuple[str, ...] = ()
    if unused:
        assumptions += (f"Columns of the data that are not used: {', '.join(sorted(unused))}.",)
    if spec.stamp == "open":
        assumptions += (
            f"Bars are stamped with their open; they are known {spec.period_s} s later.",
        )
    if spec.round_prices:
        assumptions += (f"Prices are rounded to {digits} decimals.",)
    biases: tuple[Bias, ...] = (_UNKNOWN,)
    if "open" not in blocks[0].values:
        biases += (_CLOSE_ONLY,)
    return assemble(blocks, spec, calendar, currency, biases, assumptions)


def check_sectors(instruments: Sequence[Instrument]) -> None:
    """Refuse instruments without a sector.

    Raises
    ------
    ConfigError
        Naming the first.
    """
    for instrument in instruments:
        if not instrument.sector:
            raise ConfigError(
                "`data.sectors` must name a sector for each instrument, because "
                f"`risk.sector_max` is set; found none for '{instrument.id}'"
            )


def in_money(table: Table) -> Table:
    """Turn prices of LEAN in deci-cents, in columns such as ``close_e4``, into money."""
    frame = table.frame
    names = [name for name in frame.columns if name in _DECI_CENTS]
    if not names or any(name.removesuffix("_e4") in frame.columns for name in names):
        return table
    changed = [pl.Series(name, numbers(table, name) / 10_000) for name in names]
    frame = frame.with_columns(changed).rename({name: name.removesuffix("_e4") for name in names})
    return replace(table, frame=frame.fill_nan(None))


def at_close(block: Block, period_s: int) -> Block:
    """Move bars from their open, by which they are stamped, to their close."""
    if block.daily:
        rule = 'must be left out for dates, or columns = { ts = "date" } if they are instants'
        raise ConfigError(f"`data.stamp` {rule}; found dates in {block.where}")
    return replace(block, stamps=block.stamps + period_s * 10**9)


def checked(block: Block, spec: DataSpec) -> Block:
    """Prove a block at the precision of each of its instruments."""
    digits = np.array([price_digits(spec, name) for name in block.ids], dtype=np.int64)
    negative = np.array([negative_prices(spec, name) for name in block.ids], dtype=np.bool_)
    return check_block(block, digits, spec.round_prices, negative if negative.any() else None)


def source_files(
    source: str,
    base: Path,
    suffixes: tuple[str, ...] = SUFFIXES,
    argument: str = "data.source",
) -> list[tuple[Path, str]]:
    """Find the files of a source.

    Parameters
    ----------
    source : str
        A file or a folder.
    base : pathlib.Path
        Folder that relative paths start from.
    suffixes : tuple of str
        How the files of a folder must end.
    argument : str
        What messages call the source.

    Returns
    -------
    list of (path, name)
        In the order of their names, which is what messages call them.

    Raises
    ------
    MarketDataError
        If there are none.
    """
    if "\0" in source:
        raise MarketDataError(f"`{argument}` must be a path; found {source!r}")
    path = base / Path(source).expanduser()
    try:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.name.lower().endswith(suffixes))
            if not found:
                rule = f"must hold files ending in {', '.join(suffixes)}"
                raise MarketDataError(f"`{argument}` {rule}; found none in folder {source}")
            return [(file, f"{source.rstrip('/')}/{file.name}") for file in found]
        if path.is_file():
            return [(path, source)]
        what = "is neither a file nor a folder" if path.exists() else "does not exist"
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise MarketDataError(f"`{argument}` {source} cannot be read: {reason}") from None
    raise MarketDataError(f"`{argument}` {source!r} {what} (looked in {base})")
