"""Running a recorded fund again from its data."""

import os
from typing import Any

from quantvista.backtest._setup import fingerprint, simulation
from quantvista.backtest.recorded._driving import Progress, advance, begin_recording, started
from quantvista.backtest.recorded._recorder import Recorder
from quantvista.backtest.recorded._replay import Replay, replay
from quantvista.errors import QuantVistaError, printable
from quantvista.fund import LoadedFund, fund_hash, resolved_toml
from quantvista.fund.desk import load_strategies
from quantvista.fund.records import RunStarted

__all__ = ["derive"]


def derive(
    folder: str | os.PathLike[str], loaded: LoadedFund, *, progress: Progress | None = None
) -> tuple[Replay, list[str]]:
    """Replay a run at level R2: data, features and strategies are gone through again.

    Parameters
    ----------
    folder : path
        The journal of the run.
    loaded : LoadedFund
        The fund that was run, where its data and strategies are.
    progress : callable, optional
        Called with ``(done, total, text)`` now and then.

    Returns
    -------
    Replay
        With the first difference.
    list of str
        What is not as it was when the run was recorded: the reasons to look at first.

    Raises
    ------
    ConfigError, MarketDataError, StrategyError, JournalError
        If there is nothing to compare, or the run does not get as far as the recorded one.
    """
    changed: list[str] = []
    tell = progress or _silent

    def rerun(recorded: RunStarted, recorder: Recorder) -> None:
        strategies = load_strategies(loaded)
        data = loaded.event_data() if loaded.needs_events else loaded.market_data()
        ours = simulation(loaded, data, strategies)
        found = fingerprint(fund_hash(loaded), data, "")
        body = started(ours, resolved_toml(loaded.fund), found)
        changed.extend(_changes(recorded, body))
        begin_recording(ours, recorder, body)
        try:
            advance(ours, tell, loaded.fund.fund.name, recorder)
        except QuantVistaError as error:
            # The recorded run may have failed there as well: that is then what must come again.
            recorder.end("failed", printable(error))
        else:
            recorder.end("complete")

    return replay(folder, rerun=rerun), changed


def _changes(recorded: RunStarted, now: RunStarted) -> list[str]:
    """Say which parts of the fingerprint differ."""
    before, after = recorded.fingerprint, now.fingerprint
    found = []
    if before.get("data") != after.get("data"):
        found.append("The data is not the same.")
    if recorded.config != now.config:
        found.append("The fund file says something else.")
    elif before.get("fund") != after.get("fund"):
        found.append("A strategy's file has changed.")
    if before.get("semantics") != after.get("semantics"):
        found.append("The engine's semantics have changed.")
    found += _versions("code", before, after) + _versions("environment", before, after)
    return found


def _versions(part: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    old, new = before.get(part, {}), after.get(part, {})
    return [
        f"{name} was {old.get(name)}, and is {new.get(name)}."
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _silent(_done: int, _total: int, _text: str) -> None:
    return
