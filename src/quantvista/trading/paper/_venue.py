"""A venue that remembers: the state machine, its market and its store."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from quantvista.errors import QuantVistaError
from quantvista.trading.gateway import (
    AccountSnapshot,
    Filled,
    FillPage,
    Listing,
    MarketData,
    OrderState,
    Report,
    Status,
    SubmitOrder,
    decode,
    encode,
)
from quantvista.trading.paper._core import Core
from quantvista.trading.paper._said import Effects, Notice
from quantvista.trading.paper._source import MarketSource
from quantvista.trading.paper._store import Batch, Store
from quantvista.trading.paper._terms import VenueTerms

__all__ = ["DEAD_MAN_NS", "PaperVenue", "VenueError", "VenueFailedError"]

_SNAPSHOT_EVERY = 5_000
_MESSAGES_MAX = 2_000  # at one go, so that requests come in between
_QUIET_NS = 1_000_000_000
DEAD_MAN_NS = 10**9, 3_600 * 10**9
_MONEY_MAX = 10**28  # in 1e-12
_PAID_MAX = 10**25  # in 1e-12 of the venue's currency: more can be neither converted nor booked

type Listener = Callable[[list[Notice], list[tuple[int, MarketData | Status]]], None]


class VenueError(QuantVistaError, ValueError):
    """A command that the venue does not take; ``code`` is short, the rest is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class VenueFailedError(QuantVistaError, RuntimeError):
    """The store failed: what it has is not known, and the venue must be started again."""


