"""Between the flat records of the tests and the nested ones of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

type Record = dict[str, Any]

_ORDER = ("sleeve", "instrument", "side", "quantity", "tif", "limit_price")


def engine_config(config: Mapping[str, Any]) -> Record:
    """Set up an engine of one venue and currency from few words."""
    venue = config["venue"]
    return {
        "semantics": config["semantics"],
        "fund": config["fund"],
        "epoch": 1,
        "currencies": [{"code": "USD", "precision": config["currency_precision"]}],
        "sleeves": [
            {"id": name, "cash": cash}
            for name, cash in zip(config["sleeves"], config["cash"], strict=True)
        ],
        "instruments": [dict(entry) for entry in config["instruments"]],
        "venues": [
            {
                "id": "sim",
                "fee": {
                    "tiers": [{"maker": venue["fee_rate"], "taker": venue["fee_rate"]}],
                },
                "slippage": {"rate": venue["slippage"]},
                "limit_fill_on_touch": venue["limit_fill"] == "touch",
                "participation_max": venue["participation_max"],
                "on_close_cutoff_ns": venue["on_close_cutoff_ns"],
            }
        ],
        "limits": dict(config["limits"]),
    }


def to_engine(record: Mapping[str, Any]) -> Record:
    """Nest a flat input."""
    return {
        "ts_event": record.get("ts_event", record["ts"]),
        "ts_received": record["ts"],
        "source": record["source"],
        "sequence": record["sequence"],
        "event": {record["type"]: _event(record)},
    }


def _event(record: Mapping[str, Any]) -> Record:
    match record["type"]:
        case "bar":
            prices = [record["open"], record["high"], record["low"]]
            bar = {
                "range": None if prices[0] is None else prices,
                "close": record["close"],
                "volume": record["volume"],
            }
            return {"instrument": record["instrument"], "bar": bar}
        case "submit_order":
            return {name: record[name] for name in _ORDER} | {"kind": record["order_type"]}
        case "cancel_order":
            return {"order": record["order_id"]}
        case _:
            head = ("type", "ts", "ts_event", "source", "sequence")
            return {name: value for name, value in record.items() if name not in head}


def from_engine(output: Mapping[str, Any]) -> Record:
    """Flatten an output."""
    ((kind, body),) = output.items()
    record: Record = {"type": kind}
    match kind:
        case "order_accepted":
            return record | _order(body)
        case "order_rejected":
            return record | _order(body["order"]) | {"rule": body["rule"]}
        case "order_filled":
            fill = {name: value for name, value in body.items() if name not in _NEW}
            return record | fill | {"fill_id": body["id"], "order_id": body["order"]}
        case "verdict":
            verdict = {name: body[name] for name in ("ts", "rule", "outcome")}
            figures = {name: _figure(body[name]) for name in ("figure", "limit")}
            return record | verdict | figures | {"order_id": body["order"]}
        case "order_cancelled" | "order_expired" | "cancel_rejected":
            order = body["order"]
            rest = {name: value for name, value in body.items() if name != "order"}
            return record | rest | {"order_id": order}
        case _:
            return record | dict(body)


_NEW = ("id", "order", "leg", "liquidity")


def _order(body: Mapping[str, Any]) -> Record:
    return {name: body[name] for name in (*_ORDER, "ts")} | {
        "order_id": body["id"],
        "order_type": body["kind"],
        "from_target": body["origin"] == "target",
    }


def _figure(figure: str | Mapping[str, int]) -> int | None:
    return None if isinstance(figure, str) else next(iter(figure.values()))
