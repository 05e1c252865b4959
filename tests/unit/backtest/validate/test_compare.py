from dataclasses import replace
from decimal import Decimal

import pytest

from quantvista.backtest.validate._compare import compare, expected_equity
from quantvista.backtest.validate._result import Fill, Look, Result
from quantvista.backtest.validate._session import (
    Account,
    Command,
    Mark,
    Models,
    Order,
    Row,
    Session,
    Traded,
)

SHARE = Traded("S0", "equity", "", "USD", 2, 0, 1, 1, "0.0001", "0.0003")
SESSION = Session(
    seed=1,
    kind="quotes",
    account=Account("cash", (("USD", "10000.00"),), single_currency=True),
    models=Models(),
    instruments=(SHARE,),
    tape=(Row(100, "quote", 0, 0, 999, 10, 1_001, 10),),
    commands=(
        Command(200, "submit", Order(1, 0, "buy", 7)),
        Command(300, "submit", Order(2, 0, "sell", 3)),
    ),
    marks=(Mark(250, (1_000,)), Mark(400, (1_000,))),
)
BOUGHT = Fill(200, 1, "buy", 7, 1_001, Decimal("0.03"), "taker")  # 70.07 at 3 bp is 0.021021
SOLD = Fill(300, 2, "sell", 3, 999, Decimal("0.01"), "taker")  # 29.97 at 3 bp is 0.008991


def result(*fills: Fill, version: str = "") -> Result:
    """A result whose equity follows from its fills."""
    bare = Result(fills, (), version=version)
    looks = []
    for mark in SESSION.marks:
        held = sum(
            (fill.quantity if fill.side == "buy" else -fill.quantity)
            for fill in fills
            if fill.ts <= mark.ts
        )
        look = Look(mark.ts, Decimal(0), (held,))
        looks.append(replace(look, equity=expected_equity(SESSION, bare, look)))
    return replace(bare, looks=tuple(looks))


def theirs(*fills: Fill) -> Result:
    """NautilusTrader's result: fees to the nearest cent."""
    nearest = [replace(each, fee=each.fee - Decimal("0.01") * (each.order == 1)) for each in fills]
    return result(*nearest, version="1.0")


def test_results_that_differ_in_the_rounding_of_fees_are_alike() -> None:
    assert compare(SESSION, result(BOUGHT, SOLD), theirs(BOUGHT, SOLD)) is None


def test_fills_in_parts_are_alike_if_they_add_up() -> None:
    parts = (replace(BOUGHT, quantity=4, fee=Decimal("0.02")), replace(BOUGHT, quantity=3))
    parts = (parts[0], replace(parts[1], fee=Decimal("0.02")))
    other = result(*(replace(each, fee=Decimal("0.01")) for each in parts), SOLD, version="1.0")
    assert compare(SESSION, result(BOUGHT, SOLD), other) is None


@pytest.mark.parametrize(
    "changed",
    [
        replace(SOLD, price=1_000),
        replace(SOLD, quantity=2),
        replace(SOLD, ts=301),
        replace(SOLD, liquidity="maker"),
        replace(SOLD, order=1),
    ],
)
def test_the_first_other_fill_is_found(changed: Fill) -> None:
    found = compare(SESSION, result(BOUGHT, SOLD), theirs(BOUGHT, changed))
    assert found is not None
    assert (found.what, found.ts) == ("fills", 300)
    assert found.ours == (SOLD,)
    assert found.orders() >= {2}


def test_a_missing_fill_is_found() -> None:
    found = compare(SESSION, result(BOUGHT, SOLD), theirs(BOUGHT))
    assert found is not None
    assert (found.ts, found.theirs, found.orders()) == (300, (), {2})


@pytest.mark.parametrize("fee", ["0.02", "0.04", "0.021021"])
def test_our_fee_must_be_the_exact_one_rounded_up(fee: str) -> None:
    wrong = replace(BOUGHT, fee=Decimal(fee))
    found = compare(SESSION, result(wrong, SOLD), theirs(BOUGHT, SOLD))
    assert found is not None
    assert (found.what, found.ts) == ("fee", 200)
    assert "our fee of order 1" in found.text


def test_their_fee_must_be_the_exact_one_to_the_nearest() -> None:
    wrong = replace(BOUGHT, fee=Decimal("0.03"))
    found = compare(SESSION, result(BOUGHT, SOLD), result(wrong, SOLD, version="1.0"))
    assert found is not None
    assert "NautilusTrader's fee of order 1 is 0.03" in found.text


def shifted(value: Result, by: str, index: int) -> Result:
    looks = list(value.looks)
    looks[index] = replace(looks[index], equity=looks[index].equity + Decimal(by))
    return replace(value, looks=tuple(looks))


def test_our_equity_must_follow_from_our_fills_exactly() -> None:
    found = compare(SESSION, shifted(result(BOUGHT, SOLD), "0.01", 0), theirs(BOUGHT, SOLD))
    assert found is not None
    assert (found.what, found.ts) == ("equity", 250)


def test_their_equity_may_be_off_by_a_cent_a_fill() -> None:
    fine = shifted(theirs(BOUGHT, SOLD), "0.02", 1)
    assert compare(SESSION, result(BOUGHT, SOLD), fine) is None
    wrong = shifted(theirs(BOUGHT, SOLD), "0.05", 1)
    found = compare(SESSION, result(BOUGHT, SOLD), wrong)
    assert found is not None
    assert (found.what, found.ts) == ("equity", 400)


def test_positions_are_compared() -> None:
    other = theirs(BOUGHT, SOLD)
    looks = (other.looks[0], replace(other.looks[1], positions=(5,)))
    found = compare(SESSION, result(BOUGHT, SOLD), replace(other, looks=looks))
    assert found is not None
    assert found.what == "positions"


def test_a_run_that_was_stopped_is_a_difference() -> None:
    stopped = replace(theirs(BOUGHT, SOLD), stopped=True)
    found = compare(SESSION, result(BOUGHT, SOLD), stopped)
    assert found is not None
    assert found.what == "stopped"


def test_equity_of_fills_by_hand() -> None:
    look = Look(400, Decimal(0), (4,))
    # 10,000 - 70.07 - 0.03 + 29.97 - 0.01, and 4 at 10.00
    assert expected_equity(SESSION, result(BOUGHT, SOLD), look) == Decimal("9999.86")
