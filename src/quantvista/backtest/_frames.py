"""The tables of a run, as its Parquet files hold them."""

from dataclasses import dataclass, field, fields
from pathlib import Path

import polars as pl

from quantvista.errors import ConfigError
from quantvista.portfolio.making import MARKOUTS

__all__ = ["RunFrames"]

_TS = pl.Datetime("ns", "UTC")
_EXACT = pl.Decimal(38, 12)
_TEXT = pl.String
_SCHEMAS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    "equity": {
        "ts": _TS,
        "equity": _EXACT,
        "cash": _EXACT,
        "gross": _EXACT,
        "net": _EXACT,
        "benchmark": pl.Float64,
    },
    "orders": {
        "ts": _TS,
        "order_id": _TEXT,
        "instrument": _TEXT,
        "sleeve": _TEXT,
        "side": _TEXT,
        "quantity": _EXACT,
        "filled": _EXACT,
        "type": _TEXT,
        "tif": _TEXT,
        "limit_price": _EXACT,
        "status": _TEXT,
        "reason": _TEXT,
    },
    "fills": {
        "ts": _TS,
        "fill_id": _TEXT,
        "order_id": _TEXT,
        "instrument": _TEXT,
        "sleeve": _TEXT,
        "venue": _TEXT,
        "side": _TEXT,
        "quantity": _EXACT,
        "price": _EXACT,
        "currency": _TEXT,
        "fee": _EXACT,
        "slippage": _EXACT,
        "kind": _TEXT,
    },
    "positions": {
        "ts": _TS,
        "instrument": _TEXT,
        "sleeve": _TEXT,
        "quantity": _EXACT,
        "mark_price": _EXACT,
        "value": _EXACT,
        "cost": _EXACT,
    },
    "sleeves": {"ts": _TS, "sleeve": _TEXT, "equity": _EXACT, "cash": _EXACT},
    "verdicts": {
        "ts": _TS,
        "order_id": _TEXT,
        "rule": _TEXT,
        "figure": _EXACT,
        "limit": _EXACT,
        "outcome": _TEXT,
    },
    "comparisons": {"ts": _TS, "name": _TEXT, "equity": pl.Float64},
    "postings": {
        "ts": _TS,
        "sleeve": _TEXT,
        "currency": _TEXT,
        "kind": _TEXT,
        "instrument": _TEXT,
        "amount": _EXACT,
        "equity": _EXACT,
    },
    "markouts": MARKOUTS,
}
_LATER = ("postings", "markouts")
"""Tables that folders of earlier versions do not have."""


def _no_postings() -> pl.DataFrame:
    return pl.DataFrame(schema=_SCHEMAS["postings"])


def _no_markouts() -> pl.DataFrame:
    return pl.DataFrame(schema=_SCHEMAS["markouts"])


@dataclass(frozen=True)
class RunFrames:
    """The tables that a summary and a report are made of (DESIGN section 7), exact decimals.

    Parameters
    ----------
    equity, orders, fills, positions, sleeves, verdicts, comparisons : polars.DataFrame
        By event time. Each may have no rows, none may lack a column.
    postings : polars.DataFrame
        Money that moved without a trade; folders of earlier versions have none.
    markouts : polars.DataFrame
        Mids at and after each fill of a run over events; likewise.
    """

    equity: pl.DataFrame
    orders: pl.DataFrame
    fills: pl.DataFrame
    positions: pl.DataFrame
    sleeves: pl.DataFrame
    verdicts: pl.DataFrame
    comparisons: pl.DataFrame
    postings: pl.DataFrame = field(default_factory=_no_postings)
    markouts: pl.DataFrame = field(default_factory=_no_markouts)

    @classmethod
    def read(cls, run: Path) -> tuple["RunFrames", tuple[str, ...]]:
        """Read a run directory; what it lacks becomes an empty table.

        Parameters
        ----------
        run : Path
            The directory.

        Returns
        -------
        frames : RunFrames
            All tables.
        missing : tuple of str
            Names of those whose file is absent or cannot be read.

        Raises
        ------
        ConfigError
            If a table has other columns than a run writes.
        """
        found: dict[str, pl.DataFrame] = {}
        missing = []
        for name in (each.name for each in fields(cls)):
            path = run / f"{name}.parquet"
            try:
                found[name] = _checked(pl.read_parquet(path), name, path)
            except (OSError, pl.exceptions.PolarsError):  # interrupted runs leave part files
                found[name] = pl.DataFrame(schema=_SCHEMAS[name])
                if name not in _LATER:
                    missing.append(name)
        return cls(**found), tuple(missing)

    @classmethod
    def empty(cls) -> "RunFrames":
        """Build tables without rows."""
        return cls(**{name: pl.DataFrame(schema=schema) for name, schema in _SCHEMAS.items()})


def _checked(frame: pl.DataFrame, name: str, path: Path) -> pl.DataFrame:
    for column, kind in _SCHEMAS[name].items():
        if frame.schema.get(column) != kind:
            what = frame.schema.get(column, "no such column")
            raise ConfigError(
                f"`run_dir` must hold tables as `qv run` writes them, {name}.parquet with "
                f"{column!r} as {kind}; found {what}; in {path}"
            )
    return frame
