"""Layer 0: what is remembered, and the record of what happens. Later layers override the hooks."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oracle.numbers import RATE_ONE, splitmix64
from oracle.terms import Instrument, Order, Record, instrument_of

LATENCY_KINDS = {"submit": 0, "amend": 1, "cancel": 2}


class State:
    """One fund."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.instruments = [instrument_of(i, each) for i, each in enumerate(config["instruments"])]
        self.sleeves = config["sleeves"]
        self.currencies = config["currencies"]
        self.venues = config["venues"]
        self.account = {
            "kind": "cash",
            "positions": "netting",
            "trade_on_unsettled": True,
        } | dict(config.get("account") or {})
        self.hedging = self.account["positions"] == "hedging"
        self.legs = 2 if self.hedging else 1
        self.limits: dict[str, Any] = dict(config["limits"])
        self.seed = config.get("seed", 0)
        self.now = 0
        """Time of what is being done; the time of its outputs."""
        self.outputs: list[Record] = []
        self.orders: dict[int, Order] = {}
        self.alive: list[Order] = []
        self.marks: dict[int, int] = {}
        self.mark_times: dict[int, int] = {}
        self.ended: set[int] = set()
        self.halted: set[int] = set()
        self.figures: dict[tuple[str, int | None], tuple[int, int]] = {}
        self.scenarios: dict[int, tuple[list[int], int]] = {}
        self.fills = 0
        self.excluded: frozenset[int] = frozenset()
        """Orders that are not in flight for what is being judged."""
        self.released: list[Order] = []
        """Children that have been released and have yet to act."""
        self.transit: list[tuple[int, int, int, str, Any]] = []
        """(arrival, order id, number of sending, kind, terms)"""
        self.sent = 0
        self.rates: dict[int, int] = {}
        self.borrow = {each.index: each.borrow_rate for each in self.instruments}
        self.interest = {
            index: (each.get("credit_rate", 0), each.get("debit_rate", 0))
            for index, each in enumerate(self.currencies)
        }
        self.shortable = {each.index: each.shortable for each in self.instruments}
        self.felt: dict[int, tuple[int, int]] = {}
        """Our signed volume as far as it is felt, and since when, by instrument."""
        self.traded: Counter[int] = Counter()
        self.traded_days: dict[int, list[int]] = defaultdict(list)
        self.tiers: dict[int, int] = dict.fromkeys(range(len(self.venues)), 0)
        self.ranks: Counter[int] = Counter()
        self.happened: Counter[str] = Counter()
        """What was seen, for the coverage."""

    # Small questions.

    def working(self) -> list[Order]:
        """Orders that are not finished, by id."""
        self.alive = [order for order in self.alive if order.working]
        return list(self.alive)

    def of(self, order: Order) -> Instrument:
        return self.instruments[order.instrument]

    def venue(self, instrument: Instrument) -> Mapping[str, Any]:
        venue: Mapping[str, Any] = self.venues[instrument.venue]
        return venue

    def is_remote(self, instrument: Instrument) -> bool:
        return bool(self.venue(instrument).get("remote"))

    def limit(self, name: str) -> Any:  # noqa: ANN401 - limits are of several types
        return self.limits.get(name)

    def valid_figure(self, kind: str, instrument: int | None) -> int | None:
        found = self.figures.get((kind, instrument))
        return found[0] if found is not None and self.now < found[1] else None

    @contextlib.contextmanager
    def without(self, orders: Iterable[int]) -> Iterator[None]:
        """Judge as if these orders were not in flight."""
        before = self.excluded
        self.excluded = before | frozenset(orders)
        try:
            yield
        finally:
            self.excluded = before

    # Prices.

    def band(self, centre: int) -> tuple[int, int]:
        """Edges of the price band around a price, times 1e9."""
        width = abs(centre) * int(self.limits["price_band"])
        return centre * RATE_ONE - width, centre * RATE_ONE + width

    def sigma_and_volume(self, instrument: Instrument) -> tuple[int | None, int | None]:
        sigma = self.figures.get(("volatility", instrument.index), (instrument.volatility,))[0]
        volume = self.figures.get(
            ("average_volume", instrument.index), (instrument.average_volume,)
        )[0]
        return sigma, volume

    # Latency.

    def arrival_of(self, order: Order, kind: str, number: int | None = None) -> int:
        model = self.venue(self.of(order)).get("latency") or {}
        base = model.get(f"{kind}_ns", 0)
        id = order.id if number is None else number
        draw = splitmix64((self.seed + 4 * id + LATENCY_KINDS[kind]) % 2**64) % (
            model.get("jitter_ns", 0) + 1
        )
        return int(max(self.now + base + draw, order.last_command))

    def send(self, order: Order, kind: str, arrival: int, terms: object = None) -> None:
        self.sent += 1
        order.last_command = arrival
        self.transit.append((arrival, order.id, self.sent, kind, terms))

    # What is recorded.

    def emit(self, kind: str, body: Record) -> None:
        self.outputs.append({kind: body})

    def emit_ts(self, output: str, /, **body: Any) -> None:  # noqa: ANN401 - outputs are JSON-like
        self.outputs.append({output: {"ts": self.now, **body}})

    def verdict(
        self,
        order: Order,
        outcome: str,
        rule: str,
        figure: Record | str = "none",
        limit: Record | str = "none",
    ) -> None:
        self.emit_ts(
            "verdict", order=order.id, rule=rule, figure=figure, limit=limit, outcome=outcome
        )

    # Hooks.

    def arrive(self, order: Order) -> None:
        raise NotImplementedError

    def new_risk_allowed(self, sleeve: int) -> bool:
        """Say whether fund and sleeve are active and on."""
        raise NotImplementedError

    def mark_set(self, index: int, before: tuple[int, int] | None) -> None:
        raise NotImplementedError

    def refresh_rates(self, index: int) -> None:
        raise NotImplementedError

    def capital_moved(self, sleeve: int, amount: int) -> None:
        raise NotImplementedError

    def drop_market(self, index: int) -> None:
        raise NotImplementedError

    def leave(self, order: Order) -> None:
        """Take an order out of the queues of its market."""
        order.resting = False

    def set_mark(self, index: int, price: int) -> None:
        before = (self.marks[index], self.mark_times[index]) if index in self.marks else None
        self.marks[index] = price
        self.mark_times[index] = self.now
        self.refresh_rates(index)
        self.mark_set(index, before)
