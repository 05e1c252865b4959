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
_ABSENT_TS = np.iinfo(np.int64).min
_ABSENT = np.array([0, 1 << 63], dtype="<u8")  # the least 128-bit integer, low word first


def run_tables(session: Session, config: dict[str, Any]) -> dict[str, pa.Table]:
    """Tables of all that a session recorded.

    Parameters
    ----------
    session : Session
        Of which the recording is taken.
    config : dict
        Its configuration, for names.

    Returns
    -------
    dict of str to pyarrow.Table
        ``orders``, ``fills``, ``verdicts``, ``sleeves``, ``positions``, ``balances``,
        ``postings``, ``states``, ``actions`` and ``equity``. Exact: money, prices and quantities
        are ``decimal128(38, 12)``, times ``timestamp[ns, UTC]``. ``equity`` has no benchmark.
    """
    raw = session.tables()
    reader = _Reader(config)
    tables = {name: getattr(reader, name)(columns) for name, columns in raw.items()}
    tables["equity"] = _equity(raw["sleeves"], len(config["sleeves"]))
    return tables


type _Columns = dict[str, Any]


class _Reader:
    """Columns of bytes to Arrow columns, with the names of one fund."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._instruments = [each["id"] for each in config["instruments"]]
        self._sleeves = [each["id"] for each in config["sleeves"]]
        self._currencies = [each["code"] for each in config["currencies"]]
        venues = [each["id"] for each in config["venues"]]
        traded = config["instruments"]
        self._venue_of = [venues[each.get("venue", 0)] for each in traded]
        self._currency_of = [self._currencies[each.get("currency", 0)] for each in traded]
        hedging = config.get("account", {}).get("positions") == "hedging"
        self._legs = ["long", "short"] if hedging else ["net"]
        self._prefix = f"{config['fund']}-{config['epoch']}-"

    def orders(self, c: _Columns) -> pa.Table:
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
                "trigger_price": _decimal(c["trigger_price"]),
                "trail": _decimal(c["trail"]),
                "trail_rate": _decimal(c["trail_rate"]),
                "expire_at": _ts(c["expire_at"], absent=True),
                "display_quantity": _decimal(c["display_quantity"]),
                "post_only": _flags(c["post_only"]),
                "reduce_only": _flags(c["reduce_only"]),
                "leg": _named(c["leg"], names["leg"]),
                "origin": _named(c["origin"], names["origin"]),
                "parent": self._ids(c["parent"], ""),
                "group": self._ids(c["group"], ""),
            }
        )

    def fills(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "fill_id": self._ids(c["fill_id"], "f"),
                "order_id": self._ids(c["order_id"], ""),
                "instrument": _named(c["instrument"], self._instruments),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "venue": _named(c["instrument"], self._venue_of),
                "side": _named(c["side"], names["side"]),
                "quantity": _decimal(c["quantity"]),
                "price": _decimal(c["price"]),
                "currency": _named(c["instrument"], self._currency_of),
                "fee": _decimal(c["fee"]),
                "slippage": _decimal(c["slippage"]),
                "kind": _named(c["kind"], names["kind"]),
                "liquidity": _named(c["liquidity"], names["liquidity"]),
                "leg": _named(c["leg"], self._legs),
            }
        )

    def verdicts(self, c: _Columns) -> pa.Table:
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

    def sleeves(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "equity": _decimal(c["equity"]),
                "cash": _decimal(c["cash"]),
            }
        )

    def positions(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "instrument": _named(c["instrument"], self._instruments),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "quantity": _decimal(c["quantity"]),
                "mark_price": _decimal(c["mark_price"]),
                "value": _decimal(c["value"]),
                "cost": _decimal(c["cost"]),
                "leg": _named(c["leg"], self._legs),
            }
        )

    def balances(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "currency": _named(c["currency"], self._currencies),
                "settled": _decimal(c["settled"]),
                "unsettled": _decimal(c["unsettled"]),
                "value": _decimal(c["value"]),
            }
        )

    def postings(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "currency": _named(c["currency"], self._currencies),
                "kind": _named(c["kind"], names["posting"]),
                "instrument": _named(c["instrument"], self._instruments),
                "amount": _decimal(c["amount"]),
                "equity": _decimal(c["equity"]),
            }
        )

    def states(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "event": text_array(c["event"]),
                "sleeve": _named(c["sleeve"], self._sleeves),
                "state": text_array(c["state"]),
                "cause": text_array(c["cause"]),
                "rule": _named(c["rule"], names["rule"]),
                "figure": _decimal(c["figure"]),
                "limit": _decimal(c["limit"]),
            }
        )

    def actions(self, c: _Columns) -> pa.Table:
        return pa.table(
            {
                "ts": _ts(c["ts"]),
                "instrument": _named(c["instrument"], self._instruments),
                "action": text_array(c["action"]),
                "symbol": text_array(c["symbol"]),
                "price": _decimal(c["price"]),
            }
        )

    def _ids(self, data: bytes, mark: str) -> pa.Array:
        prefix = self._prefix + mark
        numbers = _ints(data).tolist()
        texts = [f"{prefix}{number:06d}" if number >= 0 else None for number in numbers]
        return text_array(texts)


def _equity(c: dict[str, bytes], sleeves: int) -> pa.Table:
    """Sum the sleeves at each time; 128-bit sums stay exact as pairs of words."""
    ts = _ints(c["ts"])[::sleeves].tobytes()
    return pa.table(
        {
            "ts": _ts(ts),
            **{
                name: _from_ints(_sum_by_row(c[name], sleeves))
                for name in ("equity", "cash", "gross", "net")
            },
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


def _ts(data: bytes, absent: bool = False) -> pa.Array:
    """Read times; where some may be absent, the least integer is null."""
    count = len(data) // 8
    missing = _ints(data) == _ABSENT_TS if absent else np.zeros(0, dtype=np.bool_)
    if not missing.any():
        return pa.Array.from_buffers(_TS, count, [None, pa.py_buffer(data)])
    bitmap = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return pa.Array.from_buffers(_TS, count, [bitmap, pa.py_buffer(data)], int(missing.sum()))


def _flags(data: bytes) -> pa.Array:
    return pl.Series(_ints(data) != 0).to_arrow()


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
