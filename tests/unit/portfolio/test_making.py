"""The split of a market maker's profit, on fills that can be added up by hand."""

from decimal import Decimal
from math import isnan

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.portfolio.making import (
    HORIZONS_S,
    FillQuality,
    Mids,
    fill_quality,
    inventory,
    markouts,
)

SECOND = 1_000_000_000
_EXACT = pl.Decimal(38, 12)
type Trade = tuple[float, str, str, str, str, str]


def frame(*trades: Trade, instrument: str = "C.SIM") -> pl.DataFrame:
    """Fills: seconds, side, quantity, price, fee, liquidity."""
    seconds, side, quantity, price, fee, liquidity = zip(*trades, strict=True)
    return pl.DataFrame(
        {
            "ts": [round(each * SECOND) for each in seconds],
            "fill_id": [f"{instrument}-{k}" for k in range(len(trades))],
            "instrument": [instrument] * len(trades),
            "side": side,
            "quantity": [Decimal(each) for each in quantity],
            "price": [Decimal(each) for each in price],
            "fee": [Decimal(each) for each in fee],
            "liquidity": liquidity,
        },
        schema_overrides={"quantity": _EXACT, "price": _EXACT, "fee": _EXACT},
    ).with_columns(pl.from_epoch("ts", "ns").dt.replace_time_zone("UTC"))


def path(*steps: tuple[float, str], until: float = 200.0, end: str | None = None) -> Mids:
    ts = [round(second * SECOND) for second, _ in steps]
    prices = [Decimal(price) for _, price in steps]
    return Mids(ts, prices, round(until * SECOND), Decimal(end) if end else prices[-1])


def only(fills: pl.DataFrame, mids: Mids, multiplier: int = 1) -> FillQuality:
    (found,) = fill_quality(fills, markouts(fills, {"C.SIM": mids}), {"C.SIM": multiplier})
    return found


def numbers(*values: Decimal | float) -> list[float]:
    return [float(each) for each in values]


def test_spread_is_captured_and_selection_takes_some_of_it_back() -> None:
    """Buys 2 at 99 with the mid at 100, which falls to 99.5 a second later and stays."""
    fills = frame((10, "buy", "2", "99", "0.25", "maker"))
    found = only(fills, path((0, "100"), (11, "99.5")), multiplier=10)
    assert numbers(found.captured, found.selection, found.inventory) == [20, -10, 0]
    assert found.fees == Decimal("0.25")
    assert found.profit == Decimal("9.75")
    assert found.captured_bps == 100.0
    assert found.markout_bps == dict.fromkeys(HORIZONS_S, -50.0)
    assert found.realised_bps == dict.fromkeys(HORIZONS_S, 50.0)


def test_a_sale_counts_the_other_way() -> None:
    fills = frame((10, "sell", "2", "101", "0", "maker"))
    found = only(fills, path((0, "100"), (12, "103")))
    assert numbers(found.captured, found.selection, found.profit) == [2, -6, -4]
    assert found.markout_bps == {1: 0.0, 5: -300.0, 30: -300.0, 60: -300.0}


def test_moves_after_the_longest_horizon_are_of_the_inventory() -> None:
    fills = frame((10, "buy", "1", "99", "0", "maker"))
    found = only(fills, path((0, "100"), (40, "101"), (71, "97")))
    assert numbers(found.captured, found.selection, found.inventory) == [1, 1, -4]
    assert found.profit == -2
    assert found.markout_bps == {1: 0.0, 5: 0.0, 30: 100.0, 60: 100.0}


def test_maker_is_compared_with_the_mid_before_the_event_that_filled_it() -> None:
    mids = path((0, "100"), (10, "98"))
    fills = frame((10, "buy", "1", "99", "0", "maker"), (10, "buy", "1", "99", "0", "taker"))
    rows = markouts(fills, {"C.SIM": mids})
    assert rows["mid"].to_list() == [100, 98]


def test_horizon_beyond_the_data_is_not_counted_in_means_but_the_split_adds_up() -> None:
    fills = frame(
        (10, "buy", "1", "99", "0", "maker"),
        (95, "sell", "1", "101", "0", "maker"),
    )
    found = only(fills, path((0, "100"), (50, "102"), until=100.0))
    assert markouts(fills, {"C.SIM": path((0, "100"), until=100.0)})["mid_30s"].to_list() == [
        100,
        None,
    ]
    assert found.markout_bps[60] == 200.0
    assert found.markout_bps[5] == 0.0
    assert found.profit == found.captured + found.selection + found.inventory == 2


def test_fill_before_any_mid_has_no_spread() -> None:
    fills = frame((1, "buy", "1", "99", "0", "taker"))
    found = only(fills, path((5, "100")))
    assert numbers(found.unmarked, found.captured, found.inventory, found.profit) == [1, 0, 1, 1]
    assert isnan(found.captured_bps)
    assert all(map(isnan, found.markout_bps.values()))


def test_position_left_is_worth_the_mark_of_the_end() -> None:
    fills = frame((10, "buy", "3", "99", "0", "maker"))
    assert only(fills, path((0, "100"), end="99.5")).profit == Decimal("1.5")


def test_inventory_is_followed_and_averaged_over_time() -> None:
    fills = frame(
        (0, "buy", "1", "99", "0", "maker"),
        (0, "buy", "1", "99", "0", "maker"),
        (10, "sell", "5", "99", "0", "maker"),
        (40, "buy", "3", "99", "0", "maker"),
    )
    assert inventory(fills)["quantity"].to_list() == [2, -3, 0]
    found = only(fills, path((0, "100")))
    assert numbers(found.held_max, found.held_min, found.held_end) == [2, -3, 0]
    assert found.held_mean == (2 * 10 + 3 * 30) / Decimal(40)
    assert numbers(found.bought, found.sold, found.fills, found.makers) == [5, 5, 4, 4]


def test_instruments_without_mids_are_left_out() -> None:
    fills = pl.concat(
        [
            frame((1, "buy", "1", "99", "0", "maker")),
            frame((1, "buy", "1", "99", "0", "maker"), instrument="B.SIM"),
        ]
    )
    rows = markouts(fills, {"C.SIM": path((0, "100"))})
    assert rows["instrument"].to_list() == ["C.SIM"]
    assert [each.instrument for each in fill_quality(fills, rows)] == ["C.SIM"]


prices = st.decimals("90", "110", places=4)
trades = st.lists(
    st.tuples(
        st.floats(0, 100),
        st.sampled_from(["buy", "sell"]),
        st.decimals("0.001", "50", places=3).map(str),
        prices.map(str),
        st.decimals("-1", "1", places=6).map(str),
        st.sampled_from(["maker", "taker"]),
    ),
    min_size=1,
    max_size=20,
)


@given(trades, st.lists(prices, min_size=1, max_size=12), prices, st.sampled_from([1, 50]))
def test_parts_always_add_up_to_the_profit(
    rows: list[Trade], mids: list[Decimal], end: Decimal, multiplier: int
) -> None:
    rows = sorted(rows)
    fills = frame(*rows)
    known = path(*((5.0 + 9.0 * k, str(mid)) for k, mid in enumerate(mids)), end=str(end))
    found = only(fills, known, multiplier)
    paid = Decimal(0)
    for _, side, quantity, price, fee, _ in rows:
        sign = 1 if side == "buy" else -1
        paid += sign * Decimal(quantity) * multiplier * (end - Decimal(price)) - Decimal(fee)
    assert found.profit == paid
    assert found.captured + found.selection + found.inventory - found.fees == pytest.approx(paid)
