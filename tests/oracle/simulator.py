"""The whole: inputs in, outputs out, both as the engine's dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oracle.market import Market
from oracle.numbers import InputError
from oracle.remote import Remote
from oracle.terms import REQUEST, Instrument, Record

CLASSES = {
    "operator": 0,
    "report": 0,
    "cash_flow": 1,
    "action": 1,
    "instrument_ended": 1,
    "barrier": 3,
    "day_ended": 3,
    "target_portfolio": 4,
    "submit_order": 5,
    "submit_list": 5,
    "amend_order": 5,
    "replace_order": 5,
    "cancel_order": 5,
    "activate_semantics": 5,
}
"""Class of each input; of those not named 2."""

HUGE = 2**60
MATCHES = {
    "quote": ("quotes",),
    "trade": ("quotes", "trades", "l2", "l3"),
    "book_level": ("l2",),
    "book_order": ("l3",),
    "book_cleared": ("l2", "l3"),
    "auction": ("quotes", "trades", "l2", "l3"),
    "bar": ("bars",),
    "status": ("bars", "quotes", "trades", "l2", "l3"),
}
"""Which data moves an instrument, by its `matching`."""

SHOWN = {"quote": ("bars", "trades", "l2", "l3"), "trade": ("bars",), "bar": MATCHES["trade"]}


class Oracle(Remote):
    """One fund from its start on."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.bars: dict[int, Mapping[str, Any]] = {}
        self.incomplete: set[int] = set()
        self.snapshots: set[int] = set()
        """Books of which a snapshot is coming in."""
        self.last_key: tuple[int, int, int, int] | None = None
        self.last_ts = 0
        super().__init__(config)

    def apply(self, input: Mapping[str, Any]) -> list[Record]:
        """Take one input; return what it brought about. What is an error changes nothing."""
        ((name, terms),) = input["event"].items()
        ts = input["ts_received"]
        rank = CLASSES.get(name, 2)
        key = (ts, rank, input["source"], input["sequence"])
        self._check(key, rank, name, terms)
        self.outputs = []
        self.last_key, self.last_ts = key, ts
        self.do_due(ts)
        self.now = ts
        self.happened[f"input {name}"] += 1
        if rank >= 4:
            self.look_at_losses()
            if name != "cancel_order":
                self.look_for_crossed(whole=False)
        getattr(self, f"_on_{name}")(terms)
        self.act_released()
        ends = name in ("barrier", "day_ended")
        if ends:
            self.look_at_equity()
        if name == "day_ended":
            self.open_day()
        self.take_effect()
        if ends:
            self.look_at_sleeves()
            self.raise_peaks()
            self.look_for_crossed(whole=True)
        self.check()
        return self.outputs

    def bars_wait(self) -> bool:
        return bool(self.bars)

    # What is an error.

    def _check(
        self,
        key: tuple[int, int, int, int],
        rank: int,
        name: str,
        terms: Any,  # noqa: ANN401
    ) -> None:
        if self.last_key is not None and key <= self.last_key:
            raise InputError(f"out of order: {key} after {self.last_key}")
        later = key[0] > self.last_ts
        if self.bars and (later or rank > 3 or name == "day_ended"):
            raise InputError("bars wait for their barrier")
        if self.incomplete and (later or rank >= 3):
            raise InputError("a book message is incomplete")
        check = getattr(self, f"_check_{name}", None)
        if check is not None:
            check(terms, key[0])

    def _data(self, name: str, index: int, ts: int, prices: list[int | None]) -> Instrument:
        instrument = self.instruments[index]
        kinds = MATCHES.get(name, ()) + SHOWN.get(name, ())
        if instrument.matching not in kinds:
            raise InputError(f"{instrument.id} takes no {name}")
        if index in self.ended:
            raise InputError(f"{instrument.id} has ended")
        listed = instrument.effective_from is None or ts >= instrument.effective_from
        if not listed and not (name == "bar" and instrument.on_bars):
            raise InputError(f"{instrument.id} is not listed yet")
        for price in prices:
            if price is None:
                continue
            if abs(price) > HUGE or (price <= 0 and not instrument.negative_prices):
                raise InputError(f"{instrument.id} at {price}")
        return instrument

    def _check_status(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        self._data("status", terms["instrument"], ts, [])

    @staticmethod
    def _sizes(*sizes: int | None) -> None:
        for size in sizes:
            if size is not None and not 0 <= size <= HUGE:
                raise InputError(f"a size of {size}")

    def _check_quote(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        quote = terms["quote"]
        prices = [quote["bid"], quote["ask"]]
        instrument = self._data("quote", terms["instrument"], ts, prices)
        sizes = [quote["bid_size"], quote["ask_size"]]
        self._sizes(*sizes)
        capped = self.venue(instrument).get("participation_max") is not None
        for price, size in zip(prices, sizes, strict=True):
            if price is None and size is not None:
                raise InputError("a size without a price")
            if price is not None and size is None and capped:
                raise InputError("a price without a size")

    def _check_trade(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        self._data("trade", terms["instrument"], ts, [terms["trade"]["price"]])
        self._sizes(terms["trade"]["size"])
        if terms["trade"]["size"] == 0:
            raise InputError("a trade of nothing")

    def _check_book_level(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        self._data("book_level", terms["instrument"], ts, [terms["level"]["price"]])
        self._sizes(terms["level"]["size"])

    def _check_book_order(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        price = terms["order"]["price"] if terms["order"]["size"] else None
        self._data("book_order", terms["instrument"], ts, [price])
        self._sizes(terms["order"]["size"])

    def _check_book_cleared(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        self._data("book_cleared", terms["instrument"], ts, [])

    def _check_auction(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        auction = terms["auction"]
        instrument = self._data("auction", terms["instrument"], ts, [auction["price"]])
        self._sizes(auction["volume"])
        if not instrument.has_auctions:
            raise InputError(f"{instrument.id} has no auctions")
        if auction["volume"] is None and self.venue(instrument).get("participation_max"):
            raise InputError("an auction without volume")

    def _check_bar(self, terms: Any, ts: int) -> None:  # noqa: ANN401
        index, bar = terms["instrument"], terms["bar"]
        low = min(bar["range"] or [bar["close"]])
        instrument = self._data("bar", index, ts, [low])
        if not instrument.on_bars:
            return
        if index in self.bars:
            raise InputError(f"a bar too many for {instrument.id}")
        if self.venue(instrument).get("participation_max") and bar["volume"] is None:
            raise InputError(f"a bar of {instrument.id} without volume")
        if instrument.close_only != (bar["range"] is None):
            raise InputError(f"{instrument.id} needs another kind of bar")
        if bar["range"] is not None:
            first, high, low = bar["range"]
            if not low <= min(first, bar["close"]) <= max(first, bar["close"]) <= high:
                raise InputError(f"an impossible bar of {instrument.id}")

    def _check_cash_flow(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        if terms["amount"] == 0:
            raise InputError("`amount` must not be 0")

    def _check_funding(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        instrument = self.instruments[terms["instrument"]]
        if instrument.kind != "perpetual" or instrument.index not in self.marks:
            raise InputError(f"no funding of {instrument.id}")

    def _check_currency_rate(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        source = self.currencies[terms["currency"]].get("source", "input")
        if terms["currency"] == 0 or source != "input" or terms["rate"] <= 0:
            raise InputError("no rate of this currency")

    def _check_target_portfolio(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        if self.hedging:
            raise InputError("targets need a netting account")
        named = [index for index, _ in terms["targets"]]
        if len(set(named)) < len(named):
            raise InputError(f"an instrument is named twice: {named}")

    def _check_short_terms(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        instrument = self.instruments[terms["instrument"]]
        if instrument.settlement != "asset" or self.account["kind"] == "cash":
            raise InputError(f"nobody sells {instrument.id} short")

    def _check_operator(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        if isinstance(terms, dict) and "change_limit" in terms:
            self.check_limit(terms["change_limit"]["name"], terms["change_limit"]["value"])

    def _check_scenarios(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        model = self.limit("value_at_risk")
        if model is None or len(terms["returns"]) != model["scenarios"]:
            raise InputError("another number of scenarios")

    def _check_activate_semantics(self, terms: Any, _ts: int) -> None:  # noqa: ANN401
        if terms["number"] != 2:
            raise InputError("unknown semantics")

    # What each input does.

    def _on_operator(self, terms: Any) -> None:  # noqa: ANN401
        self.command(terms)

    def _on_report(self, terms: Any) -> None:  # noqa: ANN401
        self.report(terms)

    def _on_cash_flow(self, terms: Any) -> None:  # noqa: ANN401
        self.cash_flow(terms["sleeve"], terms["currency"], terms["amount"])

    def _on_action(self, terms: Any) -> None:  # noqa: ANN401
        self.action(terms)

    def _on_instrument_ended(self, terms: Any) -> None:  # noqa: ANN401
        self.end_instrument(terms["instrument"], terms.get("price"))

    def _on_currency_rate(self, terms: Any) -> None:  # noqa: ANN401
        self.rates[terms["currency"]] = terms["rate"]
        self.check_margin(range(len(self.sleeves)))

    def _on_interest_rates(self, terms: Any) -> None:  # noqa: ANN401
        self.interest[terms["currency"]] = (terms["credit_rate"], terms["debit_rate"])

    def _on_short_terms(self, terms: Any) -> None:  # noqa: ANN401
        self.shortable[terms["instrument"]] = terms["shortable"]
        self.borrow[terms["instrument"]] = terms["borrow_rate"]

    def _on_risk_figure(self, terms: Any) -> None:  # noqa: ANN401
        key = (terms["kind"], terms.get("instrument"))
        self.happened[f"figure {terms['kind']}"] += 1
        self.figures[key] = (terms["value"], terms["expires_at"])

    def _on_scenarios(self, terms: Any) -> None:  # noqa: ANN401
        self.scenarios[terms["instrument"]] = (list(terms["returns"]), terms["expires_at"])

    def _on_funding(self, terms: Any) -> None:  # noqa: ANN401
        self.funding(terms["instrument"], terms["rate"])

    def _on_day_ended(self, terms: Any) -> None:  # noqa: ANN401
        self.day_ended(terms["trading"])

    def _on_bar(self, terms: Any) -> None:  # noqa: ANN401
        index = terms["instrument"]
        if self.instruments[index].on_bars:
            self.bars[index] = terms["bar"]
            self.set_mark(index, terms["bar"]["close"])

    def _on_bar_missing(self, terms: Any) -> None:  # noqa: ANN401
        self.emit_ts("bar_missed", instrument=terms["instrument"])

    def _on_barrier(self, terms: Any) -> None:  # noqa: ANN401
        bars, self.bars = self.bars, {}
        self.barrier(bars, terms["session_start"], terms["session_end"])
        self.check_margin(range(len(self.sleeves)))

    def _on_target_portfolio(self, terms: Any) -> None:  # noqa: ANN401
        self.target_portfolio(terms["sleeve"], terms["targets"])

    def _on_submit_order(self, terms: Any) -> None:  # noqa: ANN401
        self.submit(self._request_of(terms))

    def _on_submit_list(self, terms: Any) -> None:  # noqa: ANN401
        self.submit_list([self._request_of(each) for each in terms["orders"]], terms["link"])

    def _on_amend_order(self, terms: Any) -> None:  # noqa: ANN401
        self.amend(terms)

    def _on_replace_order(self, terms: Any) -> None:  # noqa: ANN401
        self.replace(terms["order"], self._request_of(terms["request"]))

    def _on_cancel_order(self, terms: Any) -> None:  # noqa: ANN401
        self.cancel(terms["order"])

    def _on_activate_semantics(self, terms: Any) -> None:  # noqa: ANN401
        self.emit_ts("semantics_activated", number=terms["number"])

    @staticmethod
    def _request_of(terms: Mapping[str, Any]) -> Mapping[str, Any]:
        assert set(terms) <= set(REQUEST), set(terms) - set(REQUEST)
        return terms

    # Market data of event instruments.

    def _on_status(self, terms: Any) -> None:  # noqa: ANN401
        index = terms["instrument"]
        if terms["status"] == "halted":
            self.halted.add(index)
            return
        self.halted.discard(index)
        if not self.instruments[index].on_bars:
            self.react(index)

    def _on_quote(self, terms: Any) -> None:  # noqa: ANN401
        market = self.markets.get(terms["instrument"])
        if market is None or market.kind != "quotes":
            return
        quote = terms["quote"]
        market.quote("buy", quote["bid"], quote["bid_size"])
        market.quote("sell", quote["ask"], quote["ask_size"])
        self._standing_changed(terms["instrument"], market)

    def _standing_changed(self, index: int, market: Market) -> None:
        """A quote, or a book message that is complete."""
        moved = False
        if not market.crossed:
            middle = market.middle()
            if middle is not None:
                moved = self.marks.get(index) != middle
                market.had_both = True
                self.set_mark(index, middle)
        self.react(index)
        if moved:
            self.check_margin_after_mark(index)

    def _on_trade(self, terms: Any) -> None:  # noqa: ANN401
        index, trade = terms["instrument"], terms["trade"]
        market = self.markets.get(index)
        if market is None:
            return
        moved = False
        if market.kind == "trades" or not market.had_both:
            moved = self.marks.get(index) != trade["price"]
            self.set_mark(index, trade["price"])
        self.traded_at(index, trade["price"], trade["size"], trade["aggressor"])
        if moved:
            self.check_margin_after_mark(index)

    def _on_book_level(self, terms: Any) -> None:  # noqa: ANN401
        level, index = terms["level"], terms["instrument"]
        self.markets[index].level(level["side"], level["price"], level["size"])
        if index not in self.snapshots:
            for order in self.working():
                here = (order.instrument, order.side, order.limit_price)
                if order.resting and here == (index, level["side"], level["price"]):
                    order.ahead = min(order.ahead, level["size"])
        self._book_part(index, level["more"])

    def _on_book_order(self, terms: Any) -> None:  # noqa: ANN401
        entry, index = terms["order"], terms["instrument"]
        market = self.markets[index]
        id = entry["id"]
        if not market.entry(id, entry["side"], entry["price"], entry["size"]):
            for order in self.working():
                if order.instrument == index:
                    order.ahead_ids.discard(id)
        self._book_part(index, entry["more"])

    def _on_book_cleared(self, terms: Any) -> None:  # noqa: ANN401
        index = terms["instrument"]
        market = self.markets[index]
        entries = market.entries
        market.clear()
        market.before = entries if terms["more"] else {}
        self.snapshots.add(index)
        self._book_part(index, terms["more"])

    def _book_part(self, index: int, more: bool) -> None:
        if more:
            self.incomplete.add(index)
            return
        self.incomplete.discard(index)
        market = self.markets[index]
        market.before = {}
        whole = index in self.snapshots
        self.snapshots.discard(index)
        for order in self.working():
            if order.instrument == index and order.resting and order.limit_price is not None:
                if whole:
                    shown = market.displayed(order.side, order.limit_price)
                    order.ahead = min(order.ahead, shown)
                order.ahead_ids &= set(market.entries)
        self._standing_changed(index, market)

    def _on_auction(self, terms: Any) -> None:  # noqa: ANN401
        auction, index = terms["auction"], terms["instrument"]
        self.auction(index, auction["kind"], auction["price"], auction["volume"])

    # What can be read.

    def state(self) -> Record:
        """Balances, positions and equities, by names that a failing test can show."""
        found: Record = {"equity": self.equity()}
        for sleeve in range(len(self.sleeves)):
            found[f"{sleeve} equity"] = self.sleeve_equity(sleeve)
            for currency in range(len(self.currencies)):
                for (s, c, account), amount in self.balances.items():
                    if (s, c) == (sleeve, currency):
                        found[f"{sleeve} {currency} {account}"] = amount
        for line, quantity in self.quantities.items():
            found[f"{line} position"] = quantity
            found[f"{line} cost"] = self.costs[line]
        return {name: amount for name, amount in found.items() if amount}
