"""Drawdown: how far below its past peak a price is, and for how long."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "drawdown",
        "Magdon-Ismail and Atiya (2004), Risk 17(10)",
        (
            "drawdown_all",
            "close / cummax(close) - 1",
            "Below the highest close so far; 0 or negative.",
        ),
        (
            "drawdown_252",
            "close / max(close, 252) - 1",
            "Below the highest close of a year; 0 or negative.",
        ),
        (
            "max_drawdown_252",
            "max_drawdown(close, 252)",
            "Deepest fall from a peak within a year; 0 or negative.",
        ),
        ("runup_252", "close / min(close, 252) - 1", "Above the lowest close of a year."),
        (
            "bars_since_high",
            "bars_since(close >= max(close, 252))",
            "Bars since the close was the highest of a year.",
        ),
        (
            "recovery",
            "(close - min(close, 252)) / (max(close, 252) - min(close, 252))",
            "Place of the close between the lowest, 0, and the highest, 1, of a year.",
        ),
    ),
    *table(
        "drawdown",
        "Martin and McCann (1989), The Investor's Guide to Fidelity Funds",
        (
            "ulcer_index",
            "mean((close / max(close, 63) - 1) ** 2, 63) ** 0.5",
            "Root mean square of the drawdowns of a quarter.",
        ),
        (
            "martin_ratio",
            "252 * mean(log_returns(close, 1), 252)"
            " / mean((close / max(close, 252) - 1) ** 2, 252) ** 0.5",
            "Yearly log return over the root mean square of drawdowns.",
        ),
    ),
    *table(
        "drawdown",
        "Young (1991), Futures 20(1)",
        (
            "calmar_252",
            "returns(close, 252) / -max_drawdown(close, 252)",
            "Return of a year over its deepest fall.",
        ),
        (
            "time_under_water",
            "mean(close < cummax(close), 252)",
            "Share of a year's bars below a former peak.",
        ),
    ),
)
