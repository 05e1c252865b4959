"""Market making after Avellaneda and Stoikov: quote around a price that leans against inventory."""

from dataclasses import dataclass, field
from math import ceil, exp, floor, isfinite, log, log1p

from pydantic import Field

from quantvista.strategies._base import EventStrategy
from quantvista.strategies._context import Book, Context, Fill, OrderEvent, Quote, Side
from quantvista.strategies._params import StrategyParams

__all__ = ["MarketMaker"]

_NS = 1_000_000_000
_MS = 1_000_000
_NOISE = 1e-9
"""Share of a tick or of a quote that floats may be off by."""


@dataclass
class Working:
    """A quote of ours: its order, 0 for none, and the price that was last asked for."""

    order: int = 0
    price: float = 0.0


@dataclass
class Desk:
    """What a market maker knows of one instrument."""

    mid: float = 0.0
    ts: int = 0
    squares: float = 0.0
    """Weighted squared changes of the mid, a second."""
    weight: float = 0.0
    """Their weights: 0 at the start, 1 after some half-lives."""
    seen: int = 0
    looked_ts: int = 0
    quiet_until: int = 0
    amends: bool = True
    """False where the venue has refused to change an order."""
    bid: Working = field(default_factory=Working)
    ask: Working = field(default_factory=Working)

    @property
    def variance(self) -> float:
        """Of the mid price, a second."""
        return self.squares / self.weight if self.weight > 0 else 0.0


