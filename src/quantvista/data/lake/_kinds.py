"""Kinds of tables: their keys, their partitions, and the types of their columns."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from quantvista.errors import ConfigError, MarketDataError

__all__ = ["COORDINATES", "KINDS", "Kind", "kind_of", "normalised", "partitions"]

COORDINATES = ("ts_event", "ts_received", "known_at")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PARTITIONS = ("bucket", "date", "month")
_BUCKETS = 16
_STORED: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "int64": pl.Int64(),
        "float64": pl.Float64(),
        "string": pl.String(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "instant": pl.Datetime("ns", "UTC"),
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of table of a dataset.

    Parameters
    ----------
    name : str
        Lower case.
    key : tuple of str
        Columns that say which rows are vintages of the same thing, ``ts_event`` among them; empty
        where each row is an event of its own.
    partition : {"bucket", "date", "month"}
        Which rows lie together: those of some instruments, or of a UTC day or month.
    """

    name: str
    key: tuple[str, ...] = ("instrument", "ts_event")
    partition: str = "bucket"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            rule = "must be lower case letters, digits and _, a letter first"
            raise ConfigError(f"`kind` {rule}; found {self.name!r}")
        if self.partition not in _PARTITIONS:
            rule = f"must be one of {', '.join(_PARTITIONS)}"
            raise ConfigError(f"`partition` {rule}; found {self.partition!r}")
        if self.key and "ts_event" not in self.key:
            raise ConfigError(f"`key` must hold 'ts_event' or be empty; found {self.key}")
        if {"ts_received", "known_at"} & set(self.key):
            raise ConfigError(f"`key` must be the same for all vintages; found {self.key}")


_OF_FIELD = ("instrument", "field", "ts_event")
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        each.name: each
        for each in (
            Kind("bars"),
            Kind("quote_bars"),
            Kind("funding"),
            Kind("quotes", (), "date"),
            Kind("trades", (), "date"),
            Kind("levels", (), "date"),
            Kind("orders", (), "date"),
            Kind("auctions", (), "date"),
            Kind("statuses", (), "date"),
            Kind("rates", ("currency", "ts_event"), "month"),
            Kind("news", (), "month"),
            Kind("series", _OF_FIELD),
            Kind("fundamentals", _OF_FIELD),
            Kind("reference", _OF_FIELD),
            Kind("actions", ("instrument", "action", "source", "number", "ts_event")),
            Kind("members"),
            Kind("quarantine", (), "bucket"),
        )
    }
)
"""Kinds that need no declaration."""


def kind_of(name: str, key: tuple[str, ...] | None, partition: str | None) -> Kind:
    """Find a kind by its name, or make one.

    Parameters
    ----------
    name : str
        One of `KINDS`, or another one.
    key, partition
        As of `Kind`; ``None`` takes those of the known kind, else the defaults.

    Returns
    -------
    Kind
        Checked.
    """
    known = KINDS.get(name) or Kind(name)
    return Kind(
        name,
        known.key if key is None else key,
        known.partition if partition is None else partition,
    )


