import re
from decimal import Decimal
from typing import Any

import pytest

from quantvista.errors import ConfigError
from quantvista.market import REFUSED_KINDS, Instrument, check_instrument_id, currency_digits
from quantvista.market._currency import _COINS, CURRENCIES


def test_instrument_defaults_are_a_us_stock() -> None:
    stock = Instrument("AAPL.XNAS")
    assert (stock.tick_units, stock.lot_units, stock.multiplier) == (1, 1, 1)


@pytest.mark.parametrize(
    "value", ["AAPL.XNAS", "BRK.B.XNYS", "ES-2026Z.XCME", "BTC-USDT-PERP.BINANCE", "3M.XNYS"]
)
def test_instrument_id_of_the_design_is_accepted(value: str) -> None:
    assert check_instrument_id(value) == value


@pytest.mark.parametrize(
    "value", ["", "AAPL", "aapl.XNAS", "AAPL.", ".XNAS", "A B.XNAS", "AAPL.xnas", "A.X\n", "Ä.XETR"]
)
def test_instrument_id_of_another_form_raises(value: str) -> None:
    with pytest.raises(ConfigError, match=r"`instrument` must be SYMBOL\.VENUE"):
        check_instrument_id(value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"currency": "usd"}, "`currency` must be an ISO 4217 code"),
        ({"price_precision": 10}, "`price_precision` must be 0 to 9; found 10"),
        ({"price_precision": -1}, "`price_precision` must be 0 to 9"),
        ({"price_precision": 9, "quantity_precision": 4}, "must be at most 12; found 13"),
        ({"tick_size": Decimal("0.001")}, "`tick_size` must have at most 2 decimals"),
        ({"tick_size": Decimal(0)}, "`tick_size` must be positive"),
        ({"tick_size": Decimal("NaN")}, "`tick_size` must be positive"),
        ({"lot_size": Decimal("0.5")}, "`lot_size` must have at most 0 decimals"),
        ({"multiplier": 0}, "`multiplier` must be at least 1"),
        ({"effective_from": 5, "effective_to": 5}, "`effective_to` must be after 5"),
    ],
)
def test_instrument_that_breaks_a_rule_raises(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Instrument("AAPL.XNAS", **fields)


def test_instrument_units_count_in_precision() -> None:
    coin = Instrument(
        "BTC-USDT.BINANCE",
        currency="USDT",
        price_precision=2,
        quantity_precision=5,
        tick_size=Decimal("0.05"),
        lot_size=Decimal("0.0001"),
    )
    assert (coin.tick_units, coin.lot_units) == (5, 10)


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        *(("USD", 2), ("EUR", 2), ("JPY", 0), ("VUV", 0), ("BHD", 3)),
        *(("BTC", 8), ("ETH", 8), ("USDC", 6), ("USDT", 6)),
    ],
)
def test_currency_digits_follow_iso_and_the_coins(code: str, digits: int) -> None:
    assert currency_digits(code) == digits


def test_iso_codes_are_three_letters() -> None:
    iso = [code for code in CURRENCIES if code not in _COINS]
    assert len(iso) == 134 + 16 + 7
    assert all(re.fullmatch("[A-Z]{3}", code) for code in iso)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("XYZ", "found 'XYZ'"),
        ("", "found ''"),
        ("usd", "did you mean USD?"),
        ("USDX", "did you mean USD"),
        ("GBX", "divide prices by 100 and use GBP"),
        ("XBT", "the code here is BTC"),
        ("XAU", "found 'XAU'"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER U}SD", "must be an ISO 4217 code"),
    ],
)
def test_currency_that_does_not_exist_raises(code: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(hint)):
        currency_digits(code)


def test_instrument_id_that_is_too_long_is_called_so() -> None:
    assert check_instrument_id("A" * 59 + ".XNYS") == "A" * 59 + ".XNYS"
    with pytest.raises(ConfigError, match="must have at most 64 characters; found 65 in 'AAA"):
        check_instrument_id("A" * 60 + ".XNYS")


@pytest.mark.parametrize(
    ("kind", "fields", "settlement"),
    [
        ("equity", {}, "asset"),
        ("etf", {}, "asset"),
        ("pair", {"base": "EUR"}, "exchange"),
        ("spot", {}, "asset"),
        ("perpetual", {}, "difference"),
        ("future", {"expiry": 1}, "difference"),
    ],
)
def test_kinds_have_a_settlement_of_their_own(
    kind: str, fields: dict[str, Any], settlement: str
) -> None:
    assert Instrument("A.X", kind=kind, **fields).settlement == settlement


@pytest.mark.parametrize("kind", REFUSED_KINDS)
def test_kinds_that_are_not_supported_are_refused_with_a_way_out(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"`kind` is not supported: .*; found {kind}"):
        Instrument("A.X", kind=kind)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "bond"}, "`kind` must be one of equity, etf, pair, spot"),
        ({"kind": "future", "expiry": 1, "settlement": "asset"}, "must be difference for kind fut"),
        ({"settlement": "cash"}, "must be asset or difference for kind equity; found 'cash'"),
        ({"kind": "pair"}, "`base` must name the currency that the pair buys"),
        ({"kind": "pair", "base": "USD"}, "`base` must differ from `currency`"),
        ({"kind": "pair", "base": "eur"}, "did you mean EUR"),
        ({"matching": "l1"}, "`matching` must be one of bars, quotes, trades, l2, l3"),
        ({"margin_initial": Decimal(0)}, r"`margin_initial` must be in \(0, 1\]"),
        ({"margin_maintenance": Decimal("0.1")}, "must come with a `margin_initial`"),
        (
            {"margin_initial": Decimal("0.1"), "margin_maintenance": Decimal("0.2")},
            "that is not smaller; found 0.2 and 0.1",
        ),
        ({"kind": "perpetual", "shortable": Decimal(1)}, "is for what is borrowed to be sold"),
        ({"shortable": Decimal("0.5")}, "`shortable` must have at most 0 decimals"),
        ({"borrow_rate": Decimal(11)}, "`borrow_rate` must be 0 to 10 a year"),
        ({"settlement_days": 6}, "`settlement_days` must be 0 to 5"),
        ({"kind": "future"}, "`expiry` must be there for kind future"),
        ({"expiry": 1}, "`expiry` must be there for kind future and for no other"),
        ({"average_volume": Decimal(0)}, "`average_volume` must be positive"),
        ({"volatility": Decimal(0)}, "`volatility` must be positive"),
    ],
)
def test_terms_that_do_not_fit_raise(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Instrument("A.X", **fields)


def test_quantities_of_terms_count_in_units() -> None:
    coin = Instrument(
        "A.X",
        quantity_precision=3,
        lot_size=Decimal("0.001"),
        shortable=Decimal("2.5"),
        average_volume=Decimal("1000.1239"),
    )
    assert (coin.shortable_units, coin.average_volume_units) == (2500, 1_000_123)
    assert Instrument("A.X").average_volume_units is None
