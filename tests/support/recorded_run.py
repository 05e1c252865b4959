"""A run's exact tables as whole numbers in the engine's units, and its inputs again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isnan
from typing import Any

import pyarrow as pa

from quantvista.data import MarketData

type Message = dict[str, Any]


def column(table: pa.Table, name: str) -> list[Any]:
    """Return a column as plain values: decimals in units of 10^-12, times in nanoseconds."""
    chunks: pa.ChunkedArray = table[name]
    if pa.types.is_timestamp(chunks.type):
        values: list[Any] = chunks.cast(pa.int64()).to_pylist()
        return values
    values = chunks.to_pylist()
    if pa.types.is_decimal(chunks.type):
        return [None if value is None else int(value.scaleb(12)) for value in values]
    return values


def rows(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of a table, row by row."""
    return list(zip(*(column(table, name) for name in names), strict=True))


def reference_config(fund_file: str, data: MarketData) -> Message:
    """Read a fund file for the reference, apart from how the package reads it.

    It must have equal shares of whole minor units, and of the limits no fat finger and no largest
    position.
    """
    fund = tomllib.loads(fund_file, parse_float=Decimal)
    (venue,), risk = fund["venue"], fund["risk"]
    sleeves = sorted(sleeve["id"] for sleeve in fund["sleeve"])
    assert all(sleeve["share"] * len(sleeves) == 1 for sleeve in fund["sleeve"])
    cash = Decimal(fund["fund"]["cash"])

    def whole(value: Decimal | str, digits: int) -> int:
        return int(Decimal(value).scaleb(digits))

    def share(name: str, usual: str | None) -> int | None:
        value = risk.get(name, usual)
        return None if value is None else whole(value, 9)

    return {
        "semantics": 1,
        "fund": fund["fund"]["name"],
        "currency_precision": 2,
        "sleeves": sleeves,
        "cash": [whole(cash / len(sleeves), 12)] * len(sleeves),
        "instruments": [
            {
                "id": each.id,
                "price_precision": each.price_precision,
                "quantity_precision": each.quantity_precision,
                "tick_size": int(each.tick_size.scaleb(each.price_precision)),
                "lot_size": int(each.lot_size.scaleb(each.quantity_precision)),
                "multiplier": each.multiplier,
                "sector": each.sector,
                "effective_from": each.effective_from,
                "effective_to": each.effective_to,
                "close_only": data.open is None,
            }
            for each in data.instruments
        ],
        "venue": {
            "fee_rate": whole(venue["fee_bps"], 5),
            "slippage": whole(venue["slippage_bps"], 5),
            "limit_fill": "through",
            "participation_max": None,
            "on_close_cutoff_ns": 600 * 10**9,
        },
        "limits": {
            "price_band": share("price_band", "0.25"),
            "fat_finger_notional": None,
            "fat_finger_quantity": None,
            "position_max": None,
            "weight_max": share("weight_max", None),
            "sector_max": share("sector_max", None),
            "gross_max": share("gross_max", None),
        },
    }


def recorded_targets(table: pa.Table, config: Message) -> Mapping[int, list[Message]]:
    """Target portfolios by time, sleeve after sleeve."""
    ids = [each["id"] for each in config["instruments"]]
    found: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for ts, sleeve, instrument, weight in rows(table, "ts", "sleeve", "instrument", "weight_e9"):
        by_sleeve = found.setdefault(ts, {})
        targets = by_sleeve.setdefault(config["sleeves"].index(sleeve), [])
        targets.append((ids.index(instrument), weight))
    return {
        ts: [
            {"type": "target_portfolio", "sleeve": sleeve, "targets": targets}
            for sleeve, targets in sorted(by_sleeve.items())
        ]
        for ts, by_sleeve in found.items()
    }


def replay(
    data: MarketData, targets: Mapping[int, list[Message]], config: Message
) -> Iterator[list[Message]]:
    """Close-only inputs of a run again, a list for each row of the data."""
    precisions = [each["price_precision"] for each in config["instruments"]]
    close, sequence = data.close.tolist(), 0
    for row, ts in enumerate(data.ts.tolist()):
        inputs: list[Message] = []
        for index, price in enumerate(close[row]):
            if isnan(price):
                inputs.append({"type": "bar_missing", "instrument": index})
                continue
            units = int(Decimal(price).scaleb(precisions[index]).to_integral_value())
            path = dict.fromkeys(("open", "high", "low", "volume"))
            inputs.append({"type": "bar", "instrument": index, "close": units, **path})
        flags = {
            "session_start": bool(data.session_start[row]),
            "session_end": bool(data.session_end[row]),
        }
        inputs += [{"type": "barrier", **flags}, *targets.get(ts, [])]
        for input in inputs:
            sequence += 1
            input |= {"ts": ts, "source": input.get("sleeve", 0), "sequence": sequence}
        yield inputs
