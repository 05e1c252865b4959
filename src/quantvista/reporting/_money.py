"""Tables of money that must add up to what they claim: contribution, holdings, costs, limits."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from quantvista.backtest._frames import RunFrames
from quantvista.portfolio.attribution import rounded_table
from quantvista.reporting._format import money, number, percent, short

__all__ = ["contribution_table", "cost_title", "holdings_table", "limit_rows", "unfilled_rows"]

# A page of one megabyte must hold the largest universe, so the table of each end is cut off.
_SHOWN: Final = 400

# What a rule of the gate guards, in plain words (docs/engine/bars.md, section 4).
_RULES: Final = {
    "not_listed": "the instrument was not listed at that time",
    "no_price": "the instrument had no price yet",
    "lot": "less than one lot",
    "tick": "a limit price between ticks",
    "needs_ohlc": "an on-open order on closes only",
    "time_in_force": "a time in force that the type does not have",
    "price_band": "too far from the last price",
    "fat_finger_quantity": "larger than any order should be, in units",
    "fat_finger_notional": "larger than any order should be, in money",
    "no_short": "more than the sleeve holds",
    "cash": "more than the sleeve's cash pays for",
    "position": "largest position in one instrument, in money",
    "concentration": "largest weight of one instrument",
    "sector": "largest weight of one sector",
    "gross": "largest gross exposure",
}


# Why an order ended with quantity left (docs/engine/bars.md, sections 5 to 7).
_UNFILLED: Final = {
    "day": "the day ended before it had a chance",
    "no_bar": "the instrument had no bar",
    "price_band": "the price had moved too far since the decision",
    "volume": "our share of the bar's volume was used up",
    "limit": "the price did not reach the limit",
    "uncrossed": "the opposite order of another sleeve did not fill",
    "ioc": "it was to fill at once or not at all",
    "cash": "the sleeve's cash did not pay for all of it",
    "superseded": "a later decision replaced it",
    "requested": "the strategy took it back",
    "instrument_ended": "the instrument ended",
}


def contribution_table(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write profit by instrument (rows) and sleeve (columns); printed figures add up as printed.

    Cells are rounded one by one; what rounding leaves over is a row of its own, so that the
    reader's sum is the fund's profit.
    """
    found = summary["contribution"]
    if not found["pairs"]:
        return None
    sleeves = [each["sleeve"] for each in found["sleeves"]]
    exact = {(each["sleeve"], each["instrument"]): Decimal(each["pnl"]) for each in found["pairs"]}
    totals = {each["instrument"]: Decimal(each["pnl"]) for each in found["instruments"]}
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    order, rest = ranked, []
    if len(ranked) > _SHOWN:
        half = _SHOWN // 2
        order, rest = [*ranked[:half], *ranked[-half:]], ranked[half:-half]
    total = Decimal(found["total"])
    zero = Decimal(0)
    others = [sum((exact.get((sleeve, name), zero) for name in rest), zero) for sleeve in sleeves]
    shown = [[exact.get((sleeve, name), zero) for sleeve in sleeves] for name in order]
    cells, left_over = rounded_table([*shown, others], total)
    sectors = {each["id"]: each["sector"] for each in summary["instruments"]}
    lowest, highest = min(zero, *totals.values()), max(zero, *totals.values())
    span = highest - lowest or Decimal(1)
    columns = [sum((row[k] for row in cells), zero) for k in range(len(sleeves))]
    return {
        "sleeves": sleeves,
        "rows": [
            {
                "instrument": name,
                "sector": sectors.get(name, ""),
                "cells": [
                    {"text": money(value), "value": str(exact.get((sleeve, name), ""))}
                    for value, sleeve in zip(row, sleeves, strict=True)
                ],
                "total": {"text": money(sum(row, zero)), "value": str(totals[name])},
                "share": percent(float(totals[name] / total)) if total else "",
                "left": f"{float((min(totals[name], zero) - lowest) / span) * 100:.1f}",
                "width": f"{float(abs(totals[name]) / span) * 100:.1f}",
                "sign": "g" if totals[name] >= 0 else "l",
            }
            for name, row in zip(order, cells, strict=False)
        ],
        "others": _others(len(rest), others, cells[-1], total) if rest else None,
        "sums": [money(column) for column in columns],
        "subtotal": money(sum(columns, zero)),
        "left_over": money(left_over) if left_over else "",
        "total": money(total),
        "title": _contribution_title(found, totals, total),
    }


