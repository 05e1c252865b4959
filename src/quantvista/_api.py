"""What a notebook uses: run a fund, look at the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from quantvista import backtest
from quantvista.backtest import Outcome, Progress, RunFolder, out_path
from quantvista.fund import Fund, LoadedFund
from quantvista.reporting import Plot, plot, report_html, write_report

__all__ = ["Result", "run"]


@dataclass(frozen=True)
class Result(Outcome):
    """Results of a run, with what people look at.

    ``.equity``, ``.fills``, ``.orders``, ``.positions``, ``.sleeves``, ``.targets`` and
    ``.verdicts`` are polars frames with floats; ``.tables`` has the same with exact decimals;
    ``.metrics`` are floats by name and ``.summary`` is everything that ``summary.json`` says.
    """

    def __repr__(self) -> str:
        return f"<Result: {self.summary['verdict']}>"

    def plot(self) -> Plot:
        """Plot equity and drawdown against the benchmark; shows itself in a notebook."""
        return plot(self.frames, self.summary)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def report(self, out: str | PathLike[str] | None = None) -> Path:
        """Write the report, and the run's tables beside it if they are not written yet.

        Parameters
        ----------
        out : path, optional
            The run folder; by default where the run was written, else ``out/NAME``.

        Returns
        -------
        pathlib.Path
            The page, ``report.html``.

        Raises
        ------
        ConfigError
            If the folder holds an input of the run, or such files of another origin.
        OutputError
            If it cannot be written.
        """
        if out is None and self.out is not None:
            return write_report(self.out)
        target = out_path(out if out is not None else Path("out") / self._name)
        page = report_html(self.frames, self.summary, self.config)
        with RunFolder(target, self.inputs) as folder:
            self.write(folder, {"report.html": page})
        return target / "report.html"

    @property
    def _name(self) -> str:
        return str(self.summary["fund"]["name"])


def run(
    fund: str | PathLike[str] | Mapping[str, Any] | Fund | LoadedFund,
    *,
    out: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run a fund and return its result.

    Parameters
    ----------
    fund : path, mapping, Fund or LoadedFund
        A fund file, or in Python what it holds; a sleeve's ``strategy`` may then be a class.
    out : path, optional
        Folder for the outputs; without it nothing is written.
    progress : callable, optional
        Called with ``(done, total, text)``.

    Returns
    -------
    Result
        Frames, metrics, plot and report.

    Raises
    ------
    QuantVistaError
        A subclass that says what is wrong: fund, data, strategy, or writing.

    Examples
    --------
    >>> import quantvista as qv
    >>> result = qv.run({
    ...     "fund": {"name": "tiny", "cash": "10000.00"},
    ...     "data": {"source": "sample:sp500", "start": "2021-01-04", "end": "2022-12-28"},
    ...     "sleeve": [{"id": "all", "strategy": "equal_weight"}],
    ... })
    >>> result.fills.height > 10, result.summary["status"]
    (True, 'complete')
    """
    outcome = backtest.run(fund, out=out, progress=progress)
    return Result(outcome.tables, outcome.summary, outcome.config, outcome.out, outcome.inputs)
