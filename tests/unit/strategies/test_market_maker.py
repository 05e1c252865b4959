"""The market maker: the paper's formulas and numbers, and what it does on scripted markets."""

from collections.abc import Sequence
from decimal import Decimal
from math import log

import numpy as np
import polars as pl
import pytest

from quantvista.market import Instrument
from quantvista.strategies import MarketMaker
from support.event_runs import START, Run, generated, quotes

COIN = Instrument(
    "COIN-USD.SIM",
    kind="spot",
    matching="quotes",
    quantity_precision=2,
    lot_size=Decimal("0.01"),
)
QUICK = {"warm_up_events": 1, "interval_ms": 0, "quantity": 1.0, "gamma": 0.1, "kappa": 100.0}


def still(count: int, bid: float = 99.95, ask: float = 100.05) -> list[tuple[float, ...]]:
    return [(k, 0, bid, 500, ask, 500) for k in range(count)]


def run(rows: Sequence[tuple[float, ...]], *, account: str = "margin", **params: object) -> Run:
    settings: dict[str, object] = {**QUICK, **params}
    shortable = 10**9 if account == "margin" else 0
    tape = quotes(rows)  # type: ignore[arg-type]
    return Run.of(MarketMaker(**settings), [COIN], tape, account=account, shortable=shortable).go()


def working(of: Run) -> list[tuple[str, float, float]]:
    rows = of.table("orders").filter(pl.col("status").is_in(["accepted", "partially_filled"]))
    return sorted(
        (r["side"], float(r["limit_price"]), float(r["quantity"])) for r in rows.to_dicts()
    )


@pytest.mark.parametrize(("gamma", "spread"), [(0.1, 1.49), (0.01, 1.35)])
def test_mean_spread_is_that_of_the_papers_tables(gamma: float, spread: float) -> None:
    """sigma 2, kappa 1.5, over a horizon that runs from 1 to 0."""
    widths = []
    for left in np.linspace(1.0, 0.005, 200):
        maker = MarketMaker(gamma=gamma, kappa=1.5, horizon_s=float(left))
        bid, ask = maker.prices(100.0, 4.0, 3.0)
        widths.append(ask - bid)
    assert np.mean(widths) == pytest.approx(spread, abs=0.006)


@pytest.mark.parametrize(
    ("gamma", "profit", "deviation", "inventory"),
    [(0.1, 62.94, 5.89, 2.80), (0.01, 66.78, 8.76, 4.70)],
)
def test_simulated_profit_and_inventory_are_those_of_the_papers_tables(
    gamma: float, profit: float, deviation: float, inventory: float
) -> None:
    """A thousand paths of the paper's market: fills come at a rate of 140 exp(-1.5 distance)."""
    rng = np.random.default_rng(20080424)
    paths, steps, sigma, rate, kappa = 1_000, 200, 2.0, 140.0, 1.5
    dt = 1.0 / steps
    mid, cash, held = (np.full(paths, value) for value in (100.0, 0.0, 0.0))
    for step in range(steps):
        maker = MarketMaker(gamma=gamma, kappa=kappa, horizon_s=1.0 - step * dt)
        # The formula is plain arithmetic, so it takes arrays of inventories.
        bid, ask = maker.prices(mid, sigma**2, held)  # type: ignore[arg-type]
        bought = rng.random(paths) < rate * np.exp(-kappa * (mid - bid)) * dt
        sold = rng.random(paths) < rate * np.exp(-kappa * (ask - mid)) * dt
        cash += np.where(sold, ask, 0.0) - np.where(bought, bid, 0.0)
        held += bought.astype(float) - sold
        mid = mid + sigma * np.sqrt(dt) * rng.choice([-1.0, 1.0], paths)
    gained = cash + held * mid
    # The paper does not say all about its steps: profits come out up to 3 % higher.
    assert gained.mean() == pytest.approx(profit, rel=0.04)
    assert gained.std() == pytest.approx(deviation, rel=0.15)
    assert held.std() == pytest.approx(inventory, rel=0.15)


def test_quotes_stand_where_the_formula_says_to_the_tick_away_from_the_market() -> None:
    done = run(still(3), gamma=0.1, kappa=10.0)
    half = log(1 + 0.1 / 10.0) / 0.1  # no volatility yet: 0.0995
    assert half == pytest.approx(0.0995, abs=1e-4)
    assert working(done) == [("buy", 99.9, 1.0), ("sell", 100.1, 1.0)]


def test_narrow_model_joins_the_spread_but_never_crosses_it() -> None:
    done = run(still(3, 99.99, 100.0), kappa=1e6)
    assert working(done) == [("buy", 99.99, 1.0), ("sell", 100.0, 1.0)]
    assert not done.session.fills