class MarketMaker(EventStrategy):
    """Avellaneda-Stoikov market maker: a post-only bid and ask on each of its instruments.

    With mid price ``s``, inventory ``n`` in multiples of ``quantity``, volatility ``sigma`` of the
    mid a square-root second and horizon ``T`` seconds::

        r      = s - n * gamma * sigma**2 * T                     (reservation price)
        spread = gamma * sigma**2 * T + 2 / gamma * ln(1 + gamma / kappa)
        bid, ask = r - spread / 2, r + spread / 2

    ``sigma**2`` is an exponentially weighted mean of squared changes of the mid, each divided
    by the seconds that it took. Prices go to the tick, away from the market, and never cross
    it. A side whose inventory is at ``inventory_max`` is not quoted. Orders are amended in
    place only when they are ``requote_ticks`` or more off, so that their place in the queue is
    not given away for nothing. What is left of a quote that was filled in part stays until it is
    gone.

    Notes
    -----
    The paper's horizon is the time left to a fixed end, at which inventory is worth the mid;
    here it stays the same, which is the usual form for markets that never close. ``kappa`` is the
    decay of the rate of fills with the distance from the mid (1 / price), ``gamma`` the
    aversion to inventory risk (1 / price, for an inventory in multiples of ``quantity``).

    ``n`` is counted from ``inventory_target``. On a cash account, which is never short, a target of
    ``inventory_max`` lets it hold between nothing and twice that.

    Missing data: while a side of the market is absent, nothing is quoted anew. Warm-up:
    ``warm_up_events`` quotes or book messages, until when nothing is quoted.

    References
    ----------
    Avellaneda and Stoikov (2008), High-frequency trading in a limit order book, Quantitative
    Finance 8(3), 217-224: the reservation price and the optimal spread of its section 3.
    """

    class Params(StrategyParams):
        """Parameters of `MarketMaker`."""

        gamma: float = Field(0.1, gt=0, description="aversion to inventory, 1 / price")
        kappa: float = Field(1.5, gt=0, description="decay of fills with distance, 1 / price")
        horizon_s: float = Field(60.0, gt=0, description="seconds that inventory is held")
        quantity: float = Field(1.0, gt=0, description="size of each quote, whole lots")
        inventory_max: float = Field(5.0, gt=0, description="in multiples of `quantity`")
        inventory_target: float = Field(0.0, ge=0, description="in multiples of `quantity`")
        half_life_s: float = Field(60.0, gt=0, description="of the estimate of volatility")
        requote_ticks: int = Field(2, ge=1, description="how far off a quote may be")
        interval_ms: int = Field(100, ge=0, description="least time between two looks")
        pause_ms: int = Field(1_000, ge=0, description="after the gate has refused a quote")
        warm_up_events: int = Field(100, ge=1, description="events before the first quote")
        instruments: tuple[str, ...] = Field((), description="ids to quote; empty: all")

    @dataclass
    class State:
        """One desk per instrument."""

        desks: dict[str, Desk] = field(default_factory=dict)

    params: Params
    state: State

    @property
    def universe(self) -> tuple[str, ...] | None:
        """Hear of those that it quotes."""
        return self.params.instruments or None

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Follow the market at each new quote."""
        self._look(ctx, quote.instrument, quote.bid, quote.ask, quote.ts)

    def on_book(self, ctx: Context, book: Book) -> None:
        """Follow the market at each new state of the book."""
        self._look(ctx, book.instrument, book.bid, book.ask, book.ts)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Lean against the new inventory at once."""
        desk = self.state.desks.get(fill.instrument)
        if desk is not None and desk.seen >= self.params.warm_up_events:
            self._quote(ctx, fill.instrument, desk)

    def on_order(self, ctx: Context, order: OrderEvent) -> None:
        """Forget an order that has ended; the next look replaces it."""
        desk = self.state.desks.get(order.instrument)
        if desk is None:
            return
        if order.change in ("rejected", "amend_rejected"):
            desk.quiet_until = order.ts + self.params.pause_ms * _MS
        for working in (desk.bid, desk.ask):
            if order.order_id != working.order:
                continue
            if order.is_final:
                working.order = 0
            elif order.change == "amend_rejected":
                working.price = ctx.order(order.order_id).limit_price or working.price
                if order.reason == "venue":  # it takes no amendments: cancel, then quote anew
                    desk.amends, desk.quiet_until = False, order.ts

    def _look(self, ctx: Context, instrument: str, bid: float, ask: float, ts: int) -> None:
        desk = self.state.desks.setdefault(instrument, Desk())
        mid = (bid + ask) / 2
        if not isfinite(mid) or bid > ask:
            return
        self._learn(desk, mid, ts)
        if desk.seen < self.params.warm_up_events:
            return
        if ts - desk.looked_ts >= self.params.interval_ms * _MS:
            desk.looked_ts = ts
            self._quote(ctx, instrument, desk)

    def _learn(self, desk: Desk, mid: float, ts: int) -> None:
        """Update the estimate of the variance; changes of the same instant count as one."""
        desk.seen += 1
        if desk.seen == 1:
            desk.mid, desk.ts = mid, ts
            return
        seconds = (ts - desk.ts) / _NS
        if seconds <= 0:
            return
        keep = exp(-seconds * log(2) / self.params.half_life_s)
        desk.squares = keep * desk.squares + (1 - keep) * (mid - desk.mid) ** 2 / seconds
        desk.weight = keep * desk.weight + (1 - keep)
        desk.mid, desk.ts = mid, ts

    def prices(self, mid: float, variance: float, inventory: float) -> tuple[float, float]:
        """Bid and ask of the model, before ticks.

        Parameters
        ----------
        mid : float
            Price halfway between the best bid and ask.
        variance : float
            Of the mid, a second.
        inventory : float
            In multiples of ``quantity``; negative is short.

        Returns
        -------
        tuple of float
            ``bid < ask``.

        Examples
        --------
        >>> maker = MarketMaker(gamma=0.1, kappa=1.5, horizon_s=1.0)
        >>> [round(price, 4) for price in maker.prices(100.0, 4.0, 2.0)]
        [98.3546, 100.0454]
        """
        gamma = self.params.gamma
        risk = gamma * variance * self.params.horizon_s
        spread = risk + 2 / gamma * log1p(gamma / self.params.kappa)
        centre = mid - inventory * risk
        return centre - spread / 2, centre + spread / 2

    def _quote(self, ctx: Context, instrument: str, desk: Desk) -> None:
        market = ctx.quote(instrument)
        if market is None or not market.bid < market.ask or ctx.clock.now < desk.quiet_until:
            return
        most = self.params.inventory_max + _NOISE
        inventory = ctx.position(instrument) / self.params.quantity - self.params.inventory_target
        bid, ask = self.prices((market.bid + market.ask) / 2, desk.variance, inventory)
        tick = ctx.tick_size(instrument)
        # Post-only orders that would take are refused: join the best price at most.
        buy = min(floor(bid / tick + _NOISE), round(market.ask / tick) - 1)
        sell = max(ceil(ask / tick - _NOISE), round(market.bid / tick) + 1)
        self._keep(ctx, instrument, "buy", desk.bid, buy if inventory + 1 <= most else 0)
        self._keep(ctx, instrument, "sell", desk.ask, sell if inventory - 1 >= -most else 0)

    def _keep(
        self, ctx: Context, instrument: str, side: Side, working: Working, ticks: int
    ) -> None:
        """Bring one side to a price in ticks; 0 or less is no quote."""
        tick = ctx.tick_size(instrument)
        wanted = ticks * tick
        if working.order and ticks <= 0:
            ctx.cancel(working.order)
            working.order = 0
        elif working.order:
            if abs(wanted - working.price) > (self.params.requote_ticks - 0.5) * tick:
                working.price = wanted
                if self.state.desks[instrument].amends:
                    ctx.amend(working.order, limit_price=wanted)
                else:
                    ctx.cancel(working.order)
        elif ticks > 0:
            working.price = wanted
            order_id = ctx.submit(
                instrument,
                side,
                self.params.quantity,
                type="limit",
                tif="gtc",
                limit_price=wanted,
                post_only=True,
            )
            working.order = order_id if ctx.order(order_id).is_working else 0
