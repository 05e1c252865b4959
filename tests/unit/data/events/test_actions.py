"""Corporate actions from tables and from LEAN's factor files."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quantvista.data.events import parse_action, read_actions, read_factors
from quantvista.engine import engine_action
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import ACTIONS, CorporateAction, Instrument

DAY = dt.date(2024, 1, 3)
INSTRUMENTS = [Instrument("A.X"), Instrument("B.X")]

GOOD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "split": ({"ratio": "4:1"}, {"numerator": 4, "denominator": 1}),
    "cash_dividend": ({"amount": "0.82"}, {"amount": 820_000_000_000}),
    "stock_dividend": ({"ratio": "1:20"}, {"numerator": 1, "denominator": 20}),
    "symbol_change": ({"symbol": "META"}, {"symbol": "META"}),
    "merger_cash": ({"price": "12.34"}, {"price": 1234}),
    "merger_stock": (
        {"into": "B.X", "numerator": 3, "denominator": 2, "amount": "1.5"},
        {
            "into": 1,
            "numerator": 3,
            "denominator": 2,
            "cash": 1_500_000_000_000,
            "into_price": None,
        },
    ),
    "spin_off": (
        {"into": "B.X", "ratio": "1:4", "cost_share": "0.25", "into_price": "7.5"},
        {
            "into": 1,
            "numerator": 1,
            "denominator": 4,
            "cost_share": 250_000_000,
            "into_price": 750,
        },
    ),
    "delisting": ({}, {"price": None}),
    "precision": (
        {
            "price_precision": 4,
            "quantity_precision": 1,
            "tick_size": "0.0005",
            "lot_size": "0.1",
        },
        {"price_precision": 4, "quantity_precision": 1, "tick_size": 5, "lot_size": 1},
    ),
}


def test_every_kind_has_a_good_example() -> None:
    assert set(GOOD) == set(ACTIONS)


@pytest.mark.parametrize("kind", ACTIONS)
def test_actions_reach_the_engine_in_its_units(kind: str) -> None:
    given, expected = GOOD[kind]
    action = parse_action({"ex_date": "2024-01-03", "instrument": "A.X", "action": kind, **given})
    assert (action.ex_date, action.kind) == (DAY, kind)
    assert engine_action(action, INSTRUMENTS) == {kind: {"instrument": 0, **expected}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"action": "bonus"}, "`action` must be one of split, cash_dividend"),
        ({"action": "split"}, "`numerator` is needed for split"),
        ({"action": "split", "ratio": "4"}, "`ratio` must be written as new:old"),
        ({"action": "split", "ratio": "a:1"}, "`numerator` must be a whole number; found 'a'"),
        ({"action": "split", "ratio": "0:1"}, "`numerator` must be 1 to"),
        ({"action": "split", "ratio": "2:2"}, "must differ from `denominator`"),
        ({"action": "split", "ratio": "2:1", "amount": "1"}, "`amount` means nothing for split"),
        ({"action": "cash_dividend", "amount": "-1"}, "`amount` must be positive"),
        ({"action": "cash_dividend", "amount": "x"}, "`amount` must be a decimal number"),
        ({"action": "cash_dividend", "amount": "NaN"}, "`amount` must be finite"),
        ({"action": "cash_dividend", "amount": "1", "tax": 1}, "`tax` is unknown for an action"),
        ({"action": "delisting", "ex_date": "3.1.2024"}, "`ex_date` must be an ISO date"),
        (
            {"action": "spin_off", "into": "B.X", "ratio": "1:1", "cost_share": "2"},
            r"`cost_share` must be in \[0, 1\]",
        ),
        (
            {"action": "merger_stock", "into": "A.X", "ratio": "1:1"},
            "`into` must be another instrument",
        ),
    ],
)
def test_actions_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_action({"ex_date": "2024-01-03", "instrument": "A.X", **given})
    for name in ("ex_date", "instrument", "action"):
        full = {"ex_date": DAY, "instrument": "A.X", "action": "delisting"}
        with pytest.raises(ConfigError, match=f"`{name}` must be there"):
            parse_action({key: value for key, value in full.items() if key != name})


def test_the_engine_needs_prices_on_its_units_and_instruments_of_the_run() -> None:
    fine = CorporateAction(DAY, "A.X", "merger_cash", price=Decimal("1.234"))
    with pytest.raises(ConfigError, match=r"must have at most 2 decimals; found 1.234"):
        engine_action(fine, INSTRUMENTS)
    away = CorporateAction(DAY, "A.X", "merger_stock", 1, 1, into="C.X")
    with pytest.raises(ConfigError, match="`into` must be an instrument of the run"):
        engine_action(away, INSTRUMENTS)


def test_a_file_of_actions_is_read_in_the_order_of_ex_dates(tmp_path: Path) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(
        "ex_date,instrument,action,ratio,amount\n"
        "2024-02-01,A.X,split,2:1,\n"
        "2024-01-03,A.X,cash_dividend,,0.25\n"
    )
    dividend, split = read_actions(path, "actions.csv")
    assert (dividend.kind, dividend.amount, split.numerator) == (
        "cash_dividend",
        Decimal("0.25"),
        2,
    )
    path.write_text("ex_date,instrument,action\n2024-02-01,A.X,delisting\n2024-02-01,A.X,split\n")
    with pytest.raises(MarketDataError, match=r"actions.csv: `numerator` is needed.* in row 3"):
        read_actions(path, "actions.csv")
    path.write_text("ex_date,instrument,kind\n2024-02-01,A.X,delisting\n")
    with pytest.raises(MarketDataError, match="column 'kind' is unknown"):
        read_actions(path, "actions.csv")


def test_factors_say_what_happened_between_them(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(
        "20240102,0.49,0.25,1\n20240103,0.49,0.25,100\n20240104,0.98,0.5,50\n20501231,1,1,0\n"
    )
    found = read_factors(path, "f.csv", "A.X", "XNYS")
    assert [(each.ex_date.isoformat(), each.kind) for each in found] == [
        ("2024-01-04", "cash_dividend"),
        ("2024-01-04", "split"),
        ("2024-01-05", "cash_dividend"),
        ("2024-01-05", "split"),
    ]
    assert [each.amount for each in found[::2]] == [Decimal(50), Decimal(1)]
    assert [(each.numerator, each.denominator) for each in found[1::2]] == [(2, 1), (2, 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20240102,1,1\n", "must be date, price factor.*in row 1"),
        ("date,p,s,r\n2024-01-02,1,1,1\n", "in row 2"),
        ("20240102,1,0,1\n", "factors must be positive"),
        ("20240103,1,1,1\n20240102,1,1,1\n", "dates must increase"),
        ("20240102,1,1,9\n20240103,0.9,1,9\n", "must not fall; found 1 before 0.9"),
        ("20240102,1,0.3141592,9\n20240103,1,1.0001,9\n", "ratio of small whole numbers"),
    ],
)
def test_factors_that_cannot_be_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(text)
    with pytest.raises(MarketDataError, match=message):
        read_factors(path, "f.csv", "A.X", "XNYS")
