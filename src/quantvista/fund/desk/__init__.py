"""What decides: strategies with their state, the prices they see, and when they are asked.

Backtests and running funds use the same one, so that a decision does not depend on which it is.
"""

from quantvista.fund.desk._bars import BarSource, HistoryBars, LiveBars
from quantvista.fund.desk._compute import Answer, Asked, AtOnce, Computer, Work, carried_out
from quantvista.fund.desk._desk import (
    Desk,
    OnDecision,
    load_strategies,
    look_back,
    weight_settings,
)
from quantvista.fund.desk._schedule import DecisionSchedule, decision_rows

__all__ = [
    "Answer",
    "Asked",
    "AtOnce",
    "BarSource",
    "Computer",
    "DecisionSchedule",
    "Desk",
    "HistoryBars",
    "LiveBars",
    "OnDecision",
    "Work",
    "carried_out",
    "decision_rows",
    "load_strategies",
    "look_back",
    "weight_settings",
]
