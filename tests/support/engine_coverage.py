"""What a run of the engine has shown, by the names of the engine's own lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from oracle import Oracle


class Seen(Counter[tuple[str, str]]):
    """How often, by list and name."""


def seen_in(
    inputs: Iterable[Mapping[str, Any]], outputs: Iterable[Mapping[str, Any]], oracle: Oracle
) -> Seen:
    """Count what inputs, outputs and orders show."""
    seen = Seen()
    for input in inputs:
        _of_input(seen, input["event"])
    for output in outputs:
        _of_output(seen, output)
    for order in oracle.orders.values():
        seen["type", order.kind] += 1
        seen["tif", order.tif] += 1
        seen["origin", order.origin] += 1
        seen["leg", order.leg] += 1
        seen["side", order.side] += 1
        if order.trigger_by is not None:
            seen["trigger_source", order.trigger_by] += 1
        if order.trail is not None:
            seen["trail", next(iter(order.trail))] += 1
        for before, after in order.history:
            seen["transition", f"{before} -> {after}"] += 1
            seen["status", before] += 1
            seen["status", after] += 1
    _of_config(seen, oracle)
    return seen


def _of_config(seen: Seen, oracle: Oracle) -> None:
    seen["account_kind", str(oracle.account["kind"])] += 1
    seen["position_mode", str(oracle.account["positions"])] += 1
    for each in oracle.instruments:
        seen["instrument_kind", each.kind] += 1
        seen["data_kind", each.matching] += 1
        seen["settlement", _name(each.settlement)] += 1
    for currency in oracle.currencies:
        seen["rate_source", _name(currency["source"])] += 1
    seen["crossed", str(oracle.limit("crossed"))] += 1
    for (_, _, account), amount in oracle.balances.items():
        if amount:
            seen["account", account] += 1


def _name(value: object) -> str:
    """Name of a choice, which may come with terms."""
    return next(iter(value)) if isinstance(value, Mapping) else str(value)


def _of_input(seen: Seen, event: Mapping[str, Any]) -> None:
    ((name, terms),) = event.items()
    seen["event", name] += 1
    match name:
        case "operator":
            command = str(terms if isinstance(terms, str) else next(iter(terms)))
            seen["command", command] += 1
            if command == "sleeve":
                seen["sleeve_state", terms["sleeve"]["state"]] += 1
        case "action":
            seen["action", next(iter(terms))] += 1
        case "report":
            seen["report", next(iter(terms))] += 1
        case "risk_figure":
            seen["risk_kind", terms["kind"]] += 1
        case "submit_list":
            seen["link", terms["link"]] += 1
        case "status":
            seen["trading_status", terms["status"]] += 1
        case "auction":
            seen["auction_kind", terms["auction"]["kind"]] += 1


def _of_output(seen: Seen, output: Mapping[str, Any]) -> None:
    ((name, body),) = output.items()
    seen["output", name] += 1
    match name:
        case "verdict":
            seen["rule", body["rule"]] += 1
            seen["outcome", body["outcome"]] += 1
            seen["verdict", f"{body['rule']} {body['outcome']}"] += 1
            if body["outcome"] == "cut":
                seen["cutting_rule", body["rule"]] += 1
        case "order_rejected" | "amend_rejected":
            seen["rule", body["rule"]] += 1
        case "order_cancelled" | "order_expired":
            seen["reason", body["reason"]] += 1
            seen["end", f"{name.removeprefix('order_')} {body['reason']}"] += 1
        case "order_filled":
            seen["kind", body["kind"]] += 1
            seen["liquidity", body["liquidity"]] += 1
            seen["fill", f"{body['kind']} {body['liquidity']}"] += 1
        case "posted":
            seen["posting", body["kind"]] += 1
        case "state_changed":
            seen["fund_state", body["state"]] += 1
            seen["cause", body["cause"]] += 1
        case "sleeve_changed":
            seen["sleeve_state", body["state"]] += 1
            seen["cause", body["cause"]] += 1
