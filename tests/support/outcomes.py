"""Names for what happened in a run, read from an engine's outputs alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

REQUIRED = (
    "lot rounded to zero",
    "cash cut",
    "gate reject",
    "missing bar",
    "missing bar hit an order",
    "instrument starts late or ends early",
    "internal cross",
    "limit order never fills",
    "price at a band",
    "volume shared",
    "ioc cancel",
    "day expiry",
    "superseded",
    "on-open fill",
    "on-close fill",
)
"""What must happen in at least 1 % of the seeds, or the seeds prove little."""

type Output = Mapping[str, Any]


def outcomes(outputs: Iterable[Output]) -> set[str]:
    """Say which kinds of things happened in a run."""
    found: set[str] = set()
    orders: dict[int, Output] = {}
    filled: Counter[int] = Counter()
    short_of_volume: Counter[tuple[int, int, str]] = Counter()
    for output in outputs:
        kind = output["type"]
        order = orders.get(output.get("order_id") or 0)
        if kind in ("order_accepted", "order_rejected"):
            orders[output["order_id"]] = output
        elif kind == "bar_missed":
            found.add("missing bar")
        elif kind == "verdict" and order is not None:
            found |= _of_verdict(output, order)
        elif kind == "order_filled":
            filled[output["order_id"] or 0] += output["quantity"]
            found |= _of_fill(output, order)
        elif kind in ("order_cancelled", "order_expired") and order is not None:
            found |= _of_end(output, order, filled[order["order_id"]])
            if output["reason"] == "volume":
                key = (output["ts"], order["instrument"], order["side"])
                short_of_volume[key] += 1
                if short_of_volume[key] > 1:
                    found.add("volume shared")
    return found


def _of_verdict(verdict: Output, order: Output) -> set[str]:
    found = {f"{verdict['outcome']}: {verdict['rule']}"}
    if verdict["outcome"] == "rejected":
        found.add("gate reject")
        if order["from_target"] and order["quantity"] == 0:
            late = verdict["rule"] in ("no_price", "not_listed")
            found.add("instrument starts late or ends early" if late else "lot rounded to zero")
    if verdict["outcome"] == "held":
        found.add("price at a band")
    # The cut of the gate has the quantity that is left; the cut of matching comes later.
    if (verdict["outcome"], verdict["rule"]) == ("cut", "cash"):
        found.add("cash cut" if verdict["ts"] > order["ts"] else "cash cut at the gate")
    return found


def _of_fill(fill: Output, order: Output | None) -> set[str]:
    found = {f"fill: {fill['kind']}"}
    if fill["kind"] == "settlement":
        found.add("instrument starts late or ends early")
    if fill["kind"] == "cross":
        found.add("internal cross")
    if order is not None:
        found.add(f"{order['order_type'].replace('_', '-')} fill")
    return found


def _of_end(end: Output, order: Output, filled: int) -> set[str]:
    status = end["type"].removeprefix("order_")
    found = {f"{status}: {end['reason']}"}
    if status == "expired":
        found.add("day expiry")
    if end["reason"] == "ioc":
        found.add("ioc cancel")
    if end["reason"] == "superseded":
        found.add("superseded")
    if end["reason"] == "no_bar":
        found.add("missing bar hit an order")
    if filled > 0:
        found.add("partial fill")
    if end["reason"] == "limit" and filled == 0:
        found.add("limit order never fills")
    return found
