"""Run a fund over history, event by event, and record what happened."""

from quantvista.backtest._causality import FundFinding, check_fund
from quantvista.backtest._outcome import Outcome
from quantvista.backtest._output import RunFolder, out_path
from quantvista.backtest._run import Progress, run
from quantvista.backtest._simulation import Simulation

__all__ = [
    "FundFinding",
    "Outcome",
    "Progress",
    "RunFolder",
    "Simulation",
    "check_fund",
    "out_path",
    "run",
]
