"""The figures that a page carries for its charts and its table of fills, packed small.

``dashboard/src/report/data.ts`` unpacks them. Money is 64-bit floats, because it is read to the
last unit; ratios are 16-bit steps. Nothing is left out of a series: thinning happens when it is
drawn.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.backtest._curves import Curve, curves_of
from quantvista.backtest._frames import RunFrames
from quantvista.market import session_dates
from quantvista.portfolio.attribution import notional
from quantvista.portfolio.drawdowns import drawdowns
from quantvista.portfolio.periodic import rolling_sharpe, rolling_volatility

__all__ = ["FILLS_SHOWN", "as_json", "payload", "rolling_window", "scaled_levels"]

type Floats = NDArray[np.float64]
type Dates = NDArray[np.datetime64]

FILLS_SHOWN: Final = 5000
_MISSING: Final = -32_768


def payload(frames: RunFrames, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Pack everything that the script draws.

    Parameters
    ----------
    frames : RunFrames
        Tables of the run.
    summary : mapping
        Content of its ``summary.json``.

    Returns
    -------
    dict
        JSON types only; the same input gives the same output.
    """
    found = curves_of(frames, summary, fine=True)
    levels = scaled_levels(found)
    ours = found["fund"]
    periods = float(summary["period"]["periods_a_year"])
    window = rolling_window(periods)
    rolled = {} if ours.within else levels  # a year of it is far away
    other = summary["comparisons"].get("benchmark")
    multipliers = {each["id"]: int(each["multiplier"]) for each in summary["instruments"]}
    exposure, profit = _by_sleeve(frames, ours)
    stamps = frames.fills["ts"].cast(pl.Int64).to_numpy()
    filled = session_dates(stamps, summary["fund"]["calendar"], summary["fund"]["time_zone"])
    return {
        "fund": summary["fund"]["name"],
        "currency": summary["fund"]["currency"],
        "days": _deltas(_positions(ours)),
        "within": ours.within,
        "labels": {"benchmark": other["id"] if other else None, "equal_weight": "Equal weight"},
        "levels": {name: _floats(level) for name, level in levels.items()},
        "rolling": {
            "window": window,
            "sharpe": _rolling(rolled, lambda level: rolling_sharpe(level, window, periods), 1000),
            "volatility": _rolling(
                rolled, lambda level: rolling_volatility(level, window, periods), 10_000
            ),
        },
        "exposure": {name: _steps(share, 10_000) for name, share in exposure.items()},
        "profit": {name: _floats(made) for name, made in profit.items()},
        "years": _years(frames.fills, filled, ours, multipliers),
        "drawdowns": _spans(ours),
        "fills": {**_fills(frames.fills, filled, multipliers), "seconds": ours.within},
    }


def as_json(value: Mapping[str, Any]) -> str:
    """Write JSON that may stand inside a ``<script>`` element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c")


def rolling_window(periods: float) -> int:
    """Bars in a rolling window: one year."""
    return max(2, round(periods))


def scaled_levels(found: Mapping[str, Curve]) -> dict[str, Floats]:
    """Put all curves on the fund's money: each starts where the fund is at its own first level."""
    ours = found["fund"].level
    out = {"fund": ours}
    for name, curve in found.items():
        if name != "fund":
            first = int(np.argmax(np.isfinite(curve.level)))
            out[name] = curve.level / curve.level[first] * ours[first]
    return out


# -- parts -----------------------------------------------------------------------------------
def _rolling(levels: Mapping[str, Floats], function: Any, scale: int) -> dict[str, Any]:  # noqa: ANN401
    shown = {name: levels[name] for name in ("benchmark", "fund") if name in levels}
    return {name: _steps(function(level), scale) for name, level in shown.items()}


def _by_sleeve(frames: RunFrames, ours: Curve) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Gross exposure as a share of the fund's equity, and profit in money, by session."""
    wide = pl.DataFrame({"ts": ours.ts})
    exposure, profit = {}, {}
    for (name,), part in sorted(frames.sleeves.group_by("sleeve"), key=lambda each: str(each[0])):
        columns = part.select(
            pl.col("ts").cast(pl.Int64),
            equity=pl.col("equity").cast(pl.Float64),
            held=(pl.col("equity") - pl.col("cash")).cast(pl.Float64),
        )
        joined = wide.join(columns, on="ts", how="left", maintain_order="left")
        equity, held = joined["equity"].to_numpy(), joined["held"].to_numpy()
        known = np.flatnonzero(np.isfinite(equity))
        if known.size:
            exposure[str(name)] = held / ours.level
            profit[str(name)] = equity - equity[known[0]]
    return exposure, profit


