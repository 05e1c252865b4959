"""One fund run event by event through the engine."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.backtest._within import sample_period
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import BarArrays, Context, Session, SessionClock, bar_feed
from quantvista.errors import ConfigError, MarketDataError, QuantVistaError, StrategyError
from quantvista.market import EventKind, Panel
from quantvista.portfolio import Decision, WeightSettings, decide_weights, rows_needed
from quantvista.strategies import (
    EventStrategy,
    PortfolioStrategy,
    Strategy,
    checked_warm_up,
    dump_rng,
    load_rng,
    make_rng,
    run_guarded,
    strategy_error,
)

__all__ = ["Input", "Simulation", "TargetRow", "barriers"]

type Handler = Callable[..., object]

type Input = tuple[int, dict[str, Any]]
"""Time, UTC ns, and event, for the engine of a run of events."""


type OnDecision = Callable[[str, int, Sequence[str], Decision], None]
"""Told of a decision before the engine is: sleeve, time of the last bar, instruments."""


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
    on_decision : callable or None
        Told of each decision before the engine is.

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
    on_decision: OnDecision | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Set up the session and what strategies are given."""
        self._bars = self.data if isinstance(self.data, MarketData) else self.data.bars
        self._growth = None if isinstance(self.data, MarketData) else self.data.growth
        self._ts, _ = barriers(self.data)
        self.session = self._session()
        self._flags = self.decisions.astype(np.uint8).tobytes()
        self._sleeves = [sleeve["id"] for sleeve in self.config["sleeves"]]
        self._rngs = [make_rng(self.seed, sleeve) for sleeve in self._sleeves]
        self._deciders: list[tuple[int, PortfolioStrategy, int]] = []
        self._hosts: list[tuple[int, Context, dict[str, Handler], list[int] | None]] = []
        self._members = self._memberships()
        for index, sleeve in enumerate(self._sleeves):
            self._host(index, self.strategies[sleeve])

    def _memberships(self) -> dict[int, NDArray[np.bool_]] | None:
        """Who belongs to the universe at each barrier that decides; None without a universe."""
        if self._bars is None or self._bars.universe is None:
            return None
        numbers = np.flatnonzero(self.decisions)
        masks = self._bars.universe.mask(self._ts[numbers], self._bars.ids)
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

    def _host(self, index: int, strategy: Strategy) -> None:
        rows = len(self._ts)
        assert isinstance(strategy, PortfolioStrategy | EventStrategy), "the loader has checked"
        warm_up = checked_warm_up(strategy)
        if warm_up > rows:
            raise MarketDataError(
                f"`data` must have at least {warm_up} bars for the warm-up of "
                f"{type(strategy).__name__!r}; found {rows}; sleeve {self._sleeves[index]!r}"
            )
        if isinstance(strategy, PortfolioStrategy):
            if self._bars is None:
                raise MarketDataError(
                    f"`data.source` must name bars for the portfolio strategy "
                    f"{type(strategy).__name__!r}; found events only; "
                    f"sleeve {self._sleeves[index]!r}"
                )
            self._deciders.append((index, strategy, rows_needed(strategy, self.settings)))
        elif self._members is not None:
            raise ConfigError(
                "`data.universe` must come with portfolio strategies, which decide for its "
                f"members; found the event strategy {type(strategy).__name__!r}; "
                f"sleeve {self._sleeves[index]!r}"
            )
        else:
            clock = SessionClock(self.session)
            context = Context(self.session, index, clock, self._rngs[index])
            handlers = {name: getattr(strategy, name) for name in type(strategy).handlers()}
            self._hosts.append((index, context, handlers, self._universe(index, strategy)))

    def _universe(self, index: int, strategy: EventStrategy) -> list[int] | None:
        """Places of the instruments that a strategy wants to hear of."""
        wanted = run_guarded(strategy, "universe", lambda: strategy.universe)
        if wanted is None:
            return None
        places = {name: place for place, name in enumerate(self.data.ids)}
        for name in wanted:
            if name not in places:
                raise StrategyError(
                    f"`universe` must name instruments of the fund; found {name!r} of strategy "
                    f"{type(strategy).__name__!r}; sleeve {self._sleeves[index]!r}"
                )
        return sorted({places[name] for name in wanted})

    def run(self, until: int) -> None:
        """Run up to row ``until``, exclusively.

        Raises
        ------
        StrategyError
            If a strategy raises, or decides what it must not.
        EngineError, MarketDataError
            If the engine refuses an input.
        """
        decide = self._decide if self._deciders else None
        try:
            self.session.run(until, self._hosts, decide, self._flags)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self._explained(error) from error

    def _explained(self, error: BaseException) -> BaseException:
        """Say which strategy raised, where strategy code ran when it happened."""
        if isinstance(error, QuantVistaError) or self.session.calling is None:
            return error  # it says all there is to say
        if type(error).__module__ == "pyo3_runtime":
            return error  # the engine broke down, which no strategy is to blame for
        sleeve, handler, instrument, ts = self.session.calling
        name = self._sleeves[sleeve]
        return strategy_error(
            error, self.strategies[name], handler, instrument=instrument, ts=ts, sleeve=name
        )

    def _decide(self, number: int) -> None:
        bars = self._bars
        assert bars is not None, "a decider needs bars"
        # The last bar that is known: of a run of events, not every barrier is one of a bar.
        row = int(np.searchsorted(bars.ts, self._ts[number], side="right")) - 1
        if row < 0:
            return
        places = [self.data.ids.index(name) for name in bars.ids]
        for index, strategy, rows in self._deciders:
            members = None if self._members is None else self._members[number]
            decision = self._decision(bars, row, self._sleeves[index], strategy, rows, members)
            weights = decision.weight_e9
            if self.on_decision is not None:
                self.on_decision(self._sleeves[index], int(bars.ts[row]), bars.ids, decision)
            self.targets.append(TargetRow(self.session.now, index, weights))
            self.session.submit_targets(index, list(zip(places, weights.tolist(), strict=True)))

    def _decision(
        self,
        data: MarketData,
        row: int,
        sleeve: str,
        strategy: PortfolioStrategy,
        rows: int,
        members: NDArray[np.bool_] | None,
    ) -> Decision:
        window = slice(max(0, row + 1 - rows), row + 1)
        close = data.close[window]
        if self._growth is not None:  # prices as of now: no split or dividend is taken for a move
            close = close * (self._growth[window] / self._growth[row])
        panel = Panel(data.ids, data.sectors, data.ts[window], close)
        return decide_weights(strategy, panel, self.settings, sleeve=sleeve, members=members)

    def snapshot(self) -> bytes:
        """State of engine, strategies and their random generators, in versioned bytes."""
        states = [
            json.dumps(
                [self.strategies[sleeve].dump_state().decode(), dump_rng(rng).decode()]
            ).encode()
            for sleeve, rng in zip(self._sleeves, self._rngs, strict=True)
        ]
        return self.session.snapshot(states)

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
            self._load_states(states)
        except StrategyError:
            self._load_states(self.session.restore(before))
            raise
        self.targets = [row for row in self.targets if row.ts <= self.session.now]

    def _load_states(self, states: Sequence[bytes]) -> None:
        for sleeve, rng, packed in zip(self._sleeves, self._rngs, states, strict=True):
            state, rng_state = json.loads(packed)
            self.strategies[sleeve].load_state(state.encode())
            load_rng(rng, rng_state.encode())
