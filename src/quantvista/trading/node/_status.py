"""What a node says of itself, for people and for the guard."""

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantvista.market import Instrument
from quantvista.trading.node._holdings import held

if TYPE_CHECKING:
    from quantvista.trading.node._node import Node

__all__ = ["status"]

_MONEY = 12


def status(node: "Node") -> dict[str, Any]:
    """Say how the fund stands.

    Parameters
    ----------
    node : Node
        Running.

    Returns
    -------
    dict
        Plain values; money, prices and quantities as decimal texts, times in UTC ns.
    """
    session, setup = node.session, node.setup
    head = node.journal.head
    equity = session.equity()
    sleeves = range(len(setup.sleeves))
    return {
        "ok": True,
        "fund": setup.fund,
        "pid": os.getpid(),
        "epoch": node.epoch,
        "now": node.clock.now_ns(),
        "health": _health(node),
        "why": list(node.reasons),
        "state": session.fund_state,
        "currency": setup.currencies[0],
        "equity": _money(equity),
        "cash": _money(sum(session.balance(each, 0) for each in sleeves)),
        "day_pnl": _money(node.cashier.day_pnl),
        "positions": _positions(node),
        "balances": [
            {"currency": code, "amount": _money(sum(session.balance(s, place) for s in sleeves))}
            for place, code in enumerate(setup.currencies)
        ],
        "orders": [_order(node, each) for each in session.working()],
        "venues": [
            {
                "id": link.venue.id,
                "connected": link.connected,
                "clean": link.clean,
                "differences": list(link.differences),
                "money": _amounts(link.purse.money or {}),
                "besides": _amounts(link.besides),
                "last_report": link.last_report_ts or None,
                "reports": link.heard,
                "clock_offset_ns": link.venue.gateway.clock_offset_ns,
                "lag_ns": link.lag_ns,
            }
            for link in node.links
        ],
        "decisions": [{"ts": ts, "text": text} for ts, text in node.texts],
        "limits": _limits(node),
        "journal": {"sequence": head.sequence, "head": head.chain.hex()},
        "counts": dict(node.counts),
    }


def _health(node: "Node") -> str:
    if node.stopping:
        return "stopping"
    if node.session.fund_state == "halted":
        return "halted"
    if not any(link.connected for link in node.links):
        return "starting"
    if any(link.connected and not link.clean for link in node.links):
        return "reconciling"
    if node.reasons or node.session.fund_state != "active":
        return "no_new_risk"
    return "trading"


def _positions(node: "Node") -> list[dict[str, Any]]:
    found = []
    session = node.session
    listed: set[str] = set()
    for place, instrument in enumerate(node.setup.instruments):
        if instrument.settlement == "exchange":
            if instrument.base in listed:  # the same coins, which another pair would buy as well
                continue
            listed.add(instrument.base)
        for sleeve, name in enumerate(node.setup.sleeves):
            units = held(session, node.setup, sleeve, place)
            if not units:
                continue
            mark = session.mark(place)
            value = None if mark is None else _value(instrument, units, mark)
            cost = None if instrument.settlement == "exchange" else session.cost(sleeve, place)
            found.append(
                {
                    "instrument": instrument.id,
                    "sleeve": name,
                    "quantity": _text(units, instrument.quantity_precision),
                    "mark": None if mark is None else _text(mark, instrument.price_precision),
                    "value": None if value is None else str(value),
                    # An exchange of currencies has no cost: it is balances that changed.
                    "pnl": None if value is None or cost is None else f"{value - _exact(cost):f}",
                }
            )
    return found


def _limits(node: "Node") -> list[dict[str, Any]]:
    """Say what stands against the limits of the gate: held, and at its worst in flight."""
    found = []
    for name, sleeve, used, limit, unit in node.session.limits_in_use():
        write = _money if unit == "money" else str
        whose = "" if sleeve is None else f"{node.setup.sleeves[sleeve]}: "
        plain = name.removeprefix("sleeve_").replace("_", " ")
        found.append({"name": f"{whose}{plain}", "used": write(used), "limit": write(limit)})
    return found


def _order(node: "Node", order: dict[str, Any]) -> dict[str, Any]:
    instrument = node.setup.instruments[order["instrument"]]
    limit = order["limit_price"]
    return {
        "id": order["id"],
        "client_id": node.orders.client_id(order["id"]),
        "sleeve": node.setup.sleeves[order["sleeve"]],
        "instrument": instrument.id,
        "side": order["side"],
        "quantity": _text(order["quantity"], instrument.quantity_precision),
        "filled": _text(order["filled"], instrument.quantity_precision),
        "type": order["kind"],
        "limit": None if limit is None else _text(limit, instrument.price_precision),
        "status": order["status"],
        "age_ns": max(0, node.clock.now_ns() - order["ts"]),
    }


def _value(instrument: Instrument, units: int, mark: int) -> Decimal:
    digits = instrument.quantity_precision + instrument.price_precision
    return Decimal(units * mark * instrument.multiplier).scaleb(-digits)


def _text(units: int, digits: int) -> str:
    return str(Decimal(units).scaleb(-digits))


def _amounts(money: Mapping[str, int]) -> list[dict[str, str]]:
    return [{"currency": code, "amount": _money(amount)} for code, amount in money.items()]


def _money(amount: int) -> str:
    return f"{_exact(amount):f}"


def _exact(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-_MONEY)
