"""Driving a simulation from its first row to its last, recorded or not."""

import json
from collections.abc import Callable
from typing import Any

from quantvista.backtest._simulation import Simulation
from quantvista.backtest.recorded._recorder import Recorder
from quantvista.data import MarketData
from quantvista.fund.records import RunStarted

__all__ = ["Progress", "advance", "begin_recording", "started"]

type Progress = Callable[[int, int, str], None]
"""Called with rows done, rows in all, and what is being done."""

_STEPS = 50
_ROWS_KEPT = 20_000  # of a run that is recorded, in memory


def started(ours: Simulation, config: str, fingerprint: dict[str, Any]) -> RunStarted:
    """Say what a run starts with; where it ends is not known yet."""
    known = {name: value for name, value in fingerprint.items() if name != "state_hash"}
    return RunStarted(
        fund=str(ours.config["fund"]),
        config=config,
        engine=json.dumps(ours.config, sort_keys=True),
        fingerprint=known,
    )


def begin_recording(ours: Simulation, recorder: Recorder, body: RunStarted) -> None:
    """Record a simulation from now on."""
    data = ours.data
    times = data.ts if isinstance(data, MarketData) else data.tape.ts_received
    recorder.begin(ours.session, body, int(times[0]) if times.size else 0)
    ours.on_decision = recorder.decided


def advance(ours: Simulation, tell: Progress, text: str, recorder: Recorder | None = None) -> None:
    """Run to the end, telling of it now and then, and making what is recorded durable."""
    rows = ours.session.rows
    step = max(1, rows // _STEPS)
    if recorder is not None:
        step = min(step, _ROWS_KEPT)
    while ours.session.row < rows:
        tell(ours.session.row, rows, text)
        ours.run(ours.session.row + step)
        if recorder is not None:
            recorder.checkpoint()
    tell(rows, rows, text)
