"""Rolls and continuous series. The contracts are generated; no real future is in the data."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import Contracts, RollRule, continuous, roll_schedule

DATES = np.arange("2024-01-01", "2024-07-01", dtype="M8[D]")
DATES = DATES[np.is_busday(DATES)]
EXPIRIES = np.array(["2024-02-16", "2024-03-15", "2024-04-19", "2024-08-16"], "M8[D]")
IDS = tuple(f"GEN-2024{month}.SIM" for month in "GHJQ")


def generated(seed: int, rows: int | None = None, negative: bool = False) -> Contracts:
    """Contracts of a random walk with a basis of their own, busiest in their last weeks."""
    rng = np.random.default_rng(seed)
    spot = 100 + np.cumsum(rng.normal(0, 1, len(DATES)))
    if negative:
        spot -= 100
    left = (EXPIRIES - DATES[:, None]).astype(np.int64)
    close = np.round(spot[:, None] + 0.02 * left + rng.normal(0, 0.1, left.shape), 2)
    alive = left >= 0
    activity = np.where(alive, np.exp(-(((left - 20) / 15.0) ** 2)) * 1000, np.nan)
    cut = slice(rows)
    return Contracts(
        DATES[cut],
        IDS,
        EXPIRIES,
        np.where(alive, close, np.nan)[cut],
        activity[cut],
        activity[cut] * 3,
    )


RULES = [RollRule("calendar", days) for days in (0, 1, 5)]
RULES += [RollRule(by, 1) for by in ("volume", "open_interest")]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, ["2024-02-19", "2024-03-18", "2024-04-22"]),
        (1, ["2024-02-16", "2024-03-15", "2024-04-19"]),
        (5, ["2024-02-12", "2024-03-11", "2024-04-15"]),
    ],
)
def test_the_calendar_rolls_so_many_weekdays_before(days: int, expected: list[str]) -> None:
    rolls = roll_schedule(generated(1), RollRule(days_before=days))
    assert [str(roll.date) for roll in rolls] == expected
    assert [(roll.old, roll.new) for roll in rolls] == list(pairwise(IDS))


def test_volume_rolls_after_the_first_close_with_more_in_the_next() -> None:
    contracts = generated(1)
    assert contracts.volume is not None
    rolls = roll_schedule(contracts, RollRule("volume"))
    row = int(np.searchsorted(contracts.dates, rolls[0].date))
    more = np.nan_to_num(contracts.volume[:, 1]) > np.nan_to_num(contracts.volume[:, 0])
    assert more[row - 1]
    assert not more[: row - 1].any()
    assert rolls == roll_schedule(contracts, RollRule("open_interest"))


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 50), rows=st.integers(60, len(DATES) - 1))
def test_a_schedule_does_not_look_ahead(rule: RollRule, seed: int, rows: int) -> None:
    part, whole = generated(seed, rows), generated(seed)
    known = [roll for roll in roll_schedule(whole, rule) if roll.date <= part.dates[-1]]
    assert list(roll_schedule(part, rule)) == known


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 50))
def test_a_contract_is_left_before_it_ends_and_never_held_again(rule: RollRule, seed: int) -> None:
    contracts = generated(seed)
    series = continuous(contracts, roll_schedule(contracts, rule), "none")
    assert (np.diff(series.contract) >= 0).all()
    assert (contracts.dates <= contracts.expiries[series.contract]).all()
    assert not np.isnan(series.price).any()


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 50))
def test_adjusted_series_earn_what_the_held_contracts_earn(rule: RollRule, seed: int) -> None:
    contracts = generated(seed)
    rolls = roll_schedule(contracts, rule)
    rows = np.arange(1, len(contracts.dates))
    for way in ("difference", "ratio"):
        series = continuous(contracts, rolls, way)
        held = series.contract[1:]
        after, before = contracts.close[rows, held], contracts.close[rows - 1, held]
        if way == "difference":
            np.testing.assert_allclose(np.diff(series.price), after - before, atol=1e-9)
        else:
            np.testing.assert_allclose(series.price[1:] / series.price[:-1], after / before)
        last = series.contract == series.contract[-1]
        np.testing.assert_array_equal(series.price[last], contracts.close[last, held[-1]])


@given(seed=st.integers(0, 50), rows=st.integers(80, len(DATES) - 1))
def test_later_rolls_change_no_earlier_difference(seed: int, rows: int) -> None:
    rule = RollRule("volume", 2)
    part, whole = generated(seed, rows), generated(seed)
    first = continuous(part, roll_schedule(part, rule)).price
    second = continuous(whole, roll_schedule(whole, rule)).price[: len(first)]
    np.testing.assert_allclose(np.diff(first), np.diff(second), atol=1e-9)


def test_differences_take_negative_prices_and_ratios_do_not() -> None:
    contracts = generated(3, negative=True)
    rolls = roll_schedule(contracts, RollRule())
    assert np.isfinite(continuous(contracts, rolls, "difference").price).all()
    with pytest.raises(MarketDataError, match="`close` must be positive for a ratio"):
        continuous(contracts, rolls, "ratio")


def test_the_first_contract_is_the_first_that_is_alive() -> None:
    whole = generated(1)
    late = whole.dates > EXPIRIES[0]
    contracts = Contracts(whole.dates[late], IDS, EXPIRIES, whole.close[late])
    assert continuous(contracts, (), "none").contract[0] == 1
    with pytest.raises(MarketDataError, match="must reach the first date"):
        roll_schedule(
            Contracts(whole.dates[late], IDS[:1], EXPIRIES[:1], whole.close[late, :1]), RollRule()
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"close": np.ones((2, 2))}, "`close` must have shape"),
        ({"volume": np.ones((2, 2))}, "`volume` must have shape"),
        ({"expiries": EXPIRIES[:3]}, "must have one date for each of 4 contracts"),
        ({"expiries": EXPIRIES[::-1]}, "`expiries` must increase strictly"),
        ({"dates": DATES[::-1]}, "`dates` must increase strictly"),
        ({"close": np.ones((len(DATES), 4))}, "must end at the expiry 2024-02-16 of 'GEN-2024G"),
    ],
)
def test_contracts_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    good = generated(1)
    fields = {"dates": good.dates, "ids": IDS, "expiries": EXPIRIES, "close": good.close}
    with pytest.raises(MarketDataError, match=message):
        Contracts(**{**fields, **changes})


def test_rules_need_their_data_and_both_closes() -> None:
    good = generated(1)
    bare = Contracts(good.dates, IDS, EXPIRIES, good.close)
    for by in ("volume", "open_interest"):
        with pytest.raises(ConfigError, match=f"`by` {by} must come with that column"):
            roll_schedule(bare, RollRule(by))
    with pytest.raises(ConfigError, match="`by` must be calendar, volume or open_interest"):
        RollRule("moon")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`days_before` must not be negative"):
        RollRule(days_before=-1)
    rolls = roll_schedule(good, RollRule())
    with pytest.raises(ConfigError, match="`adjustment` must be none, difference or ratio"):
        continuous(good, rolls, "both")  # type: ignore[arg-type]
    holed = good.close.copy()
    holed[int(np.searchsorted(good.dates, rolls[0].date)) - 1, 1] = np.nan
    with pytest.raises(MarketDataError, match="must be there for both contracts"):
        continuous(Contracts(good.dates, IDS, EXPIRIES, holed), rolls)
