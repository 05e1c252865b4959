"""The summary of a run: everything that ``summary.json`` says, from its tables and its facts.

Pure and without a clock: the same input gives the same dictionary. Money is exact decimal text,
ratios are floats, and what is undefined is null with a reason.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl

from quantvista.backtest._curves import Curve, cash_flows, curves
from quantvista.backtest._frames import RunFrames
from quantvista.backtest._meta import RunMeta, SleeveMeta
from quantvista.backtest._verdict import verdict
from quantvista.backtest._within import instant, period_within
from quantvista.errors import EngineError
from quantvista.market import session_dates, session_ends
from quantvista.portfolio.attribution import (
    Contribution,
    contribution,
    in_fund_currency,
    money_text,
    notional,
)
from quantvista.portfolio.drawdowns import drawdowns
from quantvista.portfolio.flows import money_weighted_return
from quantvista.portfolio.metrics import (
    SHORTEST_YEARS,
    TOO_SHORT,
    Metric,
    infer_periods,
    measure,
    measure_against,
    simple_returns,
    years_between,
)

__all__ = ["SCHEMA_VERSION", "RunMeta", "SleeveMeta", "build_summary"]

SCHEMA_VERSION: Final = 1
_IN_CASH_DAYS: Final = 31  # in cash for longer than that, the same dates are no fair comparison
_FALLS: Final = ("max_drawdown", "max_drawdown_days", "longest_drawdown_days")
_RELATIVE: Final = ("beta", "alpha", "correlation", "tracking_error", "information_ratio")


def build_summary(frames: RunFrames, meta: RunMeta) -> dict[str, Any]:
    """Summarise a run.

    Parameters
    ----------
    frames : RunFrames
        Its tables, exact decimals.
    meta : RunMeta
        Its facts.

    Returns
    -------
    dict
        Content of ``summary.json``; only JSON types, no NaN.

    Raises
    ------
    EngineError
        If the run is complete and its contributions do not add up to its profit exactly.
    """
    found = curves(frames, meta.calendar, meta.time_zone)
    ours = found["fund"]
    paths = curves(frames, meta.calendar, meta.time_zone, fine=True)
    path = paths["fund"]
    periods = meta.periods or infer_periods(ours.ts[ours.opening :])
    profit, rest = _contribution(frames, meta)
    costs, turnover = _costs(frames, meta, ours)
    metrics = {**_measured(ours, periods), **_against(ours, found.get("benchmark"), periods)}
    metrics |= {"turnover": turnover, **_exposure(frames.equity, meta)}
    metrics |= _money_weighted(frames, ours)
    metrics |= _falls(path, periods)
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "status": meta.status,
        "error": meta.error,
        "fund": _fund(meta, frames),
        "period": _period(frames, meta, ours, periods) | _within(path),
        "metrics": _plain(metrics),
        "comparisons": _comparisons(found, paths, meta, periods),
        "since_first_fill": _since_first_fill(frames, meta, found, periods),
        "costs": costs,
        "counts": _counts(frames, meta),
        "sleeves": [
            {"id": s.id, "strategy": s.strategy, "share": s.share, "params": dict(s.params)}
            for s in meta.sleeves
        ],
        "instruments": [
            {"id": name, "sector": meta.sectors[name], "multiplier": meta.multipliers.get(name, 1)}
            for name in sorted(meta.sectors)
        ],
        "contribution": _contribution_rows(profit, rest),
        "drawdowns": _drawdown_rows(path),
        "worst_days": _worst_days(ours, found.get("benchmark")),
        "limits_hit": _limits_hit(frames.verdicts),
        "unfilled": _unfilled(frames.orders),
        "trials": meta.trials,
        "assumptions": list(meta.assumptions),
        "biases": [{"name": name, "text": text} for name, text in meta.biases],
        "fingerprint": dict(meta.fingerprint),
    }
    summary["verdict"] = verdict(summary)
    return summary


# -- metrics ---------------------------------------------------------------------------------
def _measured(curve: Curve, periods: float) -> dict[str, Metric]:
    known = np.isfinite(curve.level)
    return measure(curve.ts[known], curve.level[known], periods=periods)


def _against(ours: Curve, benchmark: Curve | None, periods: float) -> dict[str, Metric]:
    if benchmark is None:
        return {name: Metric.undefined("no benchmark") for name in _RELATIVE}
    return measure_against(ours.ts, ours.level, benchmark.level, periods=periods)


def _falls(path: Curve, periods: float) -> dict[str, Metric]:
    """Measure drawdowns within sessions too, where there are points."""
    found = _measured(path, periods)
    return {name: found[name] for name in _FALLS}


def _exposure(equity: pl.DataFrame, meta: RunMeta) -> dict[str, Metric]:
    """Mean gross exposure as a share of equity, and the share of sessions with any."""
    gross = equity["gross"].cast(pl.Float64).to_numpy()
    level = equity["equity"].cast(pl.Float64).to_numpy()
    if level.size == 0 or not bool(np.all(level > 0)):
        missing = Metric.undefined("needs positive equity on every bar")
        return {"exposure": missing, "time_invested": missing}
    ends = session_ends(equity["ts"].cast(pl.Int64).to_numpy(), meta.calendar, meta.time_zone)
    held = np.logical_or.reduceat(gross > 0, np.concatenate([[0], np.flatnonzero(ends)[:-1] + 1]))
    return {
        "exposure": Metric(float(np.mean(gross / level))),
        "time_invested": Metric(float(np.mean(held))),
    }


def _money_weighted(frames: RunFrames, ours: Curve) -> dict[str, Metric]:
    """Rate a year on the money that was in the fund; only where some was paid in or out."""
    flow_ts, flow = cash_flows(frames)
    if not flow_ts.size:
        return {}
    name = "money_weighted_return"
    if ours.ts.size < 2 or years_between(int(ours.ts[0]), int(ours.ts[-1])) < SHORTEST_YEARS:
        return {name: Metric.undefined(TOO_SHORT)}
    level = frames.equity["equity"].cast(pl.Float64)
    ends = (float(level[0]), float(level[-1]))
    found = money_weighted_return(int(ours.ts[0]), int(ours.ts[-1]), ends, flow_ts, flow)
    if not np.isfinite(found):
        return {name: Metric.undefined("no rate, or more than one, explains the flows")}
    return {name: Metric(found)}


def _plain(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Any]]:
    return {
        name: {"value": None, "reason": each.reason} if each.reason else {"value": each.value}
        for name, each in sorted(metrics.items())
    }


def _comparisons(
    found: Mapping[str, Curve], paths: Mapping[str, Curve], meta: RunMeta, periods: float
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, curve in found.items():
        if name != "fund":
            metrics = _measured(curve, periods) | _falls(paths[name], periods)
            out[name] = {"metrics": _plain(metrics)}
            if name == "benchmark":
                out[name]["id"] = meta.benchmark or "benchmark"
    return out


def _since_first_fill(
    frames: RunFrames, meta: RunMeta, found: Mapping[str, Curve], periods: float
) -> dict[str, Any] | None:
    """Measure all curves from the session before the first fill, if the fund was long in cash."""
    date = _first_fill(frames, meta)
    ours = found["fund"]
    if date is None or date - ours.date[0] <= np.timedelta64(_IN_CASH_DAYS, "D"):
        return None
    start = int(np.searchsorted(ours.date, date)) - 1
    out: dict[str, Any] = {"date": str(date)}
    for name, curve in found.items():
        part = Curve(curve.ts[start:], curve.level[start:], curve.date[start:])
        measured = _measured(part, periods)
        out[name] = _plain({key: measured[key] for key in ("cagr", "sharpe", "total_return")})
    return out


# -- money -----------------------------------------------------------------------------------
def _costs(frames: RunFrames, meta: RunMeta, ours: Curve) -> tuple[dict[str, Any], Metric]:
    """Costs in money; one-way turnover a year: half of what was traded, over mean equity."""
    trades = frames.fills.filter(pl.col("kind") == "trade")
    traded = _total(
        trades.select(in_fund_currency(notional(meta.multipliers), meta.rates)).to_series()
    )
    fees, slippage = (
        _total(frames.fills.select(in_fund_currency(pl.col(name), meta.rates)).to_series())
        for name in ("fee", "slippage")
    )
    total = fees + slippage
    years = years_between(int(ours.ts[0]), int(ours.ts[-1])) if ours.ts.size > 1 else 0.0
    mean = float(np.mean(ours.level)) if ours.level.size else 0.0
    costs = {
        "fees": money_text(fees),
        "slippage": money_text(slippage),
        "total": money_text(total),
        "traded": money_text(traded),
        "bps_of_turnover": float(total / traded * 10_000) if traded else None,
        "bps_a_year": None,
    }
    if years < SHORTEST_YEARS:
        return costs, Metric.undefined(TOO_SHORT)
    if mean <= 0:
        return costs, Metric.undefined("needs positive equity")
    costs["bps_a_year"] = float(total) / mean / years * 10_000
    return costs, Metric(float(traded) / 2.0 / mean / years)


def _contribution(frames: RunFrames, meta: RunMeta) -> tuple[Contribution, Decimal]:
    """Profit by instrument and sleeve, and the rest: interest, and what rates made of cash."""
    last = frames.equity["ts"].max()
    held = frames.positions.filter(pl.col("ts") == last) if last else frames.positions.clear()
    found = contribution(
        frames.fills, held, meta.multipliers, frames.postings, meta.rates, meta.bases
    )
    if not frames.equity.height:
        return found, Decimal(0)
    postings = frames.postings
    money = pl.col("amount").cast(pl.Decimal(38, 12))
    paid = _total(
        postings.filter(pl.col("kind").is_in(["deposit", "withdrawal"])).select(money)["amount"]
    )
    profit = Decimal(frames.equity["equity"][-1]) - meta.cash - paid
    if meta.rates:
        return found, profit - found.total
    rest = _total(postings.filter(pl.col("kind") == "interest").select(money)["amount"])
    if meta.status == "complete" and found.total + rest != profit:
        total, made = money_text(found.total + rest), money_text(profit)
        raise EngineError(f"contributions do not add up: they sum to {total}, the profit is {made}")
    return found, rest


def _contribution_rows(found: Contribution, rest: Decimal) -> dict[str, Any]:
    return {
        "sleeves": [{"sleeve": s, "pnl": money_text(p)} for s, p in found.sleeves.items()],
        "instruments": [
            {"instrument": i, "pnl": money_text(p)} for i, p in found.instruments.items()
        ],
        "pairs": [
            {"sleeve": s, "instrument": i, "pnl": money_text(p)}
            for (s, i), p in found.pairs.items()
        ],
        "rest": money_text(rest),
        "total": money_text(found.total + rest),
    }


def _total(column: pl.Series) -> Decimal:
    return Decimal(column.sum() or 0)


# -- the rest --------------------------------------------------------------------------------
def _fund(meta: RunMeta, frames: RunFrames) -> dict[str, Any]:
    level = frames.equity["equity"]
    return {
        "name": meta.fund,
        "currency": meta.currency,
        "cash": money_text(meta.cash),
        "equity": money_text(Decimal(level[-1])) if level.len() else None,
        "benchmark": meta.benchmark,
        "source": meta.source,
        "time_zone": meta.time_zone,
        "calendar": meta.calendar,
    }


def _period(frames: RunFrames, meta: RunMeta, ours: Curve, periods: float) -> dict[str, Any]:
    ts = ours.ts
    first = _first_fill(frames, meta)
    return {
        "start": str(ours.date[0]) if ts.size else None,
        "end": str(ours.date[-1]) if ts.size else None,
        "sessions": ours.sessions,
        "years": years_between(int(ts[0]), int(ts[-1])) if ts.size else 0.0,
        "periods_a_year": periods,
        "first_fill": None if first is None else str(first),
    }


def _within(path: Curve) -> dict[str, Any]:
    return {"within": period_within(path.ts)} if path.within else {}


def _first_fill(frames: RunFrames, meta: RunMeta) -> np.datetime64 | None:
    fills = frames.fills["ts"].cast(pl.Int64).sort().head(1).to_numpy()
    dates = session_dates(fills, meta.calendar, meta.time_zone)
    return dates[0] if dates.size else None


def _counts(frames: RunFrames, meta: RunMeta) -> dict[str, int]:
    """Count rows; ``fills`` holds crosses and settlements too."""
    kinds = _tally(frames.fills, "kind")
    outcomes, status = _tally(frames.verdicts, "outcome"), _tally(frames.orders, "status")
    return {
        "orders": frames.orders.height,
        "fills": frames.fills.height,
        "crosses": kinds.get("cross", 0),
        "settlements": kinds.get("settlement", 0),
        **{name: outcomes.get(name, 0) for name in ("accepted", "cut", "rejected", "held")},
        **{name: status.get(name, 0) for name in ("cancelled", "expired")},
        "missing_bars": meta.missing_bars,
    }


def _tally(frame: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(frame.group_by(column).len().iter_rows())


def _limits_hit(verdicts: pl.DataFrame) -> list[dict[str, Any]]:
    hit = verdicts.filter(pl.col("outcome") != "accepted")
    rows = hit.group_by("rule", "outcome").agg(pl.len().alias("count")).sort("rule", "outcome")
    return rows.to_dicts()


def _unfilled(orders: pl.DataFrame) -> list[dict[str, Any]]:
    """Count by reason the orders that ended with quantity left."""
    ended = pl.col("status").is_in(["expired", "cancelled"])
    left = orders.filter(ended & (pl.col("filled") < pl.col("quantity")))
    rows = left.group_by("reason").agg(pl.len().alias("count")).sort("reason")
    return rows.to_dicts()


def _drawdown_rows(curve: Curve) -> list[dict[str, Any]]:
    if curve.ts.size < 2 or curve.level[0] <= 0:
        return []
    date = curve.date.astype(str).tolist()
    rows: list[dict[str, Any]] = []
    for each in drawdowns(curve.ts, curve.level)[:5]:
        last = -1 if each.recovery is None else each.recovery
        row = {
            "start": date[each.start],
            "trough": date[each.trough],
            "recovery": None if each.recovery is None else date[each.recovery],
            "depth": each.depth,
            "days": each.days,
        }
        if curve.within:
            row["times"] = [instant(int(curve.ts[at])) for at in (each.start, each.trough, last)]
            row["seconds"] = (int(curve.ts[last]) - int(curve.ts[each.start])) / 1e9
        rows.append(row)
    return rows


def _worst_days(ours: Curve, benchmark: Curve | None) -> list[dict[str, Any]]:
    returns = simple_returns(ours.level)
    theirs = np.full(returns.size, np.nan) if benchmark is None else simple_returns(benchmark.level)
    losses = [int(i) for i in np.argsort(returns, kind="stable")[:10] if returns[i] < 0]
    return [
        {
            "date": str(ours.date[i + 1]),
            "return": float(returns[i]),
            "benchmark": float(theirs[i]) if np.isfinite(theirs[i]) else None,
        }
        for i in losses
    ]
