"""Form rules: what is wrong with an order whatever the fund holds. ``docs/engine/orders.md``, 3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oracle.exposure import Exposure
from oracle.numbers import RATE_ONE, up
from oracle.terms import AUCTIONS, LIMITED, STOPS, TRIGGERED, Order, Record

type Figure = Record | str


@dataclass(frozen=True)
class Failure:
    """The rule that stopped an order or cut it, and to which quantity."""

    rule: str
    figure: Figure = "none"
    limit: Figure = "none"
    quantity: int = 0


class Forms(Exposure):
    """Numbers 3 to 7 of the gate, and triggers' prices."""

    def form_failures(self, order: Order) -> Iterator[Failure]:
        """Rules that do not depend on the quantity but for `lot`, in their order."""
        instrument = self.of(order)
        if not instrument.listed(self.now) or instrument.index in self.ended:
            yield Failure("not_listed")
        if instrument.index not in self.marks:
            yield Failure("no_price")
            return
        lot = instrument.lot_size
        if order.quantity <= 0 or order.quantity % lot:
            yield Failure("lot", {"quantity": order.quantity}, {"quantity": lot})
        if self._bad_price(order.limit_price, order.kind in LIMITED, order):
            figure = "none" if order.limit_price is None else {"price": order.limit_price}
            yield Failure("tick", figure, {"price": instrument.tick_size})
        if self._bad_form(order):
            yield Failure("form")
        if order.kind == "on_open" and instrument.close_only and instrument.on_bars:
            yield Failure("needs_ohlc")
        if self._lacks_data(order):
            yield Failure("needs_data")
        if self._bad_time(order):
            yield Failure("time_in_force")
        if self._bad_trigger(order):
            asked = order.asked_trigger
            figure = "none" if asked is None else {"price": asked}
            yield Failure("trigger", figure, {"price": instrument.tick_size})
        if order.post_only and (order.kind != "limit" or order.tif in ("ioc", "fok")):
            yield Failure("post_only")
        if (order.leg == "net") == self.hedging:
            yield Failure("leg")

    def _bad_price(self, price: int | None, wanted: bool, order: Order) -> bool:
        if (price is not None) != wanted:
            return True
        return price is not None and not self.valid_price(price, order)

    def valid_price(self, price: int, order: Order) -> bool:
        instrument = self.of(order)
        return price % instrument.tick_size == 0 and (price > 0 or instrument.negative_prices)

    def _bad_form(self, order: Order) -> bool:
        shown = order.display_quantity
        if shown is not None:
            if order.kind != "limit" or order.tif in ("ioc", "fok"):
                return True
            if shown <= 0 or shown % self.of(order).lot_size:
                return True
            # At its release a child may be smaller than it was asked for.
            if shown > order.quantity and order.status != "held":
                return True
        if order.trail is not None and order.kind != "trailing_stop":
            return True
        return order.trigger_by is not None and order.kind not in TRIGGERED

    def _lacks_data(self, order: Order) -> bool:
        instrument = self.of(order)
        if order.kind in AUCTIONS and not instrument.on_bars and not instrument.has_auctions:
            return True
        if instrument.on_bars and order.trigger_by not in (None, "last"):
            return True
        if instrument.matching == "trades" and order.trigger_by in ("bid", "ask"):
            return True
        if self.venue(instrument).get("impact") is None:
            return False
        sigma, volume = self.sigma_and_volume(instrument)
        return sigma is None or volume is None or volume <= 0

    def _bad_time(self, order: Order) -> bool:
        if order.tif in ("ioc", "fok") and order.kind in (*TRIGGERED, *AUCTIONS):
            return True
        if (order.expire_at is not None) != (order.tif == "gtd"):
            return True
        return order.expire_at is not None and order.expire_at <= self.now

    def _bad_trigger(self, order: Order) -> bool:
        has_price = order.kind in TRIGGERED and order.kind != "trailing_stop"
        if self._bad_price(order.asked_trigger, has_price, order):
            return True
        if order.kind != "trailing_stop":
            return False
        if order.trail is None:
            return True
        tick = self.of(order).tick_size
        if "amount" in order.trail:
            if order.trail["amount"] <= 0 or order.trail["amount"] % tick:
                return True
        elif not 1 <= order.trail["rate"] <= RATE_ONE - 1:
            return True
        first = self.trailing_price(order, self.marks[order.instrument])
        return first <= 0 and not self.of(order).negative_prices

    def band_failure(self, order: Order) -> Failure | None:
        """Number 8: the limit price within the band of the trigger, or of the mark."""
        if order.limit_price is None:
            return None
        centre = order.trigger_price if order.kind != "limit" else None
        low, high = self.band(self.marks[order.instrument] if centre is None else centre)
        scaled = order.limit_price * RATE_ONE
        if low <= scaled <= high:
            return None
        edge = up(low, RATE_ONE) if scaled < low else high // RATE_ONE
        return Failure("price_band", {"price": order.limit_price}, {"price": edge})

    # Triggers.

    def trailing_price(self, order: Order, x: int) -> int:
        """The trigger that belongs to a price."""
        assert order.trail is not None
        tick = self.of(order).tick_size
        if "amount" in order.trail:
            away = order.trail["amount"]
        else:
            away = up(abs(x) * order.trail["rate"], RATE_ONE)
        return up(x + away, tick) * tick if order.buys else (x - away) // tick * tick

    def trigger_met(self, order: Order, price: int) -> bool:
        assert order.trigger_price is not None
        rising = order.buys == (order.kind in STOPS)
        return price >= order.trigger_price if rising else price <= order.trigger_price