def normalised(frame: pl.DataFrame, kind: Kind, where: str) -> tuple[pl.DataFrame, dict[str, str]]:
    """Give a table all coordinates and only types that are stored.

    Parameters
    ----------
    frame : polars.DataFrame
        With ``ts_event`` as UTC nanoseconds or a timestamp with a time zone. ``ts_received`` is
        the same where it is missing, ``known_at`` is ``ts_received``.
    kind : Kind
        Whose key must be there.
    where : str
        What messages call it.

    Returns
    -------
    (polars.DataFrame, dict of str to str)
        Coordinates first, then the others by name; and the stored type of each column.

    Raises
    ------
    MarketDataError
        If a coordinate or a column of the key is missing, or something was known before it was
        received, or a type cannot be stored.
    """
    names = frame.columns
    for name in ("ts_event", *kind.key):
        if name not in names:
            found = ", ".join(names)
            raise MarketDataError(
                f"{where}: {kind.name} must have a column '{name}'; found {found}"
            )
    columns: list[pl.Expr | pl.Series] = []
    before = "ts_event"
    for name in COORDINATES:
        source = name if name in names else before
        columns.append(_instant(frame[source], where).alias(name))
        before = source
    if "instrument" not in names:
        columns.append(pl.lit(None, dtype=pl.String).alias("instrument"))
    rest = sorted(set(names) - set(COORDINATES) - {"instrument"})
    for name in [*(["instrument"] if "instrument" in names else []), *rest]:
        columns.append(_storable(frame[name], where))
    made = frame.select(columns)
    for name in (*COORDINATES, *kind.key):
        if missing := made[name].null_count():
            raise MarketDataError(
                f"{where}: column '{name}' must not be empty; found {missing} empty rows"
            )
    if made.height and bool((made["known_at"] < made["ts_received"]).any()):
        row = int((made["known_at"] < made["ts_received"]).arg_max() or 0)
        raise MarketDataError(
            f"{where}: `known_at` must not be before `ts_received`; found "
            f"{made['known_at'][row]} and {made['ts_received'][row]} in row {row + 1}"
        )
    return made, {name: type_name(made.schema[name]) for name in made.columns}


def type_name(dtype: pl.DataType) -> str:
    """Name the stored type that a column has."""
    return next(name for name, stored in _STORED.items() if stored == dtype)


def stored_schema(columns: Mapping[str, str]) -> pl.Schema:
    """Polars types by the names that manifests have for them."""
    return pl.Schema({name: _STORED[of] for name, of in columns.items()})


def _instant(series: pl.Series, where: str) -> pl.Series:
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            rule = f"column '{series.name}' must have a time zone"
            raise MarketDataError(f"{where}: {rule}; found naive timestamps")
        return series.dt.cast_time_unit("ns").to_physical()
    if not dtype.is_integer():
        raise MarketDataError(
            f"{where}: column '{series.name}' must hold UTC nanoseconds; found type {dtype}"
        )
    return series.cast(pl.Int64)


def _storable(series: pl.Series, where: str) -> pl.Series:
    dtype = series.dtype
    if dtype in (pl.Categorical, pl.Enum) or dtype == pl.Null:
        return series.cast(pl.String)
    if dtype == pl.Float32:
        return series.cast(pl.String).cast(pl.Float64)  # 12.3 must not become 12.300000190734863
    if dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128):
        return series.cast(pl.Int64)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return series.dt.cast_time_unit("ns").dt.convert_time_zone("UTC")
    if dtype not in _STORED.values():
        known = ", ".join(_STORED)
        raise MarketDataError(
            f"{where}: column '{series.name}' must be one of {known}; found type {dtype}"
        )
    return series


def partitions(frame: pl.DataFrame, kind: Kind) -> dict[str, pl.DataFrame]:
    """Split a normalised table, keeping the order of its rows.

    Parameters
    ----------
    frame : polars.DataFrame
        Normalised.
    kind : Kind
        How.

    Returns
    -------
    dict of str to polars.DataFrame
        By the name of the partition, ascending.
    """
    if kind.partition == "bucket":
        names = frame["instrument"].unique().to_list()
        place = {name: bucket(name) for name in names}
        label = frame["instrument"].replace_strict(place, return_dtype=pl.String)
    else:
        form = "%Y-%m-%d" if kind.partition == "date" else "%Y-%m"
        label = frame["ts_event"].cast(pl.Datetime("ns", "UTC")).dt.strftime(form)
        label = kind.partition + "=" + label
    if label.n_unique() == 1:
        return {str(label[0]): frame}
    split = frame.with_columns(label.alias("__part")).partition_by(
        "__part", as_dict=True, include_key=False, maintain_order=True
    )
    return {str(key[0]): part for key, part in sorted(split.items())}


def bucket(instrument: str | None) -> str:
    """Name the bucket of an instrument: the same on every machine and for ever."""
    return f"bucket={zlib.crc32((instrument or '').encode()) % _BUCKETS:02d}"
