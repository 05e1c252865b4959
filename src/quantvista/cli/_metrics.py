"""Rows of the tables of metrics."""

from typing import Any

from quantvista.backtest._within import lasting, profit_share
from quantvista.cli._print import NONE, number, percent
from quantvista.cli._runs import metric

__all__ = ["brief_rows", "metric_rows"]

# Label with its unit, metric, decimals; None for per cent.
_ROWS: tuple[tuple[str, str, int | None], ...] = (
    ("Return a year, %", "cagr", None),
    ("Return in all, %", "total_return", None),
    ("Volatility, %", "volatility", None),
    ("Sharpe ratio ± standard error", "sharpe", 2),
    ("Sortino ratio", "sortino", 2),
    ("Largest drawdown, %", "max_drawdown", None),
    ("Longest drawdown, days", "longest_drawdown_days", 0),
    ("Worst day, %", "worst_day", None),
    ("CVaR 95 % of a day, %", "cvar_95", None),
    ("Beta", "beta", 2),
    ("Turnover a year, one-way, %", "turnover", None),
)


def metric_rows(columns: list[dict[str, Any] | None]) -> list[list[str]]:
    """Cells of a table: a row per metric, a column per run or comparison.

    Parameters
    ----------
    columns : list of dict
        Metrics by name, as in summaries.

    Returns
    -------
    list of list of str
        The label first; rows that are undefined everywhere are left out.
    """
    rows = []
    for label, name, digits in _ROWS:
        cells = [_cell(each, name, digits) for each in columns]
        if any(cell != NONE for cell in cells):
            rows.append([label, *cells])
    return rows


def brief_rows(
    columns: list[dict[str, Any] | None], drawdowns: list[dict[str, Any]]
) -> list[list[str]]:
    """Cells of the table of a run of less than a month, small returns in basis points."""
    rows = [
        [label, *(_share(metric(each, name)) for each in columns)]
        for label, name in (("Return in all", "total_return"), ("Largest drawdown", "max_drawdown"))
    ]
    if drawdowns:
        ended = "" if drawdowns[0]["recovery"] else ", not recovered"
        lasted = f"{lasting(drawdowns[0]['seconds'])}{ended}"
        rows.append(["… lasted", lasted, *("" for _ in columns[1:])])
    return rows


def _share(value: float | None) -> str:
    return NONE if value is None else profit_share(value)


def _decimals(value: float | None) -> int:
    """Decimals of a percentage that is not shown as 0 unless it is."""
    size = abs(value) if value else 1.0
    return 1 if size >= 0.0005 else 3 if size >= 0.000_005 else 5


def _cell(metrics: dict[str, Any] | None, name: str, digits: int | None) -> str:
    value = metric(metrics, name)
    if digits is None:
        return percent(value, _decimals(value))
    text = number(value, digits)
    error = metric(metrics, "sharpe_se") if name == "sharpe" else None
    return text if error is None or value is None else f"{text} ± {number(error, 2)}"
