"""Strategies in a session: what they are given, what they decide, and what is kept of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.engine import Context, Session, SessionClock
from quantvista.errors import ConfigError, MarketDataError, QuantVistaError, StrategyError
from quantvista.fund._load import LoadedFund
from quantvista.fund._model import Fund
from quantvista.fund.desk._bars import BarSource
from quantvista.fund.desk._compute import Answer, Asked, AtOnce, Bureau, Computer
from quantvista.portfolio import Decision, WeightSettings, decide_weights, rows_needed
from quantvista.strategies import (
    EventStrategy,
    PortfolioStrategy,
    Strategy,
    checked_warm_up,
    dump_rng,
    load_rng,
    load_strategy,
    make_rng,
    run_guarded,
    strategy_error,
)

__all__ = ["Desk", "OnDecision", "load_strategies", "look_back", "weight_settings"]

type Handler = Callable[..., object]
type Host = tuple[int, Context, dict[str, Handler], list[int] | None]

type OnDecision = Callable[[str, int, Sequence[str], Decision], None]
"""Told of a decision before the engine is: sleeve, time of the last bar, instruments."""


def _unheard(_asked: Asked, _answer: Answer) -> None:
    """Nobody writes it down: in a run it comes of the data, as all else."""


@dataclass
class Desk:
    """The strategies of a fund, beside the session of an engine.

    Parameters
    ----------
    session : Session
        What they trade in.
    config : dict
        What the session was set up with.
    strategies : mapping of str to Strategy
        By sleeve.
    settings : WeightSettings
        How forecasts become weights.
    seed : int
        Of the sleeves' random generators.
    bars : BarSource or None
        What portfolio strategies decide on.
    rows : int or None
        Bars that there are, which the warm-ups must fit in; None: not looked at.
    has_universe : bool
        Whether decisions are for members of a universe.
    on_decision : callable or None
        Told of each decision before the engine is.

    Attributes
    ----------
    hosts : list
        Event strategies, as ``Session.run`` takes them.
    computer : Computer
        Where what strategies ask for is computed; by default at once, in simulated time.
    on_answer : callable
        Told of each answer before its strategy is.

    Raises
    ------
    MarketDataError
        If there are too few bars for a warm-up.
    StrategyError
        If a warm-up is no whole number, or a strategy wants instruments that are not there.
    ConfigError
        If an event strategy comes with a universe.
    """

    session: Session
    config: Mapping[str, Any]
    strategies: Mapping[str, Strategy]
    settings: WeightSettings
    seed: int = 0
    bars: BarSource | None = None
    rows: int | None = None
    has_universe: bool = False
    on_decision: OnDecision | None = None
    hosts: list[Host] = field(default_factory=list, init=False)
    computer: Computer = field(default_factory=AtOnce, init=False)
    on_answer: Callable[[Asked, Answer], None] = field(default_factory=lambda: _unheard, init=False)

    def __post_init__(self) -> None:
        """Give every strategy its place."""
        self._places = {each["id"]: at for at, each in enumerate(self.config["instruments"])}
        self._sleeves = [sleeve["id"] for sleeve in self.config["sleeves"]]
        self._rngs = [make_rng(self.seed, sleeve) for sleeve in self._sleeves]
        self._bureaus = [
            Bureau(each, lambda: self.computer, lambda asked, answer: self.on_answer(asked, answer))
            for each in range(len(self._sleeves))
        ]
        self._deciders: list[tuple[int, PortfolioStrategy, int]] = []
        for index, sleeve in enumerate(self._sleeves):
            self._host(index, self.strategies[sleeve])

    @property
    def has_deciders(self) -> bool:
        """Whether any strategy decides on bars."""
        return bool(self._deciders)

    def _host(self, index: int, strategy: Strategy) -> None:
        assert isinstance(strategy, PortfolioStrategy | EventStrategy), "the loader has checked"
        warm_up = checked_warm_up(strategy)
        if self.rows is not None and warm_up > self.rows:
            raise MarketDataError(
                f"`data` must have at least {warm_up} bars for the warm-up of "
                f"{type(strategy).__name__!r}; found {self.rows}; sleeve {self._sleeves[index]!r}"
            )
        if isinstance(strategy, PortfolioStrategy):
            if self.bars is None:
                raise MarketDataError(
                    f"`data.source` must name bars for the portfolio strategy "
                    f"{type(strategy).__name__!r}; found events only; "
                    f"sleeve {self._sleeves[index]!r}"
                )
            self._deciders.append((index, strategy, rows_needed(strategy, self.settings)))
        elif self.has_universe:
            raise ConfigError(
                "`data.universe` must come with portfolio strategies, which decide for its "
                f"members; found the event strategy {type(strategy).__name__!r}; "
                f"sleeve {self._sleeves[index]!r}"
            )
        else:
            clock = SessionClock(self.session)
            context = Context(self.session, index, clock, self._rngs[index])
            handlers = {name: getattr(strategy, name) for name in type(strategy).handlers()}
            if "on_result" in handlers:
                self._bureaus[index].hosted(context, handlers)
            self.hosts.append((index, context, handlers, self._universe(index, strategy)))

    def _universe(self, index: int, strategy: EventStrategy) -> list[int] | None:
        """Places of the instruments that a strategy wants to hear of."""
        wanted = run_guarded(strategy, "universe", lambda: strategy.universe)
        if wanted is None:
            return None
        for name in wanted:
            if name not in self._places:
                raise StrategyError(
                    f"`universe` must name instruments of the fund; found {name!r} of strategy "
                    f"{type(strategy).__name__!r}; sleeve {self._sleeves[index]!r}"
                )
        return sorted({self._places[name] for name in wanted})

    def decide(self, ts: int, members: NDArray[np.bool_] | None = None) -> None:
        """Ask every portfolio strategy what it wants to hold, and tell the engine.

        Before the first bar nothing is decided.

        Parameters
        ----------
        ts : int
            Now, UTC nanoseconds.
        members : bool, shape (n,), or None
            Who of ``bars.ids`` belongs to the universe now; None: all.

        Raises
        ------
        StrategyError
            If a strategy raises, or decides what it must not.
        """
        bars = self.bars
        assert bars is not None, "a decider needs bars"
        for index, strategy, rows in self._deciders:
            panel = bars.trailing(ts, rows)
            if panel is None:
                return
            sleeve = self._sleeves[index]
            decision = decide_weights(
                strategy, panel, self.settings, sleeve=sleeve, members=members
            )
            if self.on_decision is not None:
                self.on_decision(sleeve, panel.now, bars.ids, decision)
            weights = zip(bars.ids, decision.weight_e9.tolist(), strict=True)
            targets = [(self._places[name], weight) for name, weight in weights]
            self.session.submit_targets(index, targets)

    def explained(self, error: BaseException) -> BaseException:
        """Say which strategy raised, where strategy code ran when it happened."""
        if isinstance(error, QuantVistaError) or self.session.calling is None:
            return error  # it says all there is to say
        if type(error).__module__ == "pyo3_runtime":
            return error  # the engine broke down, which no strategy is to blame for
        sleeve, handler, instrument, ts = self.session.calling
        if isinstance(error, AttributeError) and error.name in ("compute", "awaited"):
            text = f"{error}; a strategy that computes must define `on_result`"
            error = AttributeError(text).with_traceback(error.__traceback__)
        name = self._sleeves[sleeve]
        return strategy_error(
            error, self.strategies[name], handler, instrument=instrument, ts=ts, sleeve=name
        )

    def dump(self) -> list[bytes]:
        """State of each sleeve's strategy and random generator, for ``Session.snapshot``.

        What is awaited is part of it. What it comes to is too, but in a running fund, where it is
        lost with the process.
        """
        found = []
        for sleeve, rng, bureau in zip(self._sleeves, self._rngs, self._bureaus, strict=True):
            state = [self.strategies[sleeve].dump_state().decode(), dump_rng(rng).decode()]
            found.append(json.dumps([*state, *bureau.dump()]).encode())
        return found

    def load(self, states: Sequence[bytes]) -> None:
        """Go on from what `dump` gave.

        Raises
        ------
        StrategyError
            If a state does not fit its strategy; those before it have taken theirs.
        """
        each = zip(self._sleeves, self._rngs, self._bureaus, states, strict=True)
        for sleeve, rng, bureau, packed in each:
            state, rng_state, *computing = json.loads(packed)
            bureau.load(computing)
            self.strategies[sleeve].load_state(state.encode())
            load_rng(rng, rng_state.encode())


def load_strategies(loaded: LoadedFund) -> dict[str, Strategy]:
    """Strategies by sleeve."""
    return {
        sleeve.id: load_strategy(sleeve.strategy, loaded.base, sleeve.params)
        for sleeve in loaded.fund.sleeve
    }


def look_back(strategies: Mapping[str, Strategy], settings: WeightSettings) -> int:
    """Rows of bars that decisions look back on; 0 where no strategy decides on bars."""
    deciders = [each for each in strategies.values() if isinstance(each, PortfolioStrategy)]
    return max((rows_needed(each, settings) for each in deciders), default=0)


def weight_settings(fund: Fund, *, with_caps: bool = True) -> WeightSettings:
    """How forecasts become weights; with the caps of ``[risk]``, or without."""
    return WeightSettings(
        weighting=fund.portfolio.weighting,
        volatility_window=fund.portfolio.volatility_window,
        weight_max=_float(fund.risk.weight_max) if with_caps else None,
        sector_max=_float(fund.risk.sector_max) if with_caps else None,
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
