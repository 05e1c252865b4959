"""Both arbitrages on scripted markets: when they trade, how much, and how they end flat."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from quantvista.data.events import EventData
from quantvista.engine import VenueRates
from quantvista.errors import ConfigError
from quantvista.market import Instrument
from quantvista.strategies import CrossVenueArbitrage, EventStrategy, TriangularArbitrage
from support.event_runs import Run, generated, quotes

type Row = tuple[float, int, float, float, float, float]

ALPHA, BETA = (
    Instrument(f"COIN-USD.{venue}", kind="spot", matching="quotes") for venue in ("ALPHA", "BETA")
)


def pair(base: str, quote: str) -> Instrument:
    return Instrument(
        f"{base}-{quote}.SIM",
        currency=quote,
        kind="pair",
        settlement="exchange",
        base=base,
        matching="quotes",
        price_precision=4,
        tick_size=Decimal("0.0001"),
    )


EUR_GBP, EUR_USD, GBP_USD = pair("EUR", "GBP"), pair("EUR", "USD"), pair("GBP", "USD")
TRIANGLE = {"first": GBP_USD.id, "second": EUR_USD.id, "cross": EUR_GBP.id}
ROUND = {"stock_first": 1000.0, "stock_second": 1000.0, "costs_bps": 1.0, "notional_max": 550.0}


def cross_venue(
    rows: list[Row], *, latency_ns: int = 0, account: str = "margin", **params: object
) -> Run:
    given: dict[str, object] = {"a": ALPHA.id, "b": BETA.id, **params}
    return Run.of(
        CrossVenueArbitrage(**given),
        [ALPHA, BETA],
        quotes(rows),
        account=account,
        shortable=1000 if account == "margin" else 0,
        latency_ns=latency_ns,
    ).go()


def triangle(rows: list[Row], *, venue: VenueRates | None = None, **params: object) -> Run:
    return Run.of(
        TriangularArbitrage(**{**TRIANGLE, **ROUND, **params}),
        [EUR_GBP, EUR_USD, GBP_USD],
        quotes(rows, 10_000.0),
        venue=venue,
    ).go()


def fills(of: Run) -> list[tuple[str, str, float, float]]:
    rows = of.table("fills").to_dicts()
    return [(r["instrument"], r["side"], float(r["quantity"]), float(r["price"])) for r in rows]


def test_gap_of_prices_is_taken_on_both_venues_at_once() -> None:
    done = cross_venue(
        [(0, 0, 99.99, 7, 100.0, 7), (0, 1, 100.2, 5, 100.21, 5)], quantity_max=9.0, costs_bps=4.0
    )
    assert fills(done) == [(ALPHA.id, "buy", 5.0, 100.0), (BETA.id, "sell", 5.0, 100.2)]
    assert done.session.cash(0) == 100_001 * 10**12


def test_gap_within_the_costs_is_left() -> None:
    rows: list[Row] = [(0, 0, 99.99, 7, 100.0, 7), (0, 1, 100.05, 5, 100.06, 5)]
    assert not fills(cross_venue(rows, costs_bps=4.1, edge_min_bps=1.0))
    assert fills(cross_venue(rows, costs_bps=3.9, edge_min_bps=1.0))


def test_old_prices_are_not_traded_on() -> None:
    rows: list[Row] = [(0, 0, 99.99, 7, 100.0, 7), (1.1, 1, 101.0, 5, 101.01, 5)]
    assert not fills(cross_venue(rows))
    assert fills(cross_venue(rows, age_max_ms=1_200))


def test_missing_side_is_not_traded_on() -> None:
    nan = float("nan")
    assert not fills(cross_venue([(0, 0, nan, nan, 100.0, 7), (0, 1, 101.0, 5, 101.01, 5)]))


def test_size_that_is_not_known_limits_nothing() -> None:
    nan = float("nan")
    rows: list[Row] = [(0, 0, 99.99, nan, 100.0, nan), (0, 1, 101.0, nan, 101.01, nan)]
    done = cross_venue(rows, quantity_max=4.0)
    assert fills(done) == [(ALPHA.id, "buy", 4.0, 100.0), (BETA.id, "sell", 4.0, 101.0)]


def test_side_that_missed_is_closed_with_a_market_order() -> None:
    """The dear bid is gone when the order arrives, 50 ms later."""
    rows: list[Row] = [
        (0, 0, 99.99, 9, 100.0, 9),
        (0, 1, 100.5, 9, 100.51, 9),
        (0.01, 1, 99.9, 9, 99.91, 9),
        (0.2, 1, 99.9, 9, 99.91, 9),
        (0.5, 0, 99.99, 9, 100.0, 9),
        (0.6, 1, 99.9, 9, 99.91, 9),
    ]
    done = cross_venue(rows, quantity_max=3.0, costs_bps=20.0, latency_ns=50_000_000)
    assert fills(done) == [(ALPHA.id, "buy", 3.0, 100.0), (ALPHA.id, "sell", 3.0, 99.99)]
    assert done.session.position(0, 0) == done.session.position(0, 1) == 0


def test_holdings_pile_up_to_the_limit_and_no_further() -> None:
    rows: list[Row] = []
    for k in range(30):
        rows += [(k * 0.1, 0, 99.99, 9, 100.0, 9), (k * 0.1, 1, 101.0, 9, 101.01, 9)]
    done = cross_venue(rows, quantity_max=3.0, stock_max=10.0)
    assert [done.session.position(0, each) for each in (0, 1)] == [10, -10]


def test_cash_account_buys_its_stock_first_and_is_never_short() -> None:
    rows: list[Row] = [(0, 0, 99.99, 50, 100.0, 50), (0, 1, 99.99, 50, 100.0, 50)]
    for k in range(1, 30):
        rows += [(k * 0.1, 0, 99.99, 9, 100.0, 9), (k * 0.1, 1, 101.0, 9, 101.01, 9)]
    done = cross_venue(rows, account="cash", stock=10.0, stock_max=20.0, quantity_max=4.0)
    first = fills(done)[:2]
    assert first == [(ALPHA.id, "buy", 10.0, 100.0), (BETA.id, "buy", 10.0, 100.0)]
    assert [done.session.position(0, each) for each in (0, 1)] == [20, 0]
    assert "rejected" not in set(done.table("orders")["status"])


def test_what_the_gate_refuses_waits() -> None:
    rows: list[Row] = []
    for k in range(25):
        rows += [(k * 0.1, 0, 99.99, 9, 100.0, 9), (k * 0.1, 1, 101.0, 9, 101.01, 9)]
    done = cross_venue(rows, account="cash", quantity_max=3.0, pause_ms=1_000)  # no stock to sell
    refused = done.table("orders").filter(pl.col("status") == "rejected")
    assert set(refused["reason"]) == {"no_short"}
    assert len(refused) == 3


def test_same_instrument_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="`a` and `b` must differ"):
        CrossVenueArbitrage(a=ALPHA.id, b=ALPHA.id)
    with pytest.raises(ConfigError, match="must differ; found X, Y, X"):
        TriangularArbitrage(first="X", second="X", cross="Y", stock_first=1.0, stock_second=1.0)


AGREED: list[Row] = [
    (0, 0, 0.8659, 9000, 0.8661, 9000),
    (0, 2, 1.2699, 9000, 1.2701, 9000),
    (0, 1, 1.0999, 9000, 1.1001, 9000),
]
AGAIN: Row = (0.4, 2, 1.2699, 9000, 1.2701, 9000)


def test_balances_are_bought_at_the_start_and_nothing_while_prices_agree() -> None:
    done = triangle(AGREED)
    assert fills(done) == [(GBP_USD.id, "buy", 1000.0, 1.2701), (EUR_USD.id, "buy", 1000.0, 1.1001)]


@pytest.mark.parametrize(
    ("euro", "sides", "prices"),
    [
        (1.1041, ("buy", "buy", "sell"), (1.2701, 0.8661, 1.104)),
        (1.0951, ("sell", "sell", "buy"), (1.2699, 0.8659, 1.0952)),
    ],
)
def test_round_goes_the_way_that_gains(
    euro: float, sides: tuple[str, ...], prices: tuple[float, ...]
) -> None:
    moved: Row = (0.5, 1, round(euro - 0.0001, 4), 9000, round(euro + 0.0001, 4), 9000)
    done = triangle([*AGREED, AGAIN, moved])
    found = fills(done)[2:]
    assert {(name, side, price) for name, side, _, price in found} == set(
        zip((GBP_USD.id, EUR_GBP.id, EUR_USD.id), sides, prices, strict=True)
    )
    amounts = {name: quantity for name, _, quantity, _ in found}
    assert amounts[EUR_GBP.id] == amounts[EUR_USD.id] == int(0.99 * 550 / (euro + 0.0001))
    assert amounts[GBP_USD.id] == round(amounts[EUR_GBP.id] * prices[1])
    money = sum(
        (quantity if side == "sell" else -quantity) * price
        for name, side, quantity, price in found
        if name != EUR_GBP.id
    )
    assert money > 0
    balances = {row["currency"]: row["settled"] for row in done.table("balances").to_dicts()}
    assert not balances or abs(float(balances.get("EUR", 1000)) - 1000) < 1


def test_round_leaves_the_other_balances_as_they_were_to_a_lot() -> None:
    done = triangle([*AGREED, AGAIN, (0.5, 1, 1.104, 9000, 1.1042, 9000)])
    context = done.hosts[0][1]
    assert context.balance("EUR") == 1000.0
    assert context.balance("GBP") == pytest.approx(1000.0, abs=1.0)


def test_gap_within_the_costs_of_three_trades_is_left() -> None:
    moved: Row = (0.5, 1, 1.104, 9000, 1.1042, 9000)
    edge = 1.104 / (1.2701 * 0.8661) - 1
    assert len(fills(triangle([*AGREED, AGAIN, moved], costs_bps=edge * 1e4 - 1.01))) == 5
    assert len(fills(triangle([*AGREED, AGAIN, moved], costs_bps=edge * 1e4 - 0.99))) == 2


def test_drift_beyond_its_share_is_brought_back() -> None:
    """A fee of the cross is paid in pounds; the balance is restored once it is off by a tenth."""
    rows = list(AGREED)
    for k in range(1, 40):
        rows.append((0.1 * k, 1, 1.104, 9000, 1.1042, 9000))
        rows += [(0.1 * k, 0, 0.8659, 9000, 0.8661, 9000), (0.1 * k, 2, 1.2699, 9000, 1.2701, 9000)]
    done = triangle(rows, venue=VenueRates(fee_rate=10_000_000), drift_max=0.05)
    market = done.table("orders").filter(pl.col("type") == "market")
    pounds = market.filter(pl.col("instrument") == GBP_USD.id)["quantity"].to_list()[1:]
    assert pounds
    assert all(50 <= quantity <= 60 for quantity in pounds)
    assert abs(done.hosts[0][1].balance("GBP") - 1000) <= 60


def shipped(name: str) -> tuple[Callable[[], EventStrategy], EventData, str]:
    if name == "two_venues":
        data = generated(name, seconds=60, lag_ms=2000, size=100)
        a, b = data.ids
        return (
            lambda: CrossVenueArbitrage(a=a, b=b, costs_bps=0.5, edge_min_bps=0.5),
            data,
            "margin",
        )
    data = generated(name, seconds=60, lag_ms=2000)
    stocks = {"stock_first": 50_000.0, "stock_second": 50_000.0}
    costs = {"notional_max": 20_000.0, "costs_bps": 0.2, "edge_min_bps": 0.2}
    return (lambda: TriangularArbitrage(**{**TRIANGLE, **stocks, **costs}), data, "cash")


@pytest.mark.parametrize("name", ["two_venues", "triangle"])
def test_later_data_change_no_earlier_order_and_state_survives(name: str) -> None:
    make, data, account = shipped(name)
    tape, half = data.tape, len(data.tape) // 2

    def fresh(rows: int) -> Run:
        return Run.of(
            make(),
            data.instruments,
            tape.take(slice(0, rows)),
            account=account,
            cash="1000000",
            shortable=10**9 if account == "margin" else 0,
            latency_ns=5_000_000,
        )

    whole, cut, first, second = fresh(len(tape)), fresh(half), fresh(len(tape)), fresh(len(tape))
    whole.go()
    cut.go()
    last = int(tape.ts_received[half - 1])
    for table in ("fills", "verdicts"):
        early = whole.table(table).filter(pl.col("ts").cast(pl.Int64) < last)
        assert early.equals(cut.table(table).filter(pl.col("ts").cast(pl.Int64) < last))
    first.go(half)
    second.restore(first.snapshot())
    second.go()
    assert second.session.state_hash() == whole.session.state_hash()
    assert second.strategy.dump_state() == whole.strategy.dump_state()
    assert whole.session.fills > 10
