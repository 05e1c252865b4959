"""The page that shows why a fund earned on paper something else than in its backtest."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.reporting import _assets
from quantvista.reporting._page import environment
from quantvista.reporting._svg import bars_across
from quantvista.reporting._tracks import TrackLine, tracks_chart
from quantvista.trading.divergence import (
    CAUSES,
    Divergence,
    Side,
    bps_text,
    counted_text,
    money_text,
    order_text,
    verdict,
)

__all__ = ["divergence_page"]

_ROWS_MOST = 200
_TOKENS = dict(zip(CAUSES, range(1, 9), strict=False))
_LONG_NS = 10 * 86_400 * 10**9


def divergence_page(found: Divergence) -> str:
    """Write the page.

    Parameters
    ----------
    found : Divergence
        What was compared.

    Returns
    -------
    str
        HTML that stands by itself, without a script.
    """
    span = found.ts[0], found.ts[-1]
    first, last = _time(span[0]), _time(span[1])
    if span[1] - span[0] > _LONG_NS:
        ends = (first[:10], last[:10])
    else:  # the day once, where it is the same
        ends = (first, last[11:] if first[:10] == last[:10] else last)
    known = [each for each in found.causes if any(each.curve)]
    return (
        environment()
        .get_template("divergence.html")
        .render(
            style=_assets.style_sheet(),
            fund=found.fund,
            unit=found.currency,
            verdict=verdict(found),
            span=f"{first} to {last} UTC",
            data=found.data,
            notes=found.notes,
            headline=_headline(found),
            causes=_causes(found),
            gap=_figures(found.gap, found),
            steps=_waterfall(found) if known else "",
            equity=_equity(found, ends),
            curves=_curves(found, ends) if known else "",
            instruments=_parts(found, "of_instruments"),
            sleeves=_parts(found, "of_sleeves"),
            columns=[each.name for each in known],
            same=f"{found.matching.same:,}",
            counted=counted_text(found.matching),
            orders=_orders(found),
            rest=max(0, len(found.matching.pairs) - _ROWS_MOST),
            incidents=[
                {"ts": _time(each.ts), "kind": each.kind, "text": each.text, "at": each.sequence}
                for each in found.incidents[:_ROWS_MOST]
            ],
            incident_count=f"{found.incident_count:,}",
        )
    )


def _headline(found: Divergence) -> list[dict[str, str]]:
    def side(label: str, of: Side) -> dict[str, str]:
        return {
            "label": label,
            "text": f"{found.currency} {money_text(of.profit, found)}",
            "note": f"{of.orders:,} orders, {of.fills:,} fills, fees {money_text(of.fees, found)}",
        }

    gap = f"{found.currency} {money_text(found.gap, found)}"
    return [
        side("On paper", found.paper),
        side("Backtest", found.backtest),
        {
            "label": "The gap",
            "text": gap,
            "note": f"{bps_text(found.gap, found)} bp of {money_text(found.base, found)}",
        },
    ]


def _figures(amount: int, found: Divergence) -> dict[str, str]:
    return {"money": money_text(amount, found), "bps": bps_text(amount, found)}


def _causes(found: Divergence) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "words": CAUSES[each.name], "none": not each.amount}
        | _figures(each.amount, found)
        for each in found.causes
    ]


def _waterfall(found: Divergence) -> str:
    """Draw the way from the backtest's profit to that on paper."""
    rows, at = [], 0
    for each in found.causes:
        if each.amount:
            after = at + each.amount
            rows.append((each.name, money_text(each.amount, found), at / 1e12, after / 1e12))
            at = after
    rows.append(("the gap", money_text(found.gap, found), 0.0, found.gap / 1e12))
    return bars_across(rows, "What each cause added or took")


def _equity(found: Divergence, ends: tuple[str, str]) -> str:
    lines = [
        TrackLine("on paper", _floats(found.paper.equity), "accent", ""),
        TrackLine("backtest", _floats(found.backtest.equity), "benchmark", ""),
    ]
    return tracks_chart(ends, lines, f"Equity in {found.currency}, both sides")


def _curves(found: Divergence, ends: tuple[str, str]) -> str:
    gap = np.sum([_floats(each.curve) for each in found.causes], axis=0)
    lines = [TrackLine("the gap", gap, "ink", money_text(found.gap, found))]
    lines += [
        TrackLine(
            each.name,
            _floats(each.curve),
            f"category-{_TOKENS[each.name]}",
            money_text(each.amount, found),
        )
        for each in found.causes
        if any(each.curve)
    ]
    return tracks_chart(ends, lines, f"The gap so far by cause, {found.currency}", zero=True)


def _parts(found: Divergence, side: str) -> list[dict[str, Any]]:
    """Gaps by instrument or sleeve, the largest first, with the causes that there are."""
    paper: Mapping[str, int] = getattr(found.paper, side)
    backtest: Mapping[str, int] = getattr(found.backtest, side)
    gaps = {name: paper.get(name, 0) - backtest.get(name, 0) for name in {**paper, **backtest}}
    causes = [each for each in found.causes if any(each.curve)]
    rows = []
    for name in sorted(gaps, key=lambda each: (-abs(gaps[each]), each))[:_ROWS_MOST]:
        cells = [money_text(getattr(each, side).get(name, 0), found) for each in causes]
        rows.append({"name": name, "cells": cells} | _figures(gaps[name], found))
    if side == "of_instruments" and (other := found.gap - sum(gaps.values())):
        of_causes = [each.amount - sum(each.of_instruments.values()) for each in causes]
        cells = [money_text(each, found) for each in of_causes]
        rows.append({"name": "money at other rates", "cells": cells} | _figures(other, found))
    return rows


def _orders(found: Divergence) -> list[dict[str, str]]:
    return [
        {
            "ts": _time(each.ts),
            "difference": each.difference,
            "sleeve": each.of.sleeve,
            "instrument": each.of.instrument,
            "paper": order_text(each.paper, with_instrument=False),
            "backtest": order_text(each.backtest, with_instrument=False),
        }
        for each in found.matching.pairs[:_ROWS_MOST]
    ]


def _floats(amounts: Sequence[int]) -> NDArray[np.float64]:
    return np.array(amounts, dtype=np.float64) / 1e12


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
