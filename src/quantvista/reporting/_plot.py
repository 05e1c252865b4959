"""A plot for notebooks: the report's equity and drawdown charts in a frame of their own."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from quantvista.backtest._frames import RunFrames
from quantvista.reporting._page import plot_page

__all__ = ["Plot", "plot"]


class Plot:
    """Equity and drawdown; shows itself at the end of a notebook cell.

    Parameters
    ----------
    page : str
        A whole page of HTML.
    label : str
        What ``repr`` says.
    """

    def __init__(self, page: str, label: str) -> None:
        self.html = page
        self._label = label

    def __repr__(self) -> str:
        return f"<Plot of {self._label}; .save(path) writes it>"

    def _repr_html_(self) -> str:
        """Return a frame, so that neither page can disturb the other."""
        return (
            '<iframe style="width:100%;height:660px;border:0" sandbox="allow-scripts" '
            f'srcdoc="{escape(self.html)}"></iframe>'
        )

    def save(self, path: Path | str) -> Path:
        """Write the plot as a page that stands by itself, and return where."""
        path = Path(path)
        path.write_text(self.html, "utf-8", newline="\n")
        return path


def plot(frames: RunFrames, summary: Mapping[str, Any]) -> Plot:
    """Plot a run.

    Parameters
    ----------
    frames : RunFrames
        Its tables.
    summary : mapping
        Its summary.

    Returns
    -------
    Plot
        With ``_repr_html_`` for notebooks.
    """
    fund, period = summary["fund"], summary["period"]
    return Plot(plot_page(frames, summary), f"{fund['name']}, {period['start']} to {period['end']}")
