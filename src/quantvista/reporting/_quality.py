"""The page that shows what is wrong with data, and where."""

import numpy as np
import polars as pl

from quantvista.data.quality import PRICES, Report, counted
from quantvista.reporting import _assets
from quantvista.reporting._lines import line_chart, spoken_time
from quantvista.reporting._page import environment

__all__ = ["quality_page"]

_ROW = "__row"
_EXAMPLES = 4
_AROUND = 40
_SEVERITY = {"error": "Error", "warning": "Warning", "info": "Note"}


def quality_page(report: Report, rows: pl.DataFrame, source: str) -> str:
    """Write the page of a check.

    Parameters
    ----------
    report : Report
        What was found.
    rows : polars.DataFrame
        The rows, as they were checked: ``ts``, ``instrument``, prices.
    source : str
        Where they are from, as the user calls it.

    Returns
    -------
    str
        HTML that stands by itself. Of each check up to four examples are drawn, of as many
        instruments.
    """
    sections = []
    numbered = rows.with_row_index(_ROW)
    for name, count in report.counts.items():
        found = report.flags.filter(pl.col("check") == name)
        first = found.unique("instrument", keep="first", maintain_order=True).head(_EXAMPLES)
        sections.append(
            {
                "name": name,
                "title": name.replace("_", " ").capitalize().replace("Ohlc", "OHLC"),
                "severity": _SEVERITY[report.checks[name].severity],
                "text": report.checks[name].text,
                "count": f"{count:,}",
                "rate": f"{1e4 * count / max(1, report.rows):,.2f}",
                "policy": report.policies[name],
                "instruments": f"{found['instrument'].n_unique():,}",
                "examples": [
                    _example(flag, numbered, found, PRICES[report.kind][-1])
                    for flag in first.iter_rows(named=True)
                ],
            }
        )
    span = [spoken_time(each, daily=True) for each in (report.start, report.end)]
    rows_said = counted(report.rows, report.noun)
    return (
        environment()
        .get_template("quality.html")
        .render(
            style=_assets.style_sheet(),
            source=source,
            kind=report.kind,
            verdict=report.verdict,
            facts=f"{rows_said} of {counted(report.instruments, 'instrument')}, "
            + " to ".join(span),
            sections=sections,
            clean=[
                name.replace("_", " ")
                for name in report.checks
                if name not in report.counts and name not in report.skipped
            ],
            skipped=[name.replace("_", " ") for name in report.skipped],
        )
    )


def _example(
    flag: dict[str, object], rows: pl.DataFrame, found: pl.DataFrame, usual: str
) -> dict[str, object]:
    """One flagged row, with those around it; what has no row is shown where it would be."""
    name, ts, at = str(flag["instrument"]), int(str(flag["ts"])), int(str(flag["row"]))
    own = rows.filter(pl.col("instrument") == name).sort("ts", maintain_order=True)
    times = own["ts"].to_numpy()
    place = int(np.searchsorted(times, ts)) if at < 0 else int((own[_ROW] == at).arg_max() or 0)
    shown = own[max(0, place - _AROUND) : place + _AROUND]
    column = str(flag["column"])
    column = column if column in shown.columns and shown[column].dtype.is_float() else usual
    values = shown[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    flagged = set(found.filter(pl.col("instrument") == name)["row"].to_list())
    marks = [row for row, each in enumerate(shown[_ROW].to_list()) if each in flagged]
    daily = len(times) < 2 or float(np.median(np.diff(times))) >= 20 * 3600e9
    value, expected = flag["value"], flag["expected"]
    words = str(flag["text"])
    if isinstance(value, float) and column != "ts":
        words += f"; found {value:g}"
        if isinstance(expected, float):
            words += f", expected about {expected:g}"
    return {
        "title": f"{name}, {spoken_time(ts, daily=daily)}",
        "text": words,
        "chart": line_chart(shown["ts"].to_numpy(), values, f"{column} of {name}", marks=marks),
    }