def test_bought_inventory_lowers_both_quotes() -> None:
    moves = [(k, 0, 99.95 + 0.1 * (k % 2), 500, 100.05 + 0.1 * (k % 2), 500) for k in range(60)]
    fallen = [(60 + k, 0, 99.0, 500, 99.1, 500) for k in range(3)]
    done = run([*moves, *fallen], kappa=10.0, half_life_s=1e6, horizon_s=10.0, requote_ticks=1)
    maker, desk = done.strategy, done.strategy.state.desks[COIN.id]
    assert isinstance(maker, MarketMaker)
    assert done.session.position(0, 0) == 100
    bid, ask = maker.prices(99.05, desk.variance, 1.0)
    assert 99.05 - (bid + ask) / 2 == pytest.approx(0.1 * desk.variance * 10.0)
    assert (bid + ask) / 2 < 99.04
    (buy, sell) = working(done)
    assert 0 <= bid - buy[1] < 0.01
    assert 0 <= sell[1] - ask < 0.01


def test_variance_is_that_of_the_mid_a_second_without_a_warm_up_bias() -> None:
    rows = [(0.5 * k, 0, 99.9 + 0.2 * (k % 2), 500, 100.1 + 0.2 * (k % 2), 500) for k in range(5)]
    done = run(rows, half_life_s=3600.0, gamma=1e-9)
    assert done.strategy.state.desks[COIN.id].variance == pytest.approx(0.04 / 0.5)


def test_side_at_its_limit_is_not_quoted() -> None:
    crash = [*still(3), *[(3 + k, 0, 99.0 - k, 500, 99.1 - k, 500) for k in range(20)]]
    done = run(crash, inventory_max=3.0, gamma=1e-6)
    assert done.session.position(0, 0) == 300
    assert [side for side, _, _ in working(done)] == ["sell"]


def test_cash_account_with_a_target_is_never_short() -> None:
    up = [*still(3), *[(3 + k, 0, 101.0 + k, 500, 101.1 + k, 500) for k in range(20)]]
    done = run(up, account="cash", inventory_target=2.0, inventory_max=2.0)
    orders = done.table("orders")
    assert "rejected" not in set(orders["status"])
    crash = [*still(3), *[(3 + k, 0, 99.0 - k, 500, 99.1 - k, 500) for k in range(9)]]
    done = run(crash, account="cash", inventory_target=2.0, inventory_max=2.0, gamma=1e-6)
    assert done.session.position(0, 0) == 400
    assert "rejected" not in set(done.table("orders")["status"])


def test_place_in_the_queue_is_kept_while_the_price_is_near() -> None:
    rows = [*still(2), (2, 0, 99.96, 500, 100.06, 500), (3, 0, 99.99, 500, 100.09, 500)]
    done = run(rows, kappa=10.5, requote_ticks=3, gamma=1e-6)
    orders = done.table("orders")
    assert len(orders) == 2  # amended in place, never cancelled
    assert working(done) == [("buy", 99.94, 1.0), ("sell", 100.14, 1.0)]
    done = run(rows[:3], kappa=10.5, requote_ticks=3, gamma=1e-6)
    assert working(done) == [("buy", 99.9, 1.0), ("sell", 100.1, 1.0)]


def test_refused_quotes_are_not_sent_again_at_once() -> None:
    rows = [(0.1 * k, 0, 99.95, 500, 100.05, 500) for k in range(30)]
    done = run(rows, account="cash", pause_ms=1_000)  # nothing to sell: no_short
    orders = done.table("orders")
    refused = orders.filter(pl.col("status") == "rejected")
    assert set(refused["reason"]) == {"no_short"}
    assert len(refused) == 3


def test_nothing_is_quoted_before_the_warm_up_is_over() -> None:
    assert not len(run(still(9), warm_up_events=10).table("orders"))
    assert len(run(still(10), warm_up_events=10).table("orders")) == 2


def test_later_data_change_no_earlier_order() -> None:
    data = generated("market", seconds=60)
    settings = {"gamma": 0.05, "kappa": 100.0, "warm_up_events": 20}
    cut = len(data.tape) * 2 // 3
    whole = Run.of(
        MarketMaker(**settings), data.instruments, data.tape, account="margin", shortable=10**9
    ).go()
    short = Run.of(
        MarketMaker(**settings),
        data.instruments,
        data.tape.take(slice(0, cut)),
        account="margin",
        shortable=10**9,
    ).go()
    last = int(data.tape.ts_received[cut - 1])
    for name in ("fills", "verdicts"):
        early = whole.table(name).filter(pl.col("ts").cast(pl.Int64) < last)
        assert early.equals(short.table(name).filter(pl.col("ts").cast(pl.Int64) < last))
    assert whole.session.fills > short.session.fills > 10


def test_state_survives_a_snapshot() -> None:
    data = generated("market", seconds=60)
    settings = {"gamma": 0.05, "kappa": 100.0, "warm_up_events": 20}

    def fresh() -> Run:
        return Run.of(
            MarketMaker(**settings),
            data.instruments,
            data.tape,
            account="margin",
            shortable=10**9,
            latency_ns=20_000_000,
        )

    whole, first, second = fresh().go(), fresh().go(len(data.tape) // 2), fresh()
    second.restore(first.snapshot())
    second.go()
    assert second.session.state_hash() == whole.session.state_hash()
    assert second.strategy.dump_state() == whole.strategy.dump_state()
    assert whole.session.fills > 10
    assert whole.session.now > START
