"""One fund run event by event through the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.backtest._within import sample_period
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import BarArrays, Session, bar_feed
from quantvista.errors import StrategyError
from quantvista.fund.desk import Desk, HistoryBars, OnDecision
from quantvista.market import EventKind
from quantvista.portfolio import Decision, WeightSettings
from quantvista.strategies import Strategy

__all__ = ["Input", "Simulation", "TargetRow", "barriers"]

type Input = tuple[int, dict[str, Any]]
"""Time, UTC ns, and event, for the engine of a run of events."""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """What a sleeve decided at one time: integer weights, shape (n,)."""

    ts: int
    sleeve: int
    weight_e9: NDArray[np.int64]


def barriers(data: MarketData | EventData) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find the barriers of a run, and whether each ends a session.

    Parameters
    ----------
    data : MarketData or EventData
        Its data; without events every bar is a barrier.

    Returns
    -------
    ts : int64, shape (T,)
        UTC nanoseconds.
    session_end : bool, shape (T,)
        Whether it is the last of its session.
    """
    if isinstance(data, MarketData):
        return data.ts, data.session_end
    rows = data.tape.kind == EventKind.BARRIER
    return data.tape.ts_received[rows], (data.tape.flag[rows] & 2) != 0


class _Told:
    """Writes decisions down; apart from `Simulation`, so that its memory goes when it does."""

    def __init__(self, session: Session, config: dict[str, Any], targets: list[TargetRow]) -> None:
        self.also: OnDecision | None = None
        self._session = session
        self._sleeves = [sleeve["id"] for sleeve in config["sleeves"]]
        self._targets = targets

    def __call__(self, sleeve: str, ts: int, ids: Sequence[str], decision: Decision) -> None:
        if self.also is not None:
            self.also(sleeve, ts, ids, decision)
        index = self._sleeves.index(sleeve)
        self._targets.append(TargetRow(self._session.now, index, decision.weight_e9))


@dataclass
class Simulation:
    """A fund on its way through its data.

    Parameters
    ----------
    config : dict
        The engine's, from ``engine_config``.
    data : MarketData or EventData
        Prices, or all that a run of events is told.
    strategies : mapping of str to Strategy
        By sleeve.
    decisions : bool, shape (T,)
        Barriers at which portfolio strategies decide.
    settings : WeightSettings
        How forecasts become weights.
    seed : int
        Of the sleeves' random generators.
    record : {"all", "accounts", "nothing"}
        What is written down at every barrier.
    inputs : sequence of (int, dict)
        What reaches a run of events beside its market data.

    Attributes
    ----------
    targets : list of TargetRow
        What was decided so far.
    desk : Desk
        The strategies.

    Raises
    ------
    MarketDataError
        If the data is too short for a strategy's warm-up.
    StrategyError
        If a strategy's warm-up is no whole number.
    """

    config: dict[str, Any]
    data: MarketData | EventData
    strategies: Mapping[str, Strategy]
    decisions: NDArray[np.bool_]
    settings: WeightSettings
    seed: int = 0
    record: str = "all"
    inputs: Sequence[Input] = ()
    targets: list[TargetRow] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Set up the session, and the strategies beside it."""
        bars = self.data if isinstance(self.data, MarketData) else self.data.bars
        growth = None if isinstance(self.data, MarketData) else self.data.growth
        self._ts, _ = barriers(self.data)
        self.session = self._session()
        self._flags = self.decisions.astype(np.uint8).tobytes()
        self._members = self._memberships(bars)
        self._told = _Told(self.session, self.config, self.targets)
        self.desk = Desk(
            self.session,
            self.config,
            self.strategies,
            self.settings,
            seed=self.seed,
            bars=None if bars is None else HistoryBars(bars, growth),
            rows=len(self._ts),
            has_universe=self._members is not None,
            on_decision=self._told,
        )

    @property
    def on_decision(self) -> OnDecision | None:
        """Told of each decision before the engine is."""
        return self._told.also

    @on_decision.setter
    def on_decision(self, on_decision: OnDecision | None) -> None:
        self._told.also = on_decision

    def _memberships(self, bars: MarketData | None) -> dict[int, NDArray[np.bool_]] | None:
        """Who belongs to the universe at each barrier that decides; None without a universe."""
        if bars is None or bars.universe is None:
            return None
        numbers = np.flatnonzero(self.decisions)
        masks = bars.universe.mask(self._ts[numbers], bars.ids)
        return dict(zip(numbers.tolist(), masks, strict=True))

    def _session(self) -> Session:
        if not isinstance(self.data, MarketData):
            return Session(
                self.config,
                tape=self.data.tape.columns(),
                actions=self.data.engine_actions,
                inputs=self.inputs,
                record=self.record,
                sample_ns=sample_period(self.data.tape.ts_received),
            )
        data = self.data
        bars = BarArrays(
            data.ts,
            data.session_start,
            data.session_end,
            data.close,
            data.open,
            data.high,
            data.low,
            data.volume,
        )
        return Session(self.config, bar_feed(bars, data.instruments), record=self.record)

    def run(self, until: int) -> None:
        """Run up to row ``until``, exclusively.

        Raises
        ------
        StrategyError
            If a strategy raises, or decides what it must not.
        EngineError, MarketDataError
            If the engine refuses an input.
        """
        decide = self._decide if self.desk.has_deciders else None
        try:
            self.session.run(until, self.desk.hosts, decide, self._flags)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.desk.explained(error) from error

    def _decide(self, number: int) -> None:
        members = None if self._members is None else self._members[number]
        self.desk.decide(int(self._ts[number]), members)

    def snapshot(self) -> bytes:
        """State of engine, strategies and their random generators, in versioned bytes."""
        return self.session.snapshot(self.desk.dump())

    def restore(self, snapshot: bytes) -> None:
        """Put a snapshot in the place of the present state.

        What was recorded of later times is dropped; what was recorded before stays. A snapshot
        that is refused changes nothing.

        Raises
        ------
        EngineError
            If the bytes are damaged, of an unknown version or of another run.
        StrategyError
            If a state does not fit its strategy.
        """
        before = self.snapshot()
        states = self.session.restore(snapshot)
        try:
            self.desk.load(states)
        except StrategyError:
            self.desk.load(self.session.restore(before))
            raise
        self.targets[:] = [row for row in self.targets if row.ts <= self.session.now]