class PaperVenue:
    """One venue, at the times that it is told.

    Parameters
    ----------
    terms : VenueTerms
        What it is.
    store : Store
        Where it keeps what it acknowledges; what is there already is gone on with.
    source : MarketSource
        Where its market comes from.

    Raises
    ------
    VenueFailedError
        If the store holds another venue's state, or one that its records do not lead to.

    Notes
    -----
    Nothing is told to anybody before it is durable. Market data that nobody's order met are
    written a second later at the latest, since losing them loses nothing that was acknowledged.
    """

    def __init__(self, terms: VenueTerms, store: Store, source: MarketSource) -> None:
        self.terms = terms
        self._store, self._source = store, source
        self._listeners: list[Listener] = []
        self._batch = Batch()
        self._told: list[Notice] = []
        self._shown: list[tuple[int, MarketData | Status]] = []
        self._since = 0
        self._written = 0
        self._failed = False
        self._core = self._recover()
        self._started = False

    def _recover(self) -> Core:
        snapshot, records = self._store.load()
        if snapshot is None and not records:
            core = Core(self.terms)
            if rates := self._rates():
                core.apply({"ts": 1, "kind": "market", "events": rates, "cursor": None})
            self._batch.snapshot = core.snapshot()
            self._store.commit(self._batch)
            self._batch = Batch()
            return core
        assert snapshot is not None, "a store begins with a snapshot"
        if json.loads(snapshot)["terms"] != self.terms.fingerprint:
            raise VenueFailedError(
                f"venue '{self.terms.id}' was set up otherwise (instruments, accounts, fees or "
                "latency differ): give it another folder, or its old settings"
            )
        core = Core.restore(self.terms, snapshot)
        for record in records:
            core.apply(json.loads(record))
        self._written = len(records)
        for account, last in enumerate(core.sequences):
            if (found := self._store.last(account)) != last:
                raise VenueFailedError(
                    f"venue '{self.terms.id}' holds {found} reports of account "
                    f"'{self.terms.accounts[account].name}', but its records lead to {last}"
                )
        return core

    def _rates(self) -> list[dict[str, Any]]:
        """Prices of currencies that no pair has."""
        return [
            {"currency_rate": {"currency": place, "rate": int(price.scaleb(12))}}
            for place, code in enumerate(self.terms.currencies)
            if (price := self.terms.prices.get(code)) is not None
        ]

    def listen(self, listener: Listener) -> None:
        """Be told of reports and market data once they are durable."""
        self._listeners.append(listener)

    # -- time ------------------------------------------------------
    def advance(self, now: int) -> None:
        """Let the market and the clock come up to now."""
        if self._failed:
            raise VenueFailedError(f"venue '{self.terms.id}' has failed; start it again")
        if not self._started:
            self._source.start(now, self._core.cursor)
            self._started = True
        for _ in range(_MESSAGES_MAX):
            message = self._source.take(now)
            if message is None:
                break
            self._due(message.ts)
            self._run(
                message.ts,
                {"kind": "market", "events": message.events, "cursor": message.cursor},
            )
        self._due(now)
        if self._batch.reports or now - self._since >= _QUIET_NS:
            self._flush(now)
        else:
            self._tell()

    def _due(self, until: int) -> None:
        while (due := self._core.next_due()) is not None and due <= until:
            self._run(due, {"kind": "tick"})

    def next_at(self) -> int | None:
        """When `advance` has something to do next; None if never."""
        times = (self._source.next_at(), self._core.next_due())
        found = [each for each in times if each is not None]
        if self._batch:
            found.append(self._since + _QUIET_NS)
        return min(found, default=None)

    # -- commands ------------------------------------------------------
    def submit(self, account: int, order: SubmitOrder, now: int) -> tuple[OrderState, bool]:
        """Take an order; say how it is, and whether it was there before.

        Raises
        ------
        VenueError
            If it is not taken at all: ``client_order_id_reused`` or ``unknown_instrument``.
        """
        self.advance(now)
        text = encode(order)
        before = self._store.terms(account, order.client_order_id)
        if before is not None:
            if before != text:
                raise VenueError(
                    "client_order_id_reused",
                    f"`client_order_id` {order.client_order_id} was used for other terms",
                )
            return self._known(account, order.client_order_id), True
        terms = self._engine_terms(order)
        record = {
            "kind": "submit",
            "account": account,
            "client": order.client_order_id,
            "terms": terms,
        }
        self._run(now, record)
        self._batch.clients[account, order.client_order_id] = text
        self._flush(now)
        return self._known(account, order.client_order_id), False

    def _engine_terms(self, order: SubmitOrder) -> dict[str, Any]:
        trail = _trail(order.trail_amount, order.trail_rate)
        place = self._place(order.instrument)
        self._check_size(place, order.quantity, order.limit_price, order.trigger_price)
        return {
            "instrument": place,
            "side": order.side,
            "quantity": order.quantity,
            "kind": order.kind,
            "tif": order.tif,
            "limit_price": order.limit_price,
            "trigger_price": order.trigger_price,
            "trigger_by": order.trigger_by,
            "trail": trail,
            "expire_at": order.expire_at,
            "display_quantity": order.display_quantity,
            "post_only": order.post_only,
            "reduce_only": order.reduce_only,
        }

    def _check_size(self, place: int, quantity: int, *prices: int | None) -> None:
        """Refuse what the engine could not count: its sums have 128 bits."""
        listed = self.terms.instruments[place]
        quote = self._core.shown.quote(listed.id) or {}
        found = [each for each in (*prices, quote.get("bid"), quote.get("ask")) if each is not None]
        unit = listed.multiplier * 10 ** (12 - listed.price_precision - listed.quantity_precision)
        if abs(quantity) * max(map(abs, found), default=1) * unit > _MONEY_MAX:
            raise VenueError("bad_request", "`quantity` times price must be below 10^16 of money")

    def _dearest(self, currency: str) -> int:
        """Say what one of a currency costs at most in any pair, rounded up; 1 at least."""
        found = [1]
        for listed in self.terms.instruments:
            quote = self._core.shown.quote(listed.id) or {}
            if listed.base == currency and (ask := quote.get("ask")) is not None:
                found.append(-(-abs(ask) // 10**listed.price_precision))
        return max(found)

    def cancel(self, account: int, client: str, now: int) -> OrderState:
        """Cancel an order; what becomes of it is a report."""
        return self._change(account, client, now, {"kind": "cancel"})

    def amend(self, account: int, client: str, terms: Mapping[str, Any], now: int) -> OrderState:
        """Change an order; what becomes of it is a report."""
        trail = _trail(terms.get("trail_amount"), terms.get("trail_rate"))
        names = ("quantity", "limit_price", "trigger_price", "expire_at")
        new = {name: terms.get(name) for name in names} | {"trail": trail}
        return self._change(account, client, now, {"kind": "amend", "terms": new})

    def _change(self, account: int, client: str, now: int, record: dict[str, Any]) -> OrderState:
        self.advance(now)
        known = self.order(account, client)
        if known is None:
            raise VenueError("unknown_order", f"there is no order {client}")
        new = record.get("terms", {})
        prices = (
            new.get(name) or getattr(known, name) for name in ("limit_price", "trigger_price")
        )
        self._check_size(
            self._place(known.instrument), new.get("quantity") or known.quantity, *prices
        )
        number = int(known.venue_order_id)
        self._run(now, {**record, "account": account, "client": client, "order": number})
        self._flush(now)
        return self._known(account, client)

    def dead_man(self, account: int, after_ns: int, now: int) -> int | None:
        """Cancel all of an account after a time unless this is said again; 0 switches it off.

        Raises
        ------
        VenueError
            If the time is not 0, and not between a second and an hour.
        """
        self.advance(now)
        if after_ns and not DEAD_MAN_NS[0] <= after_ns <= DEAD_MAN_NS[1]:
            raise VenueError("bad_request", "`after_ms` must be 0, or from 1000 to 3600000")
        at = now + after_ns if after_ns else None
        self._run(now, {"kind": "dead_man", "account": account, "at": at})
        self._flush(now)
        return at

    def trade_by_hand(
        self, account: int, instrument: str, side: str, quantity: int, now: int
    ) -> OrderState:
        """Trade on an account at the market, without its owner."""
        self.advance(now)
        client = f"@manual-{self._core.manual + 1}"
        order = SubmitOrder(
            client_order_id=client,
            instrument=instrument,
            side=side,  # type: ignore[arg-type]
            quantity=quantity,
            tif="ioc",
        )
        return self.submit(account, order, now)[0]

    def bust(self, account: int, trade_id: str, now: int) -> None:
        """Undo a fill in a pair.

        Raises
        ------
        VenueError
            If there is no such fill, it was undone before, what it brought is gone, or its
            instrument keeps a position (the engine does not book that back).
        """
        self.advance(now)
        text = self._store.fill(account, trade_id)
        if text is None:
            raise VenueError("unknown_trade", f"there is no fill {trade_id}")
        fill = decode(text, Filled)
        if self._store.is_busted(account, trade_id):
            raise VenueError("busted", f"fill {trade_id} was undone before")
        listed = self.terms.instruments[self._place(fill.instrument)]
        if listed.settlement != "exchange":
            raise VenueError(
                "not_available",
                f"fills in pairs can be undone; {fill.instrument} keeps positions, which the "
                "engine does not book back",
            )
        plain = {key: getattr(fill, key) for key in Filled.__dataclass_fields__}
        effects = self._run(now, {"kind": "bust", "account": account, "fill": plain})
        if not effects.refused:
            self._batch.busted.append((account, trade_id))
        self._flush(now)
        if effects.refused:
            raise VenueError("gone", f"fill {trade_id} cannot be undone: {effects.refused}")

    def pay(self, account: int, currency: str, amount: int, now: int) -> None:
        """Pay money in, in 1e-12, or out where it is negative."""
        self.advance(now)
        if currency not in self.terms.currencies:
            raise VenueError("bad_request", f"`currency` is not here; found {currency[:12]!r}")
        if not 0 < abs(amount) * self._dearest(currency) <= _PAID_MAX:
            text = "`amount` must not be 0, and be worth less than 10^13 of money"
            raise VenueError("bad_request", text)
        place = self.terms.currencies.index(currency)
        record = {"kind": "cash", "account": account, "currency": place, "amount": amount}
        effects = self._run(now, record)
        self._flush(now)
        if effects.refused:
            raise VenueError("not_covered", effects.refused)

    def halt(self, instrument: str, on: bool, now: int) -> None:
        """Halt an instrument, or let it trade again."""
        self.advance(now)
        status = "halted" if on else "trading"
        place = self._place(instrument)
        self._run(now, {"kind": "status", "instrument": place, "status": status})
        self._flush(now)

    # -- questions ------------------------------------------------------
    def order(self, account: int, client: str) -> OrderState | None:
        """Find an order."""
        text = self._store.order(account, client)
        return None if text is None else decode(text, OrderState)

    def open_orders(self, account: int) -> tuple[OrderState, ...]:
        """Working orders, by the time when they came."""
        return self._core.open_orders(account)

    def snapshot(self, account: int) -> AccountSnapshot:
        """Account as of its last report."""
        return AccountSnapshot(
            account=self.terms.accounts[account].name,
            sequence=self._core.sequences[account],
            ts=self._core.ts,
            balances=self._core.balances(account),
            positions=self._core.positions(account),
            orders=self._core.open_orders(account),
        )

    def reports(self, account: int, after: int, limit: int) -> list[tuple[int, Report]]:
        """Read reports after a number."""
        rows = self._store.reports(account, after, limit)
        return [(number, decode(text, object)) for number, text in rows]  # type: ignore[misc]

    def fills(self, account: int, after: int, limit: int) -> FillPage:
        """Read fills after a report, and say where to go on."""
        rows = self._store.fills(account, after, limit + 1)
        fills = tuple(decode(text, Filled) for _, text in rows[:limit])
        busted = (each.trade_id for each in fills if self._store.is_busted(account, each.trade_id))
        last = rows[:limit][-1][0] if rows else after
        return FillPage(fills=fills, busted=tuple(busted), next=last, more=len(rows) > limit)

    def listings(self) -> tuple[Listing, ...]:
        """Say what is listed, by id."""
        return tuple(
            Listing(
                instrument=each.id,
                kind=each.kind,
                settlement=each.settlement,
                currency=each.currency,
                base=each.base,
                price_precision=each.price_precision,
                quantity_precision=each.quantity_precision,
                tick_size=each.tick_units,
                lot_size=each.lot_units,
                multiplier=each.multiplier,
                data=each.matching,
                halted=self._core.shown.halted.get(each.id, False),
            )
            for each in self.terms.instruments
        )

    def market(self, instrument: str) -> list[tuple[int, MarketData | Status]]:
        """How an instrument stands, for who comes anew."""
        self._place(instrument)
        return self._core.shown.snapshot(instrument, self._core.ts)

    def sequence(self, account: int) -> int:
        """Say the number of an account's last report."""
        return self._core.sequences[account]

    def state_hash(self) -> str:
        """Fingerprint of all that matching rests on."""
        return self._core.state_hash()

    def close(self) -> None:
        """Write everything, and let go of the store."""
        if not self._failed:
            self._batch.snapshot = self._core.snapshot()
            self._flush(self._since)
        self._store.close()

    # -- inside ------------------------------------------------------
    def _place(self, instrument: str) -> int:
        try:
            return self._core.place(instrument)
        except KeyError:
            known = ", ".join(each.id for each in self.terms.instruments)
            rule = f"`instrument` must be one of {known}"
            raise VenueError("unknown_instrument", f"{rule}; found {instrument!r}") from None

    def _known(self, account: int, client: str) -> OrderState:
        found = self.order(account, client)
        assert found is not None, "an order that was taken is there"
        return found

    def _run(self, ts: int, record: dict[str, Any]) -> Effects:
        whole = {"ts": max(ts, self._core.ts + 1), **record}
        try:
            effects = self._core.apply(whole)
        except BaseException:
            self._failed = True  # half of it may have happened
            raise
        batch = self._batch
        batch.records.append(json.dumps(whole, separators=(",", ":")).encode())
        for each in effects.notices:
            report = each.report
            trade_id = report.trade_id if isinstance(report, Filled) else None
            batch.reports.append((each.account, each.sequence, trade_id, encode(report)))
        for key, state in effects.orders.items():
            batch.orders[key] = encode(state)
        self._told += effects.notices
        self._shown += effects.market
        return effects

    def _flush(self, now: int) -> None:
        self._since = now
        if self._batch:
            self._written += len(self._batch.records)
            if self._written >= _SNAPSHOT_EVERY:
                self._batch.snapshot = self._core.snapshot()
                self._written = 0
            batch, self._batch = self._batch, Batch()
            try:
                self._store.commit(batch)
            except BaseException:
                self._failed = True
                raise
        self._tell()

    def _tell(self) -> None:
        """Hand out what is durable; market data need not be."""
        assert not self._batch.reports, "reports are told when they are durable"
        told, shown = self._told, self._shown
        self._told, self._shown = [], []
        if told or shown:
            for listener in self._listeners:
                listener(told, shown)


def _trail(amount: int | None, rate: int | None) -> dict[str, int] | None:
    if amount is not None and rate is not None:
        raise VenueError("form", "`trail_amount` must not come with `trail_rate`; found both")
    if amount is not None:
        return {"amount": amount}
    return None if rate is None else {"rate": rate}