def _years(
    fills: pl.DataFrame, filled: Dates, ours: Curve, multipliers: Mapping[str, int]
) -> dict[str, Any]:
    """One-way turnover, and costs in basis points, of each calendar year's mean equity."""
    mean = pl.DataFrame({"year": _year(ours.date), "level": ours.level})
    mean = mean.group_by("year").agg(pl.col("level").mean()).sort("year")
    trade = pl.col("kind") == "trade"
    spent = fills.select(
        year=pl.Series(_year(filled)),
        traded=pl.when(trade).then(notional(multipliers)).otherwise(0).cast(pl.Float64),
        fees=pl.col("fee").cast(pl.Float64),
        slippage=pl.col("slippage").cast(pl.Float64),
    )
    spent = spent.group_by("year").agg(pl.all().sum())
    table = mean.join(spent, on="year", how="left", maintain_order="left").fill_null(0.0)
    of_equity = {
        "turnover": pl.col("traded") / 2 / pl.col("level"),
        "fees": pl.col("fees") / pl.col("level") * 10_000,
        "slippage": pl.col("slippage") / pl.col("level") * 10_000,
    }
    shares = table.select(
        pl.when(pl.col("level") > 0).then(part).otherwise(0.0).round(5).alias(name)
        for name, part in of_equity.items()
    )
    return {"year": table["year"].to_list(), **shares.to_dict(as_series=False)}


def _positions(ours: Curve) -> NDArray[np.float64] | NDArray[np.int64]:
    """Place points on the axis of time, in days since 1970.

    The first bar of a session that goes on is at the start of its day, and then all session ends
    are at noon, so that the two can be told apart.
    """
    if ours.within:
        at: NDArray[np.float64] = np.round(ours.ts / 86_400e9, 9)
        return at
    day = ours.date.astype(np.int64)
    if not ours.opening:
        return day
    return np.where(np.arange(day.size) == 0, day, day + 0.5)


def _spans(ours: Curve) -> list[dict[str, float]]:
    if ours.ts.size < 2 or ours.level[0] <= 0:
        return []
    at = _positions(ours).tolist()
    return [
        {
            "from": at[each.start],
            "to": at[-1 if each.recovery is None else each.recovery],
            "at": at[each.trough],
        }
        for each in drawdowns(ours.ts, ours.level)[:5]
    ]


def _fills(fills: pl.DataFrame, filled: Dates, multipliers: Mapping[str, int]) -> dict[str, Any]:
    dated = fills.with_columns(day=pl.Series(filled.astype(np.int64), dtype=pl.Int64))
    shown = dated.sort("ts", maintain_order=True).tail(FILLS_SHOWN)
    seconds = shown["ts"].cast(pl.Int64).to_numpy() // 1_000_000_000
    codes: dict[str, Any] = {}
    for name in ("instrument", "sleeve", "kind"):
        values = shown[name].unique().sort().to_list()
        code = {value: index for index, value in enumerate(values)}
        codes[f"{name}s"] = values
        codes[name] = [code[each] for each in shown[name].to_list()]
    clock = np.unique(seconds % 86_400)
    return {
        "total": fills.height,
        "minutes": bool(clock.size > 4),  # more than the closes of summer, winter and half days
        **codes,
        "ts": _deltas(seconds),
        "day": _deltas(shown["day"].to_numpy()),
        "sell": shown.select((pl.col("side") == "sell").cast(pl.Int8)).to_series().to_list(),
        **{name: _text(shown[name]) for name in ("quantity", "price", "fee", "slippage")},
        "notional": shown.select(notional(multipliers).cast(pl.Float64).round(2))
        .to_series()
        .to_list(),
    }


def _deltas(values: NDArray[Any]) -> list[int | float]:
    differences: list[int | float] = np.round(np.diff(values, prepend=0), 9).tolist()
    return differences


def _year(dates: Dates) -> NDArray[np.int32]:
    return dates.astype("M8[Y]").astype(np.int32) + 1970


def _text(column: pl.Series) -> list[str]:
    """Exact decimals as text, without the zeros at the end."""
    text = column.cast(pl.String)
    return text.str.strip_chars_end("0").str.strip_chars_end(".").to_list()


def _floats(values: Floats) -> dict[str, Any]:
    packed = np.ascontiguousarray(values, "<f8").tobytes()
    return {"type": "f8", "scale": 1, "data": base64.b64encode(packed).decode("ascii")}


def _steps(values: Floats, scale: int) -> dict[str, Any]:
    steps = np.clip(np.rint(values * scale), -32_767, 32_767)
    packed = np.where(np.isfinite(values), steps, _MISSING).astype("<i2").tobytes()
    return {"type": "i2", "scale": scale, "data": base64.b64encode(packed).decode("ascii")}
