"""No wrong price is remembered by the guard, and no loss waits for a second price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.guard_bench import E12, PAIR, PERPETUAL, Bench

LIMIT = 0.1
WRONG = st.sampled_from([1_000.0, 1e-4, 1.5, 0.5, 4e14])
STEPS = st.tuples(
    st.integers(-60, 60),  # how the price moves, in 1e-4
    WRONG,
    st.booleans(),  # whether the worth is looked at now
)


@given(
    steps=st.lists(STEPS, min_size=3, max_size=40),
    first_wrong=st.integers(0, 6),
    every=st.integers(5, 9),
    held=st.sampled_from([-4_000, -500, 500, 5_000]),
    coins=st.sampled_from([0, 3]),
)
def test_what_is_counted_from_was_true(
    steps: list[tuple[int, float, bool]], first_wrong: int, every: int, held: int, coins: int
) -> None:
    """One price in five may be anything, from the first on."""
    bench = Bench(drawdown={"limit": str(LIMIT)}, day_loss={"limit": str(LIMIT)})
    bench.view.open_cost[PERPETUAL] = (held, held * 100_000 * 10**7)
    bench.view._past[0] = (0, dict(bench.view.open_cost), {})
    price, was = 100_000, set()
    for number, (move, wrong, looks) in enumerate(steps):
        price += price * move // 10_000
        is_wrong = number % every == first_wrong % every
        told = max(int(price * wrong), 1) if is_wrong else price
        bench.quote(number, told)
        bench.quote(number, told, name=PAIR)
        gained = held * (price - 100_000) * 10**7
        if not is_wrong:
            was.add(100_000 * E12 + gained + coins * price * 10**10)
        if not looks:
            continue
        bench.account(number, position=held, USDT=100_000, BTC=coins)
        bench.value(number)
        worth = bench.watch.worth
        for found in (worth.highest, worth.day_start):
            assert found is None or found in was
        if worth.highest is None:
            assert bench.watch.unknown(number, bench.node, [bench.view])
        elif not is_wrong:
            now = 100_000 * E12 + gained + coins * price * 10**10
            is_lost = worth.highest - now > LIMIT * worth.highest
            assert ("drawdown" in bench.above(number)) >= is_lost
            if len(was) > 1 and number >= 9:
                assert worth.sure is not None
