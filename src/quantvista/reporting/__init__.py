"""Reports of runs: one self-contained page, and plots for notebooks."""

from quantvista.reporting._features import feature_page
from quantvista.reporting._plot import Plot, plot
from quantvista.reporting._quality import quality_page
from quantvista.reporting._report import report_html, write_report
from quantvista.reporting._universe import universe_page

__all__ = [
    "Plot",
    "feature_page",
    "plot",
    "quality_page",
    "report_html",
    "universe_page",
    "write_report",
]
