"""Keeps the processes of a fund running: starts, watches, restarts and stops them in order.

`plan` reads from a fund file which processes there are; `Supervisor` runs them; `stop_fund` ends
from outside what runs in a state folder, with a supervisor or without.
"""

from quantvista.trading.supervisor._logs import LogFile, last_lines
from quantvista.trading.supervisor._plan import plan
from quantvista.trading.supervisor._program import Program, Timing
from quantvista.trading.supervisor._stop import stop_fund
from quantvista.trading.supervisor._supervisor import Supervisor
from quantvista.trading.supervisor._units import unit_file

__all__ = [
    "LogFile",
    "Program",
    "Supervisor",
    "Timing",
    "last_lines",
    "plan",
    "stop_fund",
    "unit_file",
]
