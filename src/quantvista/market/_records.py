"""Market events as tables: quotes, trades, books, auctions, statuses, funding and rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import MarketDataError

__all__ = ["OPTIONAL", "SCHEMAS", "EventKind", "Records"]


class EventKind(IntEnum):
    """Kinds of rows of a tape, by the number that the engine knows them by."""

    QUOTE = 1
    TRADE = 2
    BOOK_LEVEL = 3
    BOOK_CLEAR = 4
    BOOK_ORDER_ADDED = 5
    BOOK_ORDER_MODIFIED = 6
    BOOK_ORDER_DELETED = 7
    AUCTION = 8
    STATUS = 9
    FUNDING = 10
    CURRENCY_RATE = 11
    BAR = 12
    BAR_MISSING = 13
    BARRIER = 14
    DAY_ENDED = 15
    ACTION = 16
    INSTRUMENT_ENDED = 17


_SIDE = pl.Enum(["bid", "ask"])
_TIMES = {"ts_event": pl.Int64(), "ts_received": pl.Int64()}
_OF = {**_TIMES, "instrument": pl.Categorical()}


def _schema(**columns: pl.DataType) -> pl.Schema:
    return pl.Schema({**_OF, **columns})


SCHEMAS: Mapping[str, pl.Schema] = MappingProxyType(
    {
        "quotes": _schema(
            bid=pl.Float64(), bid_size=pl.Float64(), ask=pl.Float64(), ask_size=pl.Float64()
        ),
        "trades": _schema(
            price=pl.Float64(), size=pl.Float64(), aggressor=pl.Enum(["buy", "sell"])
        ),
        "levels": _schema(
            side=_SIDE,
            price=pl.Float64(),
            size=pl.Float64(),
            message=pl.Int64(),
            snapshot=pl.Boolean(),
        ),
        "orders": _schema(
            action=pl.Enum(["added", "modified", "deleted", "cleared"]),
            side=_SIDE,
            price=pl.Float64(),
            size=pl.Float64(),
            order_id=pl.Int64(),
            message=pl.Int64(),
        ),
        "auctions": _schema(
            phase=pl.Enum(["open", "close"]), price=pl.Float64(), volume=pl.Float64()
        ),
        "statuses": _schema(status=pl.Enum(["trading", "halted"])),
        "funding": _schema(rate=pl.Float64()),
        "rates": pl.Schema({**_TIMES, "currency": pl.String(), "rate": pl.Float64()}),
    }
)
"""Columns of each kind of records, in order.

``ts_event`` and ``ts_received`` are UTC nanoseconds: when it happened, and when we could know it.
Prices are in the quote currency per unit, sizes in units. A missing ``bid`` or ``ask`` says that
this side of the market is empty, a missing size that it is unknown. ``message`` numbers rows that
arrived together; with ``snapshot`` a message replaces the whole book. A funding rate is a share of
the notional that longs pay to shorts; a rate of ``rates`` is money of the fund for one unit.
"""


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one kind from one source.

    Parameters
    ----------
    kind : str
        A key of `SCHEMAS`.
    frame : polars.DataFrame
        With the columns of the schema; missing optional ones are added as nulls. A column ``row``
        may number the rows as messages call them, and trades may have an ``id``.
    where : str
        The source, as messages name it.
    row_first : int
        Number by which messages call the first row, where there is no column ``row``.
    notes : tuple of str
        Sentences about how it was read.

    Raises
    ------
    MarketDataError
        If a column is missing or of another type.
    """

    kind: str
    frame: pl.DataFrame
    where: str = "records"
    row_first: int = 1
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        schema = SCHEMAS.get(self.kind)
        if schema is None:
            known = ", ".join(SCHEMAS)
            raise MarketDataError(f"`kind` must be one of {known}; found {self.kind!r}")
        optional = OPTIONAL.get(self.kind, {})
        columns = []
        for name, dtype in schema.items():
            if name in self.frame.columns:
                columns.append(self._typed(name, dtype))
            elif name == "ts_event":
                columns.append(pl.col("ts_received").alias("ts_event"))
            elif name in optional:
                columns.append(pl.lit(optional[name], dtype=dtype).alias(name))
            else:
                found = ", ".join(self.frame.columns)
                rule = f"must have a column '{name}' for {self.kind}"
                raise MarketDataError(f"{self.where}: {rule}; found {found}")
        if "row" in self.frame.columns:
            columns.append(pl.col("row").cast(pl.Int64))
        if self.kind == "trades" and "id" in self.frame.columns:
            columns.append(pl.col("id"))
        try:
            frame = self.frame.select(columns)
        except pl.exceptions.PolarsError as error:
            reason = str(error).splitlines()[0]
            raise MarketDataError(f"{self.where}: not {self.kind}: {reason}") from None
        object.__setattr__(self, "frame", frame)

    def __len__(self) -> int:
        return self.frame.height

    def _typed(self, name: str, dtype: pl.DataType) -> pl.Expr:
        has = self.frame.schema[name]
        if has == dtype:
            return pl.col(name)
        if isinstance(dtype, pl.Int64) and isinstance(has, pl.Datetime):
            if has.time_zone is None:
                rule = f"column '{name}' must have a time zone; found naive timestamps"
                raise MarketDataError(f"{self.where}: {rule}")
            return pl.col(name).dt.cast_time_unit("ns").to_physical()
        return pl.col(name).cast(dtype)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Ids that the records name, ascending; none for rates."""
        if self.kind == "rates":
            return ()
        return tuple(self.frame["instrument"].drop_nulls().unique().cast(pl.String).sort())

    def codes(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Places of the rows' instruments in ``ids``, which must hold them all."""
        column = self.frame["instrument"]
        used = self.instruments
        if len(used) == 1:
            return np.full(len(column), ids.index(used[0]), dtype=np.int64)
        place = np.array([ids.index(name) for name in used], dtype=np.int64)
        return cast("NDArray[np.int64]", place[column.cast(pl.Enum(used)).to_physical().to_numpy()])

    def row(self, index: int) -> int:
        """Give the number by which a message calls a row."""
        if "row" in self.frame.columns:
            return int(self.frame["row"][index])
        return self.row_first + index


OPTIONAL: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "quotes": {"bid_size": None, "ask_size": None},
        "trades": {"aggressor": None},
        "levels": {"snapshot": False},
        "auctions": {"volume": None},
    }
)
"""Columns that may be left out, with what stands in for them."""