def holdings_table(frames: RunFrames, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write what the fund holds at its last bar; with cash it adds up to its equity."""
    if not frames.equity.height:
        return None
    last = frames.equity.row(-1, named=True)
    equity, cash = Decimal(last["equity"]), Decimal(last["cash"])
    held = frames.positions.filter((pl.col("ts") == last["ts"]) & (pl.col("quantity") != 0))
    table = held.group_by("instrument").agg(
        pl.col("sleeve").sort().str.join(", "),
        pl.col("quantity", "value", "cost").sum(),
        pl.col("mark_price").first(),
    )
    sectors = {each["id"]: each["sector"] for each in summary["instruments"]}
    ranked = table.sort(["value", "instrument"], descending=[True, False]).to_dicts()
    rows, rest = ranked[:_SHOWN], ranked[_SHOWN:]
    other, cost = (sum((row[name] for row in rest), Decimal(0)) for name in ("value", "cost"))
    worth = [row["value"] for row in rows]
    rounded, left_over = rounded_table([[each] for each in [*worth, other, cash]], equity)
    return {
        "rows": [
            {
                "instrument": row["instrument"],
                "sector": sectors.get(row["instrument"], ""),
                "sleeves": row["sleeve"],
                "quantity": _plain(row["quantity"]),
                "mark_price": _plain(row["mark_price"]),
                "value": money(printed[0]),
                "weight": percent(float(row["value"] / equity)) if equity else "",
                "gain": money(row["value"] - row["cost"]),
            }
            for row, printed in zip(rows, rounded, strict=False)
        ],
        "others": {
            "label": f"{number(len(rest))} others",
            "value": money(rounded[-2][0]),
            "weight": percent(float(other / equity)) if equity else "",
            "gain": money(other - cost),
        }
        if rest
        else None,
        "cash": money(rounded[-1][0]),
        "cash_weight": percent(float(cash / equity)) if equity else "",
        "left_over": money(left_over) if left_over else "",
        "equity": money(equity),
        "count": len(ranked),
        "invested": float(sum(worth, other) / equity) if equity else None,
    }


def limit_rows(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write how often each rule cut, rejected or held an order, the most frequent first."""
    rules: dict[str, dict[str, int]] = {}
    for each in summary["limits_hit"]:
        rules.setdefault(each["rule"], {})[each["outcome"]] = each["count"]
    ranked = sorted(rules.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return [
        {
            "rule": rule,
            "meaning": _RULES.get(rule, ""),
            "counts": [number(found[o]) if o in found else "" for o in ("cut", "rejected", "held")],
            "total": number(sum(found.values())),
        }
        for rule, found in ranked
    ]


def unfilled_rows(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """Write why orders ended with quantity left, the most frequent reason first."""
    ranked = sorted(summary["unfilled"], key=lambda each: (-each["count"], each["reason"]))
    return [
        {
            "reason": each["reason"],
            "meaning": _UNFILLED.get(each["reason"], ""),
            "count": number(each["count"]),
        }
        for each in ranked
    ]


def cost_title(summary: Mapping[str, Any]) -> str:
    """Say what costs took."""
    costs, currency = summary["costs"], summary["fund"]["currency"]
    if not Decimal(costs["traded"]):
        return "Nothing was traded"
    total = short(float(costs["total"]))
    if costs["bps_a_year"] is None:
        return f"Costs took {currency} {total} in all"
    turnover = summary["metrics"]["turnover"]["value"]
    traded = "" if turnover is None else f" at {percent(turnover, 0)} turnover"
    return f"Costs took {number(costs['bps_a_year'])} bp a year{traded}: {currency} {total} in all"


def _others(
    count: int, exact: Sequence[Decimal], printed: Sequence[Decimal], total: Decimal
) -> dict[str, Any]:
    """Write the instruments without a row of their own as one."""
    made = sum(exact, Decimal(0))
    return {
        "label": f"{number(count)} others",
        "cells": [
            {"text": money(text), "value": str(value)}
            for text, value in zip(printed, exact, strict=True)
        ],
        "total": {"text": money(sum(printed, Decimal(0))), "value": str(made)},
        "share": percent(float(made / total)) if total else "",
    }


def _contribution_title(
    found: Mapping[str, Any], totals: Mapping[str, Decimal], total: Decimal
) -> str:
    if not total:
        return "Profits and losses cancel out"
    best = max(found["sleeves"], key=lambda each: Decimal(each["pnl"]))
    top = sum(sorted(totals.values(), reverse=True)[:5], Decimal(0))
    word = "profit" if total > 0 else "loss"
    if total < 0:
        worst = min(totals, key=lambda name: (totals[name], name))
        return f"The loss is {money(-total, 2 if -total < 1000 else 0)}; {worst} cost most"
    share = percent(float(Decimal(best["pnl"]) / total), 0)
    return (
        f"{best['sleeve']} made {share} of the {word}; "
        f"the best five instruments {percent(float(top / total), 0)}"
    )


def _plain(amount: Decimal) -> str:
    """Write all the decimals that an exact amount has."""
    digits = max(0, -int(amount.normalize().as_tuple().exponent))
    return money(amount, digits)
