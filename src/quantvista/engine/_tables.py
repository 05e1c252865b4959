"""What a session recorded, as Arrow tables with the columns of DESIGN section 7."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from quantvista._native import Session, names

__all__ = ["run_tables", "text_array"]

_DECIMAL = pa.decimal128(38, 12)
_TS = pa.timestamp("ns", tz="UTC")
_ABSENT = np.array([0, 1 << 63], dtype="<u8")  # the least 128-bit integer, low word first


def run_tables(session: Session, config: dict[str, Any]) -> dict[str, pa.Table]:
    """Tables ``orders``, ``fills``, ``verdicts``, ``sleeves``, ``positions`` and ``equity``.

    Parameters
    ----------
    session : Session
        Of which the recording is taken.
    config : dict
        Its configuration, for names.

    Returns
    -------
    dict of str to pyarrow.Table
        Exact: money, prices and quantities are ``decimal128(38, 12)``, times ``timestamp[ns,
        UTC]``. ``equity`` has no benchmark; gross and net are equal, for there are no shorts.
    """
    raw = session.tables()
    reader = _Reader(config)
    tables = {name: getattr(reader, name)(columns) for name, columns in raw.items()}
    tables["equity"] = _equity(raw["sleeves"], len(config["sleeves"]))
    return tables


class _Reader:
    """Columns of bytes to Arrow columns, with the names of one fund."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._instruments = [each["id"] for each in config["instruments"]]
        self._sleeves = [each["id"] for each in config["sleeves"]]
        self._venue = config["venues"][0]["id"]
        self._currency = config["currencies"][0]["code"]
        self._prefix = f"{config['fund']}-{config['epoch']}-"

    def orders(self, c: dict[str, bytes]) -> pa.Table:
        reason = _named(c["reason"], names["reason"])
        rejected_by = _named(c["rejected_by"], names["rule"])
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "order_id": self._ids(c["order_id"], ""),
                "instrument": _named(c["instrument"], self._instruments),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "side": _named(c["side"], names["side"]),
                "quantity": _decimal(c["quantity"]),
                "filled": _decimal(c["filled"]),
                "type": _named(c["type"], names["type"]),
                "tif": _named(c["tif"], names["tif"]),
                "limit_price": _decimal(c["limit_price"]),
                "status": _named(c["status"], names["status"]),
                "reason": rejected_by.fill_null(reason) if len(reason) else reason,
            }
        )

    def fills(self, c: dict[str, bytes]) -> pa.Table:
        count = len(c["ts"]) // 8
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "fill_id": self._ids(c["fill_id"], "f"),
                "order_id": self._ids(c["order_id"], ""),
                "instrument": _named(c["instrument"], self._instruments),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "venue": text_array([self._venue] * count),
                "side": _named(c["side"], names["side"]),
                "quantity": _decimal(c["quantity"]),
                "price": _decimal(c["price"]),
                "currency": text_array([self._currency] * count),
                "fee": _decimal(c["fee"]),
                "slippage": _decimal(c["slippage"]),
                "kind": _named(c["kind"], names["kind"]),
            }
        )

    def verdicts(self, c: dict[str, bytes]) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "order_id": self._ids(c["order_id"], ""),
                "rule": _named(c["rule"], names["rule"]),
                "figure": _decimal(c["figure"]),
                "limit": _decimal(c["limit"]),
                "outcome": _named(c["outcome"], names["outcome"]),
            }
        )

    def sleeves(self, c: dict[str, bytes]) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "equity": _decimal(c["equity"]),
                "cash": _decimal(c["cash"]),
            }
        )

    def positions(self, c: dict[str, bytes]) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "instrument": _named(c["instrument"], self._instruments),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "quantity": _decimal(c["quantity"]),
                "mark_price": _decimal(c["mark_price"]),
                "value": _decimal(c["value"]),
                "cost": _decimal(c["cost"]),
            }
        )

    def _ids(self, data: bytes, mark: str) -> pa.Array:
        prefix = self._prefix + mark
        numbers = _ints(data).tolist()
        texts = [f"{prefix}{number:06d}" if number >= 0 else None for number in numbers]
        return text_array(texts)


def _equity(c: dict[str, bytes], sleeves: int) -> pa.Table:
    """Sum the sleeves at each time; 128-bit sums stay exact as pairs of words."""
    equity = _sum_by_row(c["equity"], sleeves)
    cash = _sum_by_row(c["cash"], sleeves)
    gross = [e - k for e, k in zip(equity, cash, strict=True)]
    ts = _ints(c["ts"])[::sleeves].tobytes()
    return pa.table(
        {
            "ts": _ts(ts),
            "equity": _from_ints(equity),
            "cash": _from_ints(cash),
            "gross": _from_ints(gross),
            "net": _from_ints(gross),
        }
    )


def _sum_by_row(data: bytes, sleeves: int) -> list[int]:
    values = [
        int.from_bytes(data[start : start + 16], "little", signed=True)
        for start in range(0, len(data), 16)
    ]
    return [sum(values[start : start + sleeves]) for start in range(0, len(values), sleeves)]


def _from_ints(values: Sequence[int]) -> pa.Array:
    return _decimal(b"".join(value.to_bytes(16, "little", signed=True) for value in values))


def _ints(data: bytes) -> NDArray[np.int64]:
    return np.frombuffer(data, dtype="<i8")


def _ts(data: bytes) -> pa.Array:
    return pa.Array.from_buffers(_TS, len(data) // 8, [None, pa.py_buffer(data)])


def text_array(values: pl.Series | Sequence[str | None]) -> pa.Array:
    """Text as an Arrow array. ``pa.array`` would import pandas, which takes a second."""
    series = pl.Series(values, dtype=pl.String)
    return series.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())


def _decimal(data: bytes) -> pa.Array:
    """128-bit integers in units of 1e-12 as decimals; the least integer is null."""
    count = len(data) // 16
    words = np.frombuffer(data, dtype="<u8").reshape(count, 2)
    absent = np.all(words == _ABSENT, axis=1)
    if not absent.any():
        return pa.Array.from_buffers(_DECIMAL, count, [None, pa.py_buffer(data)])
    present = np.where(absent[:, None], 0, words)
    bitmap = np.packbits(~absent, bitorder="little").tobytes()
    buffers = [pa.py_buffer(bitmap), pa.py_buffer(present.astype("<u8").tobytes())]
    return pa.Array.from_buffers(_DECIMAL, count, buffers, int(absent.sum()))


def _named(data: bytes, of: Sequence[str]) -> pa.Array:
    codes = pl.Series(_ints(data))
    return text_array(pl.Series(of, dtype=pl.String).gather(codes.replace(-1, None)))
