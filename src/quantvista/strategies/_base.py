"""The two kinds of strategy, and what they share: parameters and state."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from quantvista.errors import ConfigError, StrategyError
from quantvista.market import Panel
from quantvista.strategies._context import (
    Bar,
    Book,
    Context,
    Fill,
    OrderEvent,
    Quote,
    Timer,
    Trade,
)
from quantvista.strategies._params import StrategyParams, params_error
from quantvista.strategies._result import ComputeResult
from quantvista.strategies._signals import checked_features, last_values
from quantvista.strategies._state import STATE_CONFIG, dump, load, state_adapter

__all__ = ["EventStrategy", "Exposure", "PortfolioStrategy", "Strategy", "Weighting"]

Exposure = Literal["signal", "full"]
Weighting = Literal["inverse_volatility", "equal"]


class Strategy(ABC):
    """What portfolio and event strategies share. Derive from one of those two.

    Attributes
    ----------
    Params : type
        Nested model of the parameters; derive it from `StrategyParams`.
    State : type or None
        Nested dataclass of what the strategy remembers between calls, each field with a default.
    params : StrategyParams
        The validated parameters of this instance.
    state : object
        A fresh ``State()``, or None. It is saved with the engine's snapshots; nothing else
        that the instance remembers survives a restart.

    Notes
    -----
    A strategy does no input or output and reads no clock: its only clock and randomness are
    ``ctx.clock`` and ``ctx.rng``. Module level variables are shared by all sleeves that use
    the same file, so keep what changes in ``state``.
    """

    Params: ClassVar[type[StrategyParams]] = StrategyParams
    State: ClassVar[type[Any] | None] = None
    params: StrategyParams
    state: Any

    def __init_subclass__(cls) -> None:
        """Refuse a ``Params`` or ``State`` of the wrong kind where it is written."""
        super().__init_subclass__()
        params: object = cls.Params
        if not (isinstance(params, type) and issubclass(params, StrategyParams)):
            raise StrategyError(
                f"`Params` must derive from StrategyParams; found {params!r}; "
                f"strategy {cls.__name__!r}"
            )
        state = cls.State
        if state is None:
            return
        if not (isinstance(state, type) and is_dataclass(state)):
            raise StrategyError(
                f"`State` must be a dataclass (write @dataclass above it); found {state!r}; "
                f"strategy {cls.__name__!r}"
            )
        if "__pydantic_config__" not in vars(state):
            state.__pydantic_config__ = STATE_CONFIG  # type: ignore[attr-defined]

    def __init__(self, params: StrategyParams | None = None, /, **values: object) -> None:
        """Validate the parameters and start with a fresh state."""
        name = type(self).__name__
        if params is None:
            try:
                params = self.Params(**values)
            except ValidationError as error:
                raise params_error(error, self.Params, name) from None
        elif values or not isinstance(params, self.Params):
            raise ConfigError(
                f"`params` must be one {name}.Params, or keyword arguments; "
                f"found {type(params).__name__} and {sorted(values)}; strategy {name!r}"
            )
        self.params = params
        self.state = None
        if self.State is not None:
            try:
                self.state = self.State()
            except TypeError as error:
                raise StrategyError(
                    f"`State` must have a default for every field; found {error}; strategy {name!r}"
                ) from None
            _adapter(self)

    def dump_state(self) -> bytes:
        """Serialise the state: JSON of the ``State`` dataclass, empty without one.

        Floats are written so that they read back as the same bits, NaN and infinities included.

        Raises
        ------
        StrategyError
            If a field holds something else than its annotation says, or what the bytes cannot
            hold, such as an attribute that is no field.
        """
        if self.State is None:
            return b""
        return dump(_adapter(self), self.state, type(self).__name__)

    def load_state(self, data: bytes) -> None:
        """Replace the state by what `dump_state` wrote.

        Raises
        ------
        StrategyError
            If ``data`` does not fit the ``State`` of this class.
        """
        name = type(self).__name__
        if self.State is None:
            if data:
                raise StrategyError(
                    f"`data` must be empty without a State; found {len(data)} bytes; "
                    f"strategy {name!r}"
                )
            return
        self.state = load(_adapter(self), data, name)


class PortfolioStrategy(Strategy):
    """A strategy that gives each instrument a forecast, from trailing prices.

    Derived classes define ``warm_up`` and ``forecast``.

    Attributes
    ----------
    exposure : {"signal", "full"}
        ``"signal"``: the sleeve invests in proportion to how many instruments it likes, the
        rest stays cash. ``"full"``: the sleeve is fully invested in those that it likes.
    weighting : {"inverse_volatility", "equal"} or None
        Overrides the fund's ``weighting`` where the strategy means one in particular.

    Examples
    --------
    >>> class LastUp(PortfolioStrategy):
    ...     warm_up = 2
    ...     def forecast(self, panel):
    ...         return np.sign(panel.close[-1] - panel.close[-2])
    >>> LastUp().warm_up
    2
    """

    exposure: ClassVar[Exposure] = "signal"
    weighting: ClassVar[Weighting | None] = None

    def __init_subclass__(cls) -> None:
        """Refuse an unknown ``exposure`` or ``weighting`` where it is written."""
        super().__init_subclass__()
        _check_choice(cls, "exposure", ("signal", "full"))
        _check_choice(cls, "weighting", ("inverse_volatility", "equal", None))

    @property
    def features(self) -> Mapping[str, str]:
        """Expressions by name that the strategy decides by; a run says them in its assumptions."""
        return {}

    def signals(
        self, panel: Panel, columns: Mapping[str, NDArray[np.float64]] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Compute `features` as of now.

        Parameters
        ----------
        panel : Panel
            Whose ``close`` they read.
        columns : mapping of str to float64, shape (bars, n), or None
            What they read besides, or instead of ``close``.

        Returns
        -------
        dict of str to float64, shape (n,)
            NaN where there is no value, by the rules of features: what is missing is left out.
            Operators that never forget, such as ``ema``, remember no more than the panel has.

        Raises
        ------
        ConfigError
            If an expression cannot be read.

        Examples
        --------
        >>> class Near(PortfolioStrategy):
        ...     warm_up = 3
        ...     features = {"gap": "close / mean(close, 3) - 1"}
        ...     def forecast(self, panel):
        ...         return np.clip(self.signals(panel)["gap"], -1.0, 1.0)
        >>> Near().forecast(Panel(("A.X",), ("",), [1, 2, 3], [[1.0], [2.0], [3.0]]))
        array([0.5])
        """
        named = checked_features(self.features, type(self).__name__)
        return last_values(named, {"close": panel.close, **(columns or {})})

    @property
    @abstractmethod
    def warm_up(self) -> int:
        """Rows of the panel that a forecast needs, at least 1; it is shown exactly these."""

    @abstractmethod
    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        """Forecast every instrument of the panel.

        Parameters
        ----------
        panel : Panel
            ``warm_up`` trailing rows; the last one is now. ``panel.close`` is read-only, shape
            (bars, n), NaN where an instrument has no bar.

        Returns
        -------
        float64, shape (n,)
            In [-1, 1]; NaN is "no view". Funds are long-only for now: a negative forecast
            holds nothing, as 0 does.
        """


