"""Reports of runs: one self-contained page, and plots for notebooks."""

from quantvista.reporting._plot import Plot, plot
from quantvista.reporting._report import report_html, write_report

__all__ = ["Plot", "plot", "report_html", "write_report"]
