"""Instruments reach the engine in its units, with the places of their currencies."""

from decimal import Decimal

import pytest

from quantvista.engine import engine_instrument
from quantvista.errors import ConfigError
from quantvista.market import Instrument


def test_defaults_are_a_stock_in_the_fund_s_currency() -> None:
    found = engine_instrument(Instrument("A.X"), ["USD"], close_only=True)
    assert (found["currency"], found["settlement"], found["close_only"]) == (0, "asset", True)
    assert (found["margin_initial"], found["margin_maintenance"]) == (10**9, 10**9)
    assert (found["shortable"], found["volatility"]) == (0, None)


def test_pairs_name_the_places_of_two_currencies() -> None:
    pair = Instrument("EUR-JPY.X", currency="JPY", kind="pair", base="EUR")
    found = engine_instrument(pair, ["USD", "EUR", "JPY"], venue=2)
    assert (found["currency"], found["settlement"]) == (2, {"exchange": {"base": 1}})
    assert found["venue"] == 2
    for currencies in (["USD", "EUR"], ["USD", "JPY"]):
        with pytest.raises(ConfigError, match="must be one of the run's"):
            engine_instrument(pair, currencies)


def test_terms_count_in_billionths_and_units() -> None:
    perpetual = Instrument(
        "A.X",
        kind="perpetual",
        margin_initial=Decimal("0.05"),
        volatility=Decimal("0.0312345678912"),
        average_volume=Decimal(5),
        matching="l2",
    )
    found = engine_instrument(perpetual, ["USD"], has_auctions=True)
    assert (found["settlement"], found["matching"]) == ("difference", "l2")
    assert found["margin_initial"] == found["margin_maintenance"] == 50_000_000
    assert (found["volatility"], found["average_volume"]) == (31_234_568, 5)
    assert found["has_auctions"]
