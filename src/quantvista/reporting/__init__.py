"""Reports of runs and of what was compared: self-contained pages, and plots for notebooks."""

from quantvista.reporting._divergence import divergence_page
from quantvista.reporting._features import feature_page
from quantvista.reporting._plot import Plot, plot
from quantvista.reporting._quality import quality_page
from quantvista.reporting._report import report_html, write_report
from quantvista.reporting._universe import universe_page

__all__ = [
    "Plot",
    "divergence_page",
    "feature_page",
    "plot",
    "quality_page",
    "report_html",
    "universe_page",
    "write_report",
]
