"""Whose the rows of a file are."""

import re
from dataclasses import replace

import polars as pl

from quantvista.data.importing._names import COINS, Names, id_of, of_file_name, plain
from quantvista.data.importing._options import ImportOptions
from quantvista.data.importing._source import Source
from quantvista.data.importing._understanding import Understanding
from quantvista.errors import MarketDataError

__all__ = ["find_whose"]


def find_whose(
    made: Understanding, source: Source, sample: pl.DataFrame, options: ImportOptions
) -> Understanding:
    """Find whose rows these are, or what to append to the names of a column.

    Parameters
    ----------
    made : Understanding
        What is known so far.
    source : Source
        The file.
    sample : polars.DataFrame
        Its first rows.
    options : ImportOptions
        What was said.

    Returns
    -------
    Understanding
        With the instrument, or with names that make ids.

    Raises
    ------
    MarketDataError
        If nothing says where they trade, or two names would become one instrument.
    """
    venue = options.venue
    symbol, seconds = of_file_name(source.stem)
    if seconds and not made.period_s:
        made = replace(made, period_s=seconds)
    if made.kind in ("series", "rates") and venue is None:
        venue = "SERIES"
        made = replace(made, venue=venue)
    if made.layout == "wide":
        names = Names(source.where)
        ids = {name: names.id_of(name, venue) for name in made.values}
        bare = next((name for name, found in ids.items() if found is None), None)
        if bare is not None:
            raise MarketDataError(_say_venue(source.where, bare))
        values = {str(found): name for name, found in ids.items()}
        return _suffixed(replace(made, values=values), list(ids), venue)
    own = {plain(name): name for name in sample.columns}
    column = made.columns.get("instrument") or (
        own.get("instrument") if made.layout == "reader" else None
    )
    if column is not None:
        first = next((str(each) for each in sample[column].drop_nulls()), None)
        if venue is None and "venue" not in made.columns and first and id_of(first, None) is None:
            raise MarketDataError(_say_venue(source.where, first))
        if "venue" in made.columns:
            return made
        return _suffixed(made, sample[column].cast(pl.String).drop_nulls().to_list(), venue)
    if options.instrument is not None:
        return replace(made, instrument=options.instrument)
    if made.kind in ("news", "reference"):
        return made
    name = symbol or (source.stem if made.kind == "series" else None)
    if (found := id_of(name, None) or id_of(name, venue)) is None:
        rule = "must say whose rows these are"
        raise MarketDataError(
            f"{source.where}: {rule}: --instrument SYMBOL.VENUE"
            + (f", or --venue VENUE for {symbol}" if symbol else "")
        )
    note = f"instrument {found}, by the name of the file (--instrument says another)"
    return replace(made, instrument=found, called=name or "", guessed=(*made.guessed, note))


def _suffixed(made: Understanding, names: list[str], venue: str | None) -> Understanding:
    """Say that the end of a name is taken for a venue, where it may be something else."""
    if venue is not None:
        return made
    ends = sorted({name.rpartition(".")[2].strip().upper() for name in names if "." in name})
    short = [each for each in ends if 1 < len(each) < 4]
    if not short:
        return made
    note = f"'.{short[0]}' at the end of names is their venue (--venue appends another)"
    return replace(made, guessed=(*made.guessed, note))


def _say_venue(where: str, name: str) -> str:
    if re.search(r"\.[A-Za-z]$", name.strip()):
        return (
            f"{where}: must say whether the end of {name!r} is a class of shares or a venue: "
            "--venue XNYS appends a venue; of one letter it is none"
        )
    pair = "/" in name or "_" in name or any(name.upper().endswith(each) for each in COINS)
    venue = "BINANCE" if pair else "XNYS"
    return (
        f"{where}: must say where {name!r} trades: --venue, such as {venue}, is appended to bare "
        "symbols"
    )
