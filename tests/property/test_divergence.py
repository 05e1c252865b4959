"""The parts of a gap sum to it, fees are the engine's, and every order is in one pair."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.engine import (
    AccountTerms,
    FeeTier,
    LimitRates,
    RawEngine,
    SleeveCash,
    VenueRates,
    engine_config,
)
from quantvista.market import Instrument
from quantvista.trading.divergence import (
    CAUSES,
    Chain,
    Order,
    Track,
    attribute,
    match_orders,
    money,
)
from quantvista.trading.divergence._attribution import _STEPS
from quantvista.trading.divergence._fees import FeeSchedule

MONEY = st.integers(-(10**24), 10**24)
GRID = 3
SLEEVES = ("a", "b")


# -- the chain -------------------------------------------------------------------------------
@st.composite
def tracks(draw: st.DrawFn, name: str) -> Track:
    track = Track(name, list(SLEEVES))
    track.equity = draw(st.lists(MONEY, min_size=GRID, max_size=GRID))
    track.of_sleeves = {each: draw(MONEY) for each in SLEEVES}
    track.of_instruments = {each: draw(MONEY) for each in ("X.Y", "Z.Y")}
    return track


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    chain = Chain(draw(tracks("reality")))
    for name, _ in _STEPS:
        if draw(st.booleans()):
            chain.steps[name] = draw(tracks(name))
    if draw(st.booleans()):
        chain.folded["reactions"] = "signal"
    return chain


@settings(max_examples=40)
@given(chains())
def test_the_parts_sum_to_the_gap(chain: Chain) -> None:
    causes = attribute(chain)
    one, other = chain.reality, chain.backtest
    assert [each.name for each in causes] == list(CAUSES)
    assert sum(each.amount for each in causes) == one.end - other.end
    for at in range(GRID):
        assert sum(each.curve[at] for each in causes) == one.equity[at] - other.equity[at]
    for part in ("of_sleeves", "of_instruments"):
        for key in getattr(one, part):
            gap = getattr(one, part)[key] - getattr(other, part)[key]
            assert sum(getattr(each, part)[key] for each in causes) == gap


@settings(max_examples=20)
@given(tracks("reality"))
def test_without_a_difference_every_part_is_nothing(track: Track) -> None:
    chain = Chain(track, {name: track for name, _ in _STEPS})
    assert all(each.amount == 0 and not any(each.curve) for each in attribute(chain))


@given(MONEY)
def test_money_is_written_exactly(amount: int) -> None:
    assert Decimal(money(amount)).scaleb(12) == amount


# -- fees ------------------------------------------------------------------------------------
SHARE = Instrument("A.XNYS", currency="USD", lot_size=Decimal(1), matching="quotes")


def _engine(rates: VenueRates) -> dict[str, Any]:
    return engine_config(
        fund="fees",
        currency="USD",
        instruments=(SHARE,),
        close_only=False,
        sleeves=[SleeveCash("all", Decimal(10**9))],
        venue=rates,
        limits=LimitRates(price_band=900_000_000),
        account=AccountTerms(),
    )


@st.composite
def schedules(draw: st.DrawFn) -> VenueRates:
    minimum = draw(st.sampled_from([0, 0, 10**12, 5 * 10**12]))
    rate = st.integers(0, 5_000_000)
    tiers = [
        FeeTier(
            volume, draw(rate) if minimum else draw(st.integers(-500_000, 5_000_000)), draw(rate)
        )
        for volume in (0, 10**15, 10**17)
    ]
    window = draw(st.integers(1, 3))
    per_unit = draw(st.sampled_from([0, 3_500_000_000]))
    return VenueRates(
        tiers=tuple(tiers), fee_per_unit=per_unit, fee_minimum=minimum, fee_window_days=window
    )


ACTS = st.tuples(
    st.sampled_from(["day", "order", "order", "quote", "quote", "quote"]), st.integers(1, 400)
)


@settings(max_examples=60)
@given(schedules(), st.lists(ACTS, min_size=12, max_size=25))
def test_fees_are_those_of_the_engine(rates: VenueRates, acts: list[tuple[str, int]]) -> None:
    config = _engine(rates)
    engine, ours = RawEngine(config), FeeSchedule(config)
    fills = 0
    for number, (act, size) in enumerate(acts, 1):
        event: dict[str, Any]
        if act == "day":
            event = {"day_ended": {"trading": True}}
            ours.end_day()
        elif act == "order":
            order = {"sleeve": 0, "instrument": 0, "side": "buy", "quantity": 3 * size}
            event = {"submit_order": order | {"kind": "limit", "tif": "gtc", "limit_price": 11_000}}
        else:
            quote = {"bid": 9_990, "bid_size": size, "ask": 10_000 + size, "ask_size": size}
            event = {"quote": {"instrument": 0, "quote": quote}}
        told = {"ts_event": number, "ts_received": number, "source": 0, "sequence": number}
        for said in engine.apply({**told, "event": event}):
            if (fill := said.get("order_filled")) is not None:
                fills += 1
                assert ours.of({**fill, "trade": str(fills)}) == fill["fee"]
                assert ours.taken_back({**fill, "trade": str(fills)}) == fill["fee"]


# -- orders ----------------------------------------------------------------------------------
@st.composite
def orders(draw: st.DrawFn) -> list[Order]:
    times = sorted(draw(st.lists(st.integers(0, 50), max_size=12)))
    return [
        Order(
            ts=ts,
            number=number,
            sleeve=draw(st.sampled_from(SLEEVES)),
            instrument="X.Y",
            side=draw(st.sampled_from(("buy", "sell"))),
            quantity=Decimal(draw(st.integers(1, 2))),
            limit_price=draw(st.sampled_from((None, Decimal(7)))),
            kind="market",
            refused="",
        )
        for number, ts in enumerate(times, 1)
    ]


@settings(max_examples=60)
@given(orders(), orders(), st.integers(0, 20))
def test_every_order_is_in_one_pair(one: list[Order], other: list[Order], tolerance: int) -> None:
    found = match_orders(one, other, tolerance)
    paper = [each.paper for each in found.pairs if each.paper is not None]
    backtest = [each.backtest for each in found.pairs if each.backtest is not None]
    assert len(paper) + found.same == len(one)
    assert len(backtest) + found.same == len(other)
    assert len({each.number for each in paper}) == len(paper)
    for each in found.pairs:
        if each.paper is not None and each.backtest is not None:
            assert abs(each.paper.ts - each.backtest.ts) <= tolerance
    assert [each.ts for each in found.pairs] == sorted(each.ts for each in found.pairs)


@settings(max_examples=20)
@given(orders())
def test_the_same_orders_are_the_same(one: list[Order]) -> None:
    found = match_orders(one, one, 0)
    assert (found.same, found.pairs) == (len(one), ())
