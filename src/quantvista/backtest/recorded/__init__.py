"""Recorded runs: what a run was told, decided and did, in a journal that proves and explains it."""

from quantvista.backtest.recorded._derive import derive
from quantvista.backtest.recorded._explain import Explanation, Happening, explain
from quantvista.backtest.recorded._recorder import Recorder, RunJournal
from quantvista.backtest.recorded._replay import Parting, Replay, replay
from quantvista.fund.records import RUN_KINDS, Decided, RunEnded, RunStarted

__all__ = [
    "RUN_KINDS",
    "Decided",
    "Explanation",
    "Happening",
    "Parting",
    "Recorder",
    "Replay",
    "RunEnded",
    "RunJournal",
    "RunStarted",
    "derive",
    "explain",
    "replay",
]