class EventStrategy(Strategy):
    """A strategy that answers events with orders. Override what you need.

    Handlers that a class does not override are never called, so they cost nothing. All events of
    one time have reached the engine before the first handler is called: what ``ctx`` says is as of
    that time.

    Examples
    --------
    >>> class BuyOnce(EventStrategy):
    ...     def on_bar(self, ctx, bar):
    ...         if ctx.position(bar.instrument) == 0:
    ...             ctx.submit(bar.instrument, "buy", 1)
    >>> sorted(BuyOnce().handlers())
    ['on_bar']
    """

    def __init_subclass__(cls) -> None:
        """Refuse handlers that are named otherwise than by writing them."""
        super().__init_subclass__()
        if "handlers" in vars(cls):
            raise StrategyError(
                f"`handlers` must not be overridden; define `on_bar`, `on_fill` and others; "
                f"strategy {cls.__name__!r}"
            )

    warm_up: int = 0
    """Barriers that it must have seen before it can trade; a shorter run makes no sense."""

    @property
    def universe(self) -> Sequence[str] | None:
        """Ids of the instruments whose quotes, trades, books and bars it is told of; None for all.

        It may read and trade the others too, and hears of its orders and fills in them.
        """
        return None

    @classmethod
    def handlers(cls) -> frozenset[str]:
        """Names of the handlers that this class overrides."""
        names = [name for name in vars(EventStrategy) if name.startswith("on_")]
        return frozenset(
            name for name in names if getattr(cls, name) is not getattr(EventStrategy, name)
        )

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Answer a new best bid and ask."""

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        """Answer a trade of others."""

    def on_book(self, ctx: Context, book: Book) -> None:
        """Answer a change of a book, when all of its message has come."""

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Answer a new bar; orders made now first match at the next barrier."""

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Answer a fill of one of this sleeve's orders, or a settlement."""

    def on_order(self, ctx: Context, order: OrderEvent) -> None:
        """Answer a change of one of this sleeve's orders; of a fill, before ``on_fill``."""

    def on_timer(self, ctx: Context, timer: Timer) -> None:
        """Answer a timer that ``ctx.set_timer`` asked for."""

    def on_result(self, ctx: Context, result: ComputeResult) -> None:
        """Answer the end of a computation that ``ctx.compute`` asked for, whatever it was."""


def _check_choice(cls: type[Strategy], name: str, allowed: tuple[str | None, ...]) -> None:
    value = getattr(cls, name)
    if value not in allowed:
        raise StrategyError(
            f"`{name}` must be one of {allowed}; found {value!r}; strategy {cls.__name__!r}"
        )


def _adapter(strategy: Strategy) -> TypeAdapter[Any]:
    """Build the serialiser of a class's ``State`` once, and keep it on the class."""
    cls = type(strategy)
    assert cls.State is not None, "only called with a State"
    kept: TypeAdapter[Any] | None = vars(cls).get("_state_adapter")
    if kept is not None:
        return kept
    adapter = state_adapter(cls.State, cls.__name__)
    cls._state_adapter = adapter  # type: ignore[attr-defined]
    return adapter
