"""Reports of runs: one self-contained page, and plots for notebooks."""

from quantvista.reporting._plot import Plot, plot
from quantvista.reporting._report import write_report

__all__ = ["Plot", "plot", "write_report"]
