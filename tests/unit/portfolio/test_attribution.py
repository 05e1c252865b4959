"""Contribution adds up exactly, whatever was traded."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.portfolio.attribution import contribution, money_text, rounded_table

EXACT = pl.Decimal(38, 12)
TEXT = pl.String()
FILLS = pl.Schema(
    {
        "sleeve": TEXT,
        "instrument": TEXT,
        "side": TEXT,
        "quantity": EXACT,
        "price": EXACT,
        "fee": EXACT,
    }
)
POSITIONS = pl.Schema({"sleeve": TEXT, "instrument": TEXT, "value": EXACT})

money = st.decimals(min_value=0, max_value=10**6, places=2)
trade = st.fixed_dictionaries(
    {
        "sleeve": st.sampled_from(["a", "b", "c"]),
        "instrument": st.sampled_from(["X.V", "Y.V", "Z.V"]),
        "side": st.sampled_from(["buy", "sell"]),
        "quantity": st.decimals(min_value=0, max_value=10**7, places=3),
        "price": st.decimals(min_value="0.000001", max_value=10**5, places=6),
        "fee": money,
    }
)
held = st.fixed_dictionaries(
    {
        "sleeve": st.sampled_from(["a", "b", "c"]),
        "instrument": st.sampled_from(["X.V", "Y.V", "Z.V"]),
        "value": st.decimals(min_value=0, max_value=10**9, places=9),
    }
)


@given(st.lists(trade, max_size=30), st.lists(held, max_size=6), st.integers(1, 1000))
@settings(deadline=None)
def test_contributions_equal_the_profit_in_exact_fractions(
    trades: list[dict[str, object]], holdings: list[dict[str, object]], multiplier: int
) -> None:
    fills = pl.DataFrame(trades, schema=FILLS)
    positions = pl.DataFrame(holdings, schema=POSITIONS)
    found = contribution(fills, positions, {"Y.V": multiplier})
    profit = Fraction(0)
    for row in trades:
        factor = multiplier if row["instrument"] == "Y.V" else 1
        notional = Fraction(str(row["quantity"])) * Fraction(str(row["price"])) * factor
        profit += (notional if row["side"] == "sell" else -notional) - Fraction(str(row["fee"]))
    profit += sum(Fraction(str(row["value"])) for row in holdings)
    assert Fraction(found.total) == profit
    for part in (found.pairs, found.sleeves, found.instruments):
        assert sum((Fraction(p) for p in part.values()), Fraction(0)) == profit


def test_a_cross_moves_profit_between_sleeves_but_not_in_the_fund() -> None:
    sides = {"sleeve": ["a", "b"], "side": ["sell", "buy"]}
    cross = pl.DataFrame(
        {**sides, "instrument": "X.V", "quantity": ["7"] * 2, "price": ["3.000001"] * 2, "fee": "0"}
    ).cast({"quantity": EXACT, "price": EXACT, "fee": EXACT})
    found = contribution(cross, pl.DataFrame(schema=POSITIONS))
    assert found.sleeves == {"a": Decimal("21.000007"), "b": Decimal("-21.000007")}
    assert found.total == 0


def test_nothing_traded_is_no_profit() -> None:
    found = contribution(pl.DataFrame(schema=FILLS), pl.DataFrame(schema=POSITIONS))
    assert not found.pairs
    assert found.total == 0


@given(st.lists(st.lists(st.decimals(-(10**9), 10**9, places=7), min_size=2, max_size=2)))
@settings(deadline=None)
def test_printed_cells_and_what_rounding_left_add_up_to_the_printed_total(
    cells: list[list[Decimal]],
) -> None:
    total = sum((cell for row in cells for cell in row), Decimal(0))
    rounded, left_over = rounded_table(cells, total)
    printed = sum((cell for row in rounded for cell in row), Decimal(0))
    assert printed + left_over == total.quantize(Decimal("0.01"))


def test_money_keeps_every_digit() -> None:
    assert money_text(Decimal("1E+3")) == "1000.00"
    assert money_text(Decimal("0.000000000001")) == "0.000000000001"
