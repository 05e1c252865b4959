"""Generated markets are what they say: seeded, uncrossed, consistent, and labelled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantvista.data import DataSpec
from quantvista.data.events import GENERATED_MARKETS, EventData, EventSource, load_events
from quantvista.engine import MISSING
from quantvista.errors import ConfigError
from quantvista.market import EventKind


def market(name: str, **params: Any) -> EventData:  # noqa: ANN401 - numbers of all kinds
    source = EventSource(f"generated:{name}", params={"seconds": 120, **params})
    return load_events(DataSpec(events=(source,)), base=Path(), calendar="24/7")


@pytest.mark.parametrize("name", GENERATED_MARKETS)
def test_the_same_parameters_give_the_same_market(name: str) -> None:
    assert market(name).fingerprint == market(name).fingerprint
    assert market(name).fingerprint != market(name, seed=2).fingerprint


@pytest.mark.parametrize("name", GENERATED_MARKETS)
@pytest.mark.parametrize(("publish", "way"), [("quotes", "quotes"), ("l2", "l2"), ("l3", "l3")])
def test_every_market_can_be_matched_in_every_way(name: str, publish: str, way: str) -> None:
    data = market(name, publish=publish)
    assert {each.matching for each in data.instruments} == {way}
    assert data.biases[0].name == "generated"
    assert "say nothing about any market" in data.biases[0].text
    assert data.tape.counts()["trade"] > 100


def test_quotes_levels_and_orders_are_the_same_book() -> None:
    quotes, levels, orders = (market("market", publish=way).tape for way in ("quotes", "l2", "l3"))
    assert _best_of_levels(levels) == _best_of_orders(orders) == _best_of_quotes(quotes)


def _best_of_quotes(tape: Any) -> list[tuple[int, ...]]:  # noqa: ANN401 - a Tape
    rows = tape.take(tape.kind == EventKind.QUOTE)
    return list(zip(*(getattr(rows, k).tolist() for k in ("ts_received", *"abcd")), strict=True))


def _best_of_levels(tape: Any) -> list[tuple[int, ...]]:  # noqa: ANN401 - a Tape
    rows = tape.take(tape.kind == EventKind.BOOK_LEVEL)
    book: tuple[dict[int, int], dict[int, int]] = ({}, {})
    found: list[tuple[int, ...]] = []
    for ts, flag, price, size in zip(
        *(getattr(rows, k).tolist() for k in ("ts_received", "flag", "a", "b")), strict=True
    ):
        side = book[flag & 1]
        side.pop(price, None)
        if size:
            side[price] = size
        if not flag & 128:
            _note(found, ts, *book)
    return found


def _best_of_orders(tape: Any) -> list[tuple[int, ...]]:  # noqa: ANN401 - a Tape
    rows = tape.take((tape.kind >= 5) & (tape.kind <= 7))
    orders: dict[int, tuple[int, int, int]] = {}
    found: list[tuple[int, ...]] = []
    for ts, kind, flag, price, size, number in zip(
        *(getattr(rows, k).tolist() for k in ("ts_received", "kind", "flag", "a", "b", "c")),
        strict=True,
    ):
        if kind == EventKind.BOOK_ORDER_DELETED:
            del orders[number]
        else:
            assert (number in orders) == (kind == EventKind.BOOK_ORDER_MODIFIED)
            orders[number] = (flag & 1, price, size)
        if not flag & 128:
            book: tuple[dict[int, int], dict[int, int]] = ({}, {})
            for side, at, quantity in orders.values():
                book[side][at] = book[side].get(at, 0) + quantity
            _note(found, ts, *book)
    return found


def _note(
    found: list[tuple[int, ...]], ts: int, bids: dict[int, int], asks: dict[int, int]
) -> None:
    if not bids and not asks:
        return
    bid, ask = max(bids, default=MISSING), min(asks, default=MISSING)
    assert bid == MISSING or ask == MISSING or bid < ask
    best = (bid, bids.get(bid, MISSING), ask, asks.get(ask, MISSING))
    if not found or found[-1][1:] != best:
        found.append((ts, *best))


def test_trades_happen_at_prices_that_were_quoted() -> None:
    tape = market("market").tape
    bid = ask = MISSING
    for kind, flag, a, c in zip(
        *(getattr(tape, k).tolist() for k in ("kind", "flag", "a", "c")), strict=True
    ):
        if kind == EventKind.QUOTE:
            bid, ask = a, c
        elif kind == EventKind.TRADE:
            assert a >= ask if flag == 1 else a <= bid


def test_the_second_venue_is_late() -> None:
    data = market("two_venues", seconds=600, lag_ms=2000)
    mids = []
    for number in (0, 1):
        rows = data.tape.take((data.tape.kind == 1) & (data.tape.instrument == number))
        both = (rows.a != MISSING) & (rows.c != MISSING)
        grid = data.tape.ts_received[0] + np.arange(10, 590) * 10**9
        at = np.searchsorted(rows.ts_received[both], grid, side="right") - 1
        mids.append((rows.a[both] + rows.c[both])[at] / 2)
    alpha, beta = mids
    lags = {k: np.abs(alpha[: len(alpha) - k] - beta[k:]).mean() for k in range(5)}
    assert min(lags, key=lambda k: lags[k]) == 2


def test_the_triangle_closes_around_the_rate_of_its_legs() -> None:
    data = market("triangle", lag_ms=0)
    assert data.currencies == (("USD", 2), ("EUR", 2), ("GBP", 2))
    last = {}
    for number, name in enumerate(data.ids):
        rows = data.tape.take((data.tape.kind == 1) & (data.tape.instrument == number))
        both = (rows.a != MISSING) & (rows.c != MISSING)
        last[name] = (rows.a[both][-1] + rows.c[both][-1]) / 2 / 1e5
    implied = last["EUR-USD.SIM"] / last["GBP-USD.SIM"]
    assert last["EUR-GBP.SIM"] == pytest.approx(implied, abs=0.0002)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("markets", {}, "must be one of generated:market, generated:two_venues, generated:tri"),
        ("market", {"sed": 1}, r"`data.events.params.sed` is unknown.*mean `seed`"),
        ("market", {"lag_ms": 1}, "`data.events.params.lag_ms` is unknown for generated:market"),
        ("market", {"seconds": 0}, "seconds` must be positive"),
        ("market", {"seconds": 1.5}, "seconds` must be a whole number; found 1.5"),
        ("market", {"move_rate": "x"}, "move_rate` must be a number"),
        ("market", {"price": "x"}, "price` must be a decimal number"),
        ("market", {"symbol": 5}, "symbol` must be text"),
        ("market", {"seed": -1}, "seed` must not be negative"),
        ("market", {"publish": "l1"}, "publish` must be one of quotes, l2, l3"),
        ("market", {"start": "2024-01-02"}, "start` must be an ISO instant with an offset"),
        ("market", {"start": "soon"}, "start` must be an ISO instant with an offset"),
    ],
)
def test_parameters_that_cannot_be_are_refused(
    name: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        market(name, **params)
