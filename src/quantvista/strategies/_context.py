"""What an event strategy is given. Typing only: runs and live trading supply the objects.

Units: money is in the currency of the fund and prices are in that of the instrument, unless it
says otherwise, quantities in units of the instrument, times in integer nanoseconds since
1970-01-01 UTC. All are floats made from the engine's exact integers; what the engine books never
comes from them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from numpy.random import Generator

from quantvista.strategies._told import (
    Bar,
    Book,
    Fill,
    FillKind,
    FundState,
    Leg,
    Link,
    Liquidity,
    OrderEvent,
    OrderStatus,
    OrderType,
    OrderView,
    Quote,
    QuoteView,
    Side,
    SleeveState,
    TimeInForce,
    Timer,
    Trade,
    TriggerBy,
)

__all__ = [
    "Bar",
    "Book",
    "Clock",
    "Context",
    "Fill",
    "FillKind",
    "FundState",
    "Leg",
    "Link",
    "Liquidity",
    "OrderEvent",
    "OrderStatus",
    "OrderType",
    "OrderView",
    "Quote",
    "QuoteView",
    "Side",
    "SleeveState",
    "TimeInForce",
    "Timer",
    "Trade",
    "TriggerBy",
]


class Clock(Protocol):
    """The only clock of a strategy: the time of the event that is being handled."""

    @property
    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""

    @property
    def utc(self) -> datetime:
        """The same as an aware ``datetime``, to the microsecond."""


class Context(Protocol):
    """What a handler may ask and do; one per sleeve."""

    @property
    def clock(self) -> Clock:
        """The time of the event."""

    @property
    def rng(self) -> Generator:
        """Random numbers, seeded from the fund's seed and the sleeve's id, saved with snapshots."""

    @property
    def instruments(self) -> tuple[str, ...]:
        """Ids of the fund's instruments, ascending."""

    @property
    def cash(self) -> float:
        """Cash of the sleeve, all of it in the currency of the fund."""

    @property
    def balances(self) -> dict[str, float]:
        """Cash of the sleeve by currency, as far as it is not zero."""

    def balance(self, currency: str) -> float:
        """Cash of the sleeve in a currency."""

    @property
    def equity(self) -> float:
        """Cash of the sleeve plus its positions at their marks."""

    @property
    def available_cash(self) -> float:
        """What new buys may cost now, in the currency of the fund.

        Cash, less what working buys reserve, plus the least that working market sales bring.
        """

    def available(self, currency: str) -> float:
        """Tell what new buys in a currency may cost now."""

    @property
    def margin_used(self) -> float:
        """Margin that the sleeve needs for what it holds and has in flight."""

    @property
    def margin_free(self) -> float:
        """Equity of the sleeve that no margin is needed of."""

    @property
    def fund_state(self) -> FundState:
        """What the fund may do."""

    @property
    def sleeve_state(self) -> SleeveState:
        """What this sleeve may do."""

    def is_halted(self, instrument: str) -> bool:
        """Tell whether an instrument does not trade now."""

    def mark_price(self, instrument: str) -> float:
        """Price at which an instrument is valued, on bars the last close; NaN before its first."""

    def quote(self, instrument: str) -> QuoteView | None:
        """Look at the best prices of an instrument; None before the first."""

    def book(self, instrument: str, depth: int = 5) -> Book:
        """Look at a book, down to ``depth`` levels a side."""

    def last_trade(self, instrument: str) -> Trade | None:
        """Look at the last trade of others; None before the first."""

    def tick_size(self, instrument: str) -> float:
        """Smallest step of prices."""

    def lot_size(self, instrument: str) -> float:
        """Smallest step of quantities."""

    def position(self, instrument: str, leg: Leg | None = None) -> float:
        """Quantity that the sleeve holds; negative is short, which cash accounts never are.

        In a hedging account, of one leg, or the long less the short one. Of a pair that exchanges
        currencies, what the sleeve has of the base.
        """

    @property
    def positions(self) -> dict[str, float]:
        """Quantities that the sleeve holds, as far as they are not zero."""

    def average_price(self, instrument: str, leg: Leg | None = None) -> float:
        """Average price of what the sleeve holds; NaN where it holds nothing."""

    def order(self, order_id: int) -> OrderView:
        """Look up an order of this sleeve."""

    def orders(self, instrument: str | None = None) -> Sequence[OrderView]:
        """Look at the working orders of this sleeve, by id."""

    def submit(
        self,
        instrument: str,
        side: Side,
        quantity: float,
        *,
        type: OrderType = "market",
        tif: TimeInForce = "day",
        limit_price: float | None = None,
        trigger_price: float | None = None,
        trigger_by: TriggerBy | None = None,
        trail: float | None = None,
        trail_rate: float | None = None,
        expire_at: int | None = None,
        display_quantity: float | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        leg: Leg | None = None,
    ) -> int:
        """Send an order through the gate, and return its id.

        ``quantity`` must be a whole number of lots, prices a whole number of ticks. The gate
        passes the order whole or rejects it: a rejection is no exception, read
        ``ctx.order(order_id).status``. Which terms go together is in ``docs/engine/orders.md``.

        Parameters
        ----------
        instrument : str
            Instrument id.
        side : {"buy", "sell"}
            What to do.
        quantity : float
            Units.
        type : str
            Kind of order.
        tif : str
            How long it works.
        limit_price : float, optional
            Worst price; of limit, stop-limit and limit-if-touched orders.
        trigger_price : float, optional
            Price at which stops and if-touched orders become active.
        trigger_by : str, optional
            The price that is watched for it.
        trail, trail_rate : float, optional
            How far a trailing stop follows: in prices, or as a share of the price.
        expire_at : int, optional
            With ``tif="gtd"``: UTC ns from which on it no longer works.
        display_quantity : float, optional
            What others see of a limit order at a time.
        post_only, reduce_only : bool
            Never takes what stands in the market; never opens a position.
        leg : {"long", "short"}, optional
            Position that it works on, in a hedging account.
        """

    def submit_list(self, orders: list[dict[str, Any]], link: Link) -> list[int]:
        """Send orders that hang together, and return their ids.

        Each is a dict of the arguments of ``submit``. All are of one instrument and quantity.
        The gate takes all of them or none.
        """

    def oco(self, *orders: dict[str, Any]) -> list[int]:
        """Send orders of one side of which one cancels the others; ids in their order."""

    def oto(self, parent: dict[str, Any], *children: dict[str, Any]) -> list[int]:
        """Send an order, and others that wait for its fills; ids in their order."""

    def bracket(
        self,
        instrument: str,
        side: Side,
        quantity: float,
        *,
        stop_price: float,
        profit_price: float,
        exit_tif: TimeInForce = "gtc",
        **entry: Any,  # noqa: ANN401 - terms of the entry, as of submit
    ) -> list[int]:
        """Send an entry with its two exits, a stop and a limit order; ids in this order.

        The exits wait for fills of the entry, work for what it has filled, and one cancels the
        other. Further arguments are those of ``submit`` for the entry.
        """

    def amend(
        self,
        order_id: int,
        *,
        quantity: float | None = None,
        limit_price: float | None = None,
        trigger_price: float | None = None,
        trail: float | None = None,
        trail_rate: float | None = None,
        expire_at: int | None = None,
    ) -> None:
        """Change a working order through the gate; what is None stays.

        ``quantity`` is the whole one, what is filled included. The order loses its place in the
        queue unless only its quantity goes down. ``on_order`` tells what became of it.
        """

    def cancel(self, order_id: int) -> None:
        """Cancel what is left of an order of this sleeve; one that is done stays as it is."""

    def cancel_all(self, instrument: str | None = None, side: Side | None = None) -> int:
        """Cancel the working orders of this sleeve, and return how many there were."""

    def set_timer(self, at_ns: int, name: str) -> None:
        """Ask for one ``on_timer`` at ``at_ns`` (UTC ns).

        In a run over bars alone it comes at the first barrier at or after that time.
        """

    def compute(
        self,
        function: Callable[..., object],
        *arguments: Any,  # noqa: ANN401 - the function's
        after_ns: int,
        name: str = "",
    ) -> int:
        """Ask for a computation that would take too long here, and return its number.

        Only where the strategy defines ``on_result``, which is called ``after_ns`` from now,
        neither earlier nor later, with what became of it. In a run over bars alone it comes at the
        first barrier then.

        Parameters
        ----------
        function : callable
            A function of a module that depends on its arguments alone. It may run in another
            thread. It returns numbers, text, lists, dicts or arrays.
        *arguments : object
            Copied now.
        after_ns : int
            When the result is wanted, in ns from now, up to an hour: longer than the function
            takes, for what is not there by then is a failed result, ``late``.
        name : str
            For people; by default the function's.

        Raises
        ------
        StrategyError
            If the function is a method, or made within another; if 32 results are awaited.
        """

    @property
    def awaited(self) -> int:
        """Results that were asked for and not heard of yet; where ``on_result`` is defined."""
