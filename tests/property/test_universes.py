"""Universes of generated markets: nothing is known early, nobody is forgotten, order is nothing."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data.universes import Universe, UniverseRules, build_universe
from quantvista.market import SecurityMaster
from support.universe_world import DAY, World, naive_members, world

SEEDS = st.integers(0, 2**32 - 1)
RULES = st.builds(
    UniverseRules,
    calendar=st.just("24/7"),
    rebalance=st.sampled_from(["week", "month"]),
    session=st.sampled_from(["first", "last"]),
    lag=st.sampled_from([0, 1, 9]),
    statistic=st.sampled_from(["mean", "median"]),
    sessions=st.sampled_from([1, 7, 30]),
    top=st.sampled_from([2, 3]),
    keep=st.sampled_from([None, 3, 5]),
    price_min=st.sampled_from([None, 8.0]),
    history_min=st.sampled_from([1, 10]),
    stale_max=st.sampled_from([1, 5]),
    sectors_out=st.sampled_from([(), ("Banks",)]),
)


def built(rules: UniverseRules, given_: World) -> Universe:
    return build_universe(rules, given_.bars, master=SecurityMaster(given_.facts))


@settings(max_examples=30)
@given(SEEDS, RULES, st.integers(40, 85))
def test_what_becomes_known_later_changes_no_earlier_membership(
    seed: int, rules: UniverseRules, day: int
) -> None:
    whole = world(seed)
    cut = int(whole.bars["ts_event"].min()) + day * DAY  # type: ignore[arg-type]
    before = built(rules, whole).membership
    for other in (whole.known(cut), whole.altered(cut, np.random.default_rng(seed))):
        after = built(rules, other).membership
        known = pl.col("known_at") <= cut
        assert after.table.filter(known).equals(before.table.filter(known))
        for at in range(cut - 40 * DAY, cut + 1, 5 * DAY):
            assert after.members(at) == before.members(at)


@settings(max_examples=30)
@given(SEEDS, RULES)
def test_membership_is_what_the_definitions_say(seed: int, rules: UniverseRules) -> None:
    made = world(seed)
    found = built(rules, made)
    decisions = found.decisions["ts"].to_list()
    expected = naive_members(rules, made, decisions)
    ends = dict(found.decisions.select("ts", "effective").iter_rows())
    master = SecurityMaster(made.facts)
    for now in decisions:
        at = ends[now]
        following = [ends[each] for each in decisions if ends[each] > at and each <= at]
        if following:  # another decision is made before this one holds
            continue
        listed = {name for name in expected[now] if name in master.listed(at)}
        assert found.members(at) == tuple(sorted(listed))


@settings(max_examples=15)
@given(SEEDS, RULES)
def test_the_order_of_rows_changes_nothing(seed: int, rules: UniverseRules) -> None:
    made = world(seed)
    mixed = World(
        made.bars.sample(fraction=1.0, shuffle=True, seed=seed % 1000),
        made.facts.sample(fraction=1.0, shuffle=True, seed=seed % 1000),
    )
    one, two = built(rules, made), built(rules, mixed)
    assert one.membership.table.equals(two.membership.table)
    assert one.decisions.equals(two.decisions)


@settings(max_examples=20)
@given(SEEDS, RULES)
def test_the_mask_and_the_members_agree(seed: int, rules: UniverseRules) -> None:
    made = world(seed)
    membership = built(rules, made).membership
    names = sorted(made.bars["instrument"].unique())
    ts = np.arange(19_020, 19_095, 3, dtype=np.int64) * DAY + seed % 5
    mask = membership.mask(ts, names)
    for row, at in enumerate(ts.tolist()):
        held = tuple(name for name, inside in zip(names, mask[row], strict=True) if inside)
        assert held == membership.members(at)


@settings(max_examples=20)
@given(SEEDS)
def test_who_is_gone_today_stays_a_member_of_the_past(seed: int) -> None:
    made = world(seed)
    rules = UniverseRules(calendar="24/7", rebalance="week", session="first", stale_max=20)
    found = built(rules, made)
    gone = made.facts.filter(pl.col("value") == "delisted")
    for name, at, known in gone.select("instrument", "ts_event", "known_at").iter_rows():
        bars = made.bars.filter(pl.col("instrument") == name)["ts_event"]
        decided = [
            (now, effective)
            for now, effective in found.decisions.select("ts", "effective").iter_rows()
            if int(bars.min()) <= now < max(at, known)  # type: ignore[arg-type]
            and now - max(each for each in bars if each <= now) < 20 * DAY
        ]
        assert all(name in found.members(effective) for _, effective in decided)
        assert name not in found.members(max(at, known))
