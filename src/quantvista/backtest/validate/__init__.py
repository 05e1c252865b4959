"""Is the engine right? Random sessions through it and through NautilusTrader, fill by fill."""

from quantvista.backtest.validate._nautilus import find_python
from quantvista.backtest.validate._report import Finding, Report
from quantvista.backtest.validate._rules import RULES, Rule
from quantvista.backtest.validate._session import KINDS, Kind
from quantvista.backtest.validate._validate import validate

__all__ = ["KINDS", "RULES", "Finding", "Kind", "Report", "Rule", "find_python", "validate"]
