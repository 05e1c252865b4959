"""A run that is saved and restored after every step ends as the run that was left alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import Field

import quantvista as qv
from quantvista.backtest import Simulation
from quantvista.backtest._setup import simulation
from quantvista.data import MarketData
from quantvista.engine import RawEngine, run_tables
from quantvista.errors import EngineError, StrategyError
from quantvista.fund import LoadedFund
from quantvista.fund.desk import load_strategies
from support.engine_adapter import EngineAdapter
from support.funds_on_disk import make_fund, prices
from support.random_funds import random_fund

DAY = 86_400 * 10**9
ROWS = 90


class Restless(qv.EventStrategy):
    """Trades by its random numbers, its timers, its memory and what became of its orders."""

    class Params(qv.StrategyParams):
        chance: float = Field(0.3, gt=0, le=1, description="of an order per bar")

    @dataclass
    class State:
        seen: int = 0
        waits: dict[str, float] = field(default_factory=dict)
        orders: list[int] = field(default_factory=list)
        story: list[str] = field(default_factory=list)

    params: Params
    state: State

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
        self.state.seen += 1
        # What became of older orders, finished ones too, decides about the next one.
        filled = sum(ctx.order(number).filled for number in self.state.orders[-5:])
        if ctx.rng.random() > self.params.chance:
            return
        quantity = float(ctx.rng.integers(1, 50) + filled % 3)
        held = ctx.position(bar.instrument)
        side: Any = "sell" if held >= quantity and ctx.rng.random() < 0.5 else "buy"
        if ctx.rng.random() < 0.4:
            price = round(bar.close * (0.99 if side == "buy" else 1.01), 2)
            order = ctx.submit(
                bar.instrument, side, quantity, type="limit", tif="gtc", limit_price=price
            )
        else:
            order = ctx.submit(bar.instrument, side, quantity)
        self.state.orders.append(order)
        for delay in (3, 3, 5):
            ctx.set_timer(bar.ts + delay * DAY, f"{9 - delay}:{order}")

    def on_fill(self, ctx: qv.Context, fill: qv.Fill) -> None:
        self.state.waits[fill.instrument] = fill.price + self.state.waits.get(fill.instrument, 0.0)

    def on_timer(self, ctx: qv.Context, timer: qv.Timer) -> None:
        order = int(timer.name.partition(":")[2])
        self.state.story.append(f"{timer.name} at {timer.ts} {ctx.order(order).status}")
        ctx.cancel(order)


def make(folder: Path) -> LoadedFund:
    return make_fund(
        folder,
        prices(5, ROWS, 4, gaps=True),
        [
            {"id": "calm", "strategy": "equal_weight", "share": 0.25},
            {"id": "follow", "strategy": "trend", "share": 0.25, "params": {"lookback": 10}},
            {"id": "restless", "strategy": Restless, "share": 0.5},
        ],
    )


def fresh(loaded: LoadedFund) -> Simulation:
    """A simulation that nothing has happened to, with strategies of its own."""
    return simulation(loaded, loaded.market_data(), load_strategies(loaded))


def advance(run: Simulation) -> pa.Table:
    """Run one row; return the fills of it."""
    before = run.session.fills
    run.run(run.session.row + 1)
    return tables(run)["fills"].slice(before)


def tables(run: Simulation) -> dict[str, pa.Table]:
    return run_tables(run.session, run.config)


def seen_by(run: Simulation) -> Restless.State:
    state = run.strategies["restless"].state
    assert isinstance(state, Restless.State)
    return state


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedFund:
    return make(tmp_path_factory.mktemp("fund"))


@pytest.fixture(scope="module")
def unbroken(loaded: LoadedFund) -> Simulation:
    run = fresh(loaded)
    run.run(ROWS)
    return run


def test_the_run_is_worth_saving(unbroken: Simulation) -> None:
    orders = tables(unbroken)["orders"]
    assert tables(unbroken)["fills"].num_rows > 150
    assert set(orders["status"].to_pylist()) >= {"filled", "cancelled", "expired", "rejected"}
    assert len(seen_by(unbroken).story) > 150
    assert unbroken.session.missed_bars > 0


def test_fresh_simulation_after_every_step_ends_the_same(
    loaded: LoadedFund, unbroken: Simulation
) -> None:
    run, fills = fresh(loaded), []
    for _ in range(ROWS):
        fills.append(advance(run))
        saved = run.snapshot()
        run = fresh(loaded)
        run.restore(saved)
        assert run.snapshot() == saved
    assert run.session.state_hash() == unbroken.session.state_hash()
    assert pa.concat_tables(fills).equals(tables(unbroken)["fills"])
    assert tables(run)["orders"].equals(tables(unbroken)["orders"])
    assert seen_by(run) == seen_by(unbroken)
    assert run.session.missed_bars == unbroken.session.missed_bars


def test_restoring_in_place_after_every_step_changes_nothing(
    loaded: LoadedFund, unbroken: Simulation
) -> None:
    run = fresh(loaded)
    for _ in range(ROWS):
        advance(run)
        run.restore(run.snapshot())
    assert run.session.state_hash() == unbroken.session.state_hash()
    for name, table in tables(unbroken).items():
        assert tables(run)[name].equals(table), name
    assert seen_by(run) == seen_by(unbroken)


@pytest.mark.parametrize("row", [0, 1, 40])
def test_going_back_and_on_again_leaves_the_same_tables(
    loaded: LoadedFund, unbroken: Simulation, row: int
) -> None:
    run = fresh(loaded)
    run.run(row)
    saved = run.snapshot()
    run.run(ROWS)
    run.restore(saved)
    assert (run.session.row, run.snapshot()) == (row, saved)
    run.run(ROWS)
    for name, table in tables(unbroken).items():
        assert tables(run)[name].equals(table), name
    assert [each.ts for each in run.targets] == [each.ts for each in unbroken.targets]


def test_timers_fire_in_the_order_of_setting_and_say_when(unbroken: Simulation) -> None:
    names = [line.split(" at ") for line in seen_by(unbroken).story]
    assert isinstance(unbroken.data, MarketData)
    closes = set(unbroken.data.ts.tolist())
    assert all(int(rest.split()[0]) in closes for _, rest in names)
    later = [int(name[2:]) for name, _ in names if name.startswith("6:")]
    assert later == sorted(later)


DAMAGE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "empty": lambda data, rng: b"",
    "truncated": lambda data, rng: data[: rng.randrange(len(data))],
    "flipped bit": lambda data, rng: _flip(data, rng.randrange(len(data)), rng.randrange(8)),
    "longer": lambda data, rng: data + rng.randbytes(rng.randint(1, 20)),
    "noise": lambda data, rng: rng.randbytes(rng.randrange(2_000)),
    "noise behind the head": lambda data, rng: data[:12] + rng.randbytes(rng.randrange(2_000)),
    "unknown version": lambda data, rng: data[:2] + b"\x01\x00" + data[4:],
    "another kind": lambda data, rng: data[:1] + b"I" + data[2:],
}


def _flip(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_snapshot_is_refused_and_changes_nothing(loaded: LoadedFund, damage: str) -> None:
    run = fresh(loaded)
    run.run(40)
    saved, rng = run.snapshot(), random.Random(damage)
    for _ in range(100):
        broken = DAMAGE[damage](saved, rng)
        with pytest.raises(EngineError, match="cannot decode"):
            run.restore(broken)
        with pytest.raises(EngineError, match="cannot decode"):
            RawEngine.restore(broken)
    assert run.snapshot() == saved


def test_snapshot_of_another_fund_is_refused(loaded: LoadedFund, tmp_path: Path) -> None:
    run = fresh(loaded)
    run.run(30)
    saved = run.snapshot()
    sleeves = [{"id": "calm", "strategy": "equal_weight"}]
    for count in (2, 4, 6):
        other = fresh(make_fund(tmp_path / str(count), prices(1, 40, count), sleeves))
        with pytest.raises(EngineError, match="set up differently"):
            other.restore(saved)
        other.run(40)  # and it is none the worse


def test_snapshot_of_a_run_over_other_dates_is_refused(loaded: LoadedFund) -> None:
    run = fresh(loaded)
    run.run(60)
    fewer = LoadedFund(
        loaded.fund.model_copy(
            update={"data": loaded.fund.data.model_copy(update={"end": _date(loaded, 50)})}
        ),
        loaded.base,
    )
    with pytest.raises(EngineError, match="other data"):
        fresh(fewer).restore(run.snapshot())


def _date(loaded: LoadedFund, row: int) -> Any:  # noqa: ANN401 - a date, of NumPy's making
    ts = loaded.market_data().ts[row]
    return ts.astype("M8[ns]").astype("M8[D]").item()


class Other(qv.EventStrategy):
    """Remembers something else."""

    @dataclass
    class State:
        text: str = ""

    state: State

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None: ...


def test_state_of_another_strategy_is_refused_and_changes_nothing(loaded: LoadedFund) -> None:
    run = fresh(loaded)
    run.run(20)
    strategies = load_strategies(loaded) | {"restless": Other()}
    other = simulation(loaded, loaded.market_data(), strategies)
    before = other.snapshot()
    with pytest.raises(StrategyError, match="saved state"):
        other.restore(run.snapshot())
    assert other.snapshot() == before


@pytest.mark.parametrize("seed", range(60))
def test_raw_engine_goes_through_bytes_at_every_input(seed: int) -> None:
    fund = random_fund(seed)
    whole, broken = EngineAdapter(fund.config), EngineAdapter(fund.config)
    for input in fund.inputs:
        broken.engine = RawEngine.restore(broken.engine.snapshot())
        assert broken.apply(input) == whole.apply(input)
        assert broken.engine.state_hash() == whole.engine.state_hash()
    broken.engine.audit()


@pytest.mark.parametrize("call", ["cash", "sleeve_equity"])
def test_unknown_sleeve_is_refused(call: str) -> None:
    engine = EngineAdapter(random_fund(1).config).engine
    with pytest.raises(EngineError, match="`sleeve` must be below"):
        getattr(engine, call)(9)
    with pytest.raises(EngineError, match="`instrument` must be below"):
        engine.position(0, 9)
