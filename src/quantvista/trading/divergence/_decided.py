"""Engines whose strategies decide again: the backtest of what was recorded, or of a history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from quantvista.engine import RawEngine, Session
from quantvista.errors import MarketDataError
from quantvista.fund import LoadedFund
from quantvista.fund.desk import (
    DecisionSchedule,
    Desk,
    LiveBars,
    load_strategies,
    look_back,
    weight_settings,
)
from quantvista.journal import INPUT, OUTPUT
from quantvista.trading.divergence._facts import Story, named
from quantvista.trading.divergence._payload import is_market, is_operator
from quantvista.trading.divergence._track import Track, Watch
from quantvista.trading.node._orders import Orders
from quantvista.trading.node._stage import Stage, Told

__all__ = ["decided_again", "decided_on"]

type Past = tuple[LoadedFund, int]
"""Where the bars of the time before are, and when that ends, UTC ns."""

_MOST = 20_000  # inputs that are told at once


class _Stand:
    """Strategies beside an engine with simulated venues, driven as a node drives them."""

    def __init__(
        self,
        name: str,
        loaded: LoadedFund,
        config: Mapping[str, Any],
        grid: Sequence[int],
        past: Past,
    ) -> None:
        self.watch = Watch(name, config, grid)
        self._config = config
        self.session = Session(config, live=True, record="nothing")
        fund = loaded.fund
        strategies, settings = load_strategies(loaded), weight_settings(fund)
        bars = _bars(past, config, look_back(strategies, settings))
        desk = Desk(
            self.session,
            config,
            strategies,
            settings,
            seed=fund.fund.seed,
            bars=bars,
            rows=None if bars is None else len(bars),
        )
        self.stage = Stage(
            self.session,
            desk,
            Orders(fund.fund.name, [(1, 1)]),
            bars,
            DecisionSchedule(fund.portfolio.rebalance, fund.fund.calendar, fund.fund.time_zone),
            [each["price_precision"] for each in config["instruments"]],
            self._write,
        )

    def _write(self, kind: int, _version: int, _ts: int, payload: bytes) -> None:
        if kind == OUTPUT.number:
            self.watch.hear(*named(RawEngine.decode_output(payload)))

    def is_past(self, ts: int) -> bool:
        """Whether equity is to be taken down before a time."""
        due = self.watch.due
        return due is not None and due < ts

    def pass_to(self, ts: int) -> None:
        """Take equity down for what is before a time, after its timers."""
        while (due := self.watch.due) is not None and due < ts:
            self.stage.run_again(self.session.now, max(due, self.session.now))
            self.watch.sample(due + 1, self.session.equity())

    def close(self, ts: int) -> Track:
        """Let timers up to the end fire, and sum up."""
        self.stage.run_again(self.session.now, max(ts, self.session.now))
        session, config = self.session, self._config
        marks = [session.mark(place) for place in range(len(config["instruments"]))]
        sleeves = [session.sleeve_equity(place) for place in range(len(config["sleeves"]))]
        track = self.watch.close(session.equity(), sleeves, marks, session.rates())
        track.failed = self.stage.failed
        return track


def _bars(past: Past, config: Mapping[str, Any], keep: int) -> LiveBars | None:
    """Begin with the bars of the time before, where strategies decide on bars."""
    if not keep:
        return None
    history = past[0].market_data()
    ids = [each["id"] for each in config["instruments"]]
    if list(history.ids) != ids:
        raise MarketDataError(
            f"`data.source` must hold the instruments of the fund, {', '.join(ids)}; found "
            f"{', '.join(history.ids)}"
        )
    return LiveBars.after(history, past[1], keep)


def decided_again(
    story: Story,
    name: str,
    loaded: LoadedFund,
    config: Mapping[str, Any],
    grid: Sequence[int],
    *,
    operators: bool,
) -> Track:
    """Let strategies decide on the market that the fund has seen.

    Parameters
    ----------
    story : Story
        The journal.
    name : str
        Of the track.
    loaded : LoadedFund
        The fund.
    config : mapping
        Of an engine whose venues are simulated.
    grid : sequence of int
        When equity is taken down.
    operators : bool
        Whether operators, people or the node itself, do what they did.

    Raises
    ------
    QuantVistaError
        If the strategies cannot be loaded, or the engine refuses something.
    """
    stand = _Stand(name, loaded, config, grid, (loaded, story.facts.start - 1))
    told: list[Told] = []

    def flush() -> None:
        if told:
            stand.stage.give(told, told[-1][0])
            told.clear()

    for record in story.records(name):
        if record.kind != INPUT.number:
            continue
        if not (is_market(record.payload) or (operators and is_operator(record.payload))):
            continue
        # All of one time is told together.
        if told and record.ts > told[-1][0] and (len(told) >= _MOST or stand.is_past(record.ts)):
            flush()
        if not told:
            stand.pass_to(record.ts)
        told.append((record.ts, *_happened(record.payload)))
    flush()
    return stand.close(story.facts.end_ts)


def _happened(payload: bytes) -> tuple[int, dict[str, Any]]:
    decoded = RawEngine.decode_input(payload)
    return decoded["ts_event"], decoded["event"]


def decided_on(
    told: Iterator[Sequence[Told]],
    name: str,
    loaded: LoadedFund,
    config: Mapping[str, Any],
    grid: Sequence[int],
    past: Past,
    progress: Callable[[int], None],
) -> Track:
    """Let strategies decide on a history.

    Parameters
    ----------
    told : iterator of sequence of (int, int, dict)
        What happens, all of one time together.
    name : str
        Of the track.
    loaded : LoadedFund
        The fund.
    config : mapping
        Of an engine whose venues are simulated.
    grid : sequence of int
        When equity is taken down.
    past : (LoadedFund, int)
        The fund whose bars it begins with, and up to when, UTC ns.
    progress : callable
        Told how many were told.

    Raises
    ------
    QuantVistaError
        If the strategies cannot be loaded, or the engine refuses something.
    """
    stand = _Stand(name, loaded, config, grid, past)
    for count, events in enumerate(told):
        stand.pass_to(events[0][0])
        stand.stage.give(events, events[-1][0])
        progress(count)
    return stand.close(grid[-1])
