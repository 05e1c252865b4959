"""Rows of the tables of metrics."""

from typing import Any

from quantvista.cli._print import NONE, number, percent
from quantvista.cli._runs import metric

__all__ = ["metric_rows"]

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


def _cell(metrics: dict[str, Any] | None, name: str, digits: int | None) -> str:
    value = metric(metrics, name)
    if digits is None:
        return percent(value)
    text = number(value, digits)
    error = metric(metrics, "sharpe_se") if name == "sharpe" else None
    return text if error is None or value is None else f"{text} ± {number(error, 2)}"
