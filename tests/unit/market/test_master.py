"""Identity over time: symbols, listings and steps of generated histories, as of any time."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.errors import MarketDataError
from quantvista.market import Instrument, SecurityMaster

NAMES = ("instrument", "field", "value", "ts_event", "known_at")

type Fact = tuple[str, str, str | None, int, int]


def master(*rows: Fact) -> SecurityMaster:
    schema = dict.fromkeys(NAMES[:3], pl.String) | dict.fromkeys(NAMES[3:], pl.Int64)
    return SecurityMaster(pl.DataFrame(list(rows), schema=schema, orient="row"))


def test_a_symbol_may_change_hands_but_an_id_does_not() -> None:
    """Generated: one company is renamed and delisted, another takes its first symbol."""
    found = master(
        ("OLD.X", "symbol", "SUN", 10, 10),
        ("OLD.X", "status", "listed", 10, 10),
        ("OLD.X", "symbol", "JAVA", 20, 18),
        ("OLD.X", "status", "delisted", 30, 29),
        ("NEW.X", "symbol", "SUN", 40, 35),
        ("NEW.X", "status", "listed", 40, 35),
    )
    assert [found.find("SUN", at) for at in (9, 10, 19, 20, 40)] == [
        None,
        "OLD.X",
        "OLD.X",
        None,
        "NEW.X",
    ]
    assert [found.find("JAVA", at) for at in (19, 20, 29, 30)] == [None, "OLD.X", "OLD.X", None]
    assert [found.listed(at) for at in (5, 15, 35, 45)] == [(), ("OLD.X",), (), ("NEW.X",)]
    assert found.history("OLD.X", "symbol") == ((10, "SUN"), (20, "JAVA"))
    assert found.instruments == ("NEW.X", "OLD.X")


def test_what_was_not_known_yet_is_not_told() -> None:
    found = master(
        ("A.X", "sector", "Energy", 0, 0),
        ("A.X", "sector", "Utilities", 10, 15),  # said only later
        ("A.X", "sector", "Materials", 10, 20),  # and then corrected
    )
    assert [found.value("A.X", "sector", at) for at in (9, 12, 15, 20)] == [
        "Energy",
        "Energy",
        "Utilities",
        "Materials",
    ]
    assert found.value("A.X", "sector", 12, known_at=30) == "Materials"
    assert found.value("A.X", "sector", 9, known_at=30) == "Energy"
    assert found.value("B.X", "sector", 9) is None


def test_an_empty_value_ends_a_fact() -> None:
    found = master(("A.X", "sector", "Energy", 0, 0), ("A.X", "sector", "", 5, 5))
    assert [found.value("A.X", "sector", at) for at in (4, 5)] == ["Energy", None]


def test_steps_are_those_of_their_time() -> None:
    found = master(
        ("A.X", "tick_size", "0.0625", 0, 0),
        ("A.X", "tick_size", "0.01", 10, 8),
        ("A.X", "lot_size", "100", 0, 0),
        ("A.X", "multiplier", "10", 0, 0),
        ("A.X", "sector", "Energy", 0, 0),
    )
    before, after = found.instrument("A.X", 9), found.instrument("A.X", 10)
    assert (before.tick_size, before.price_precision) == (Decimal("0.0625"), 4)
    assert (after.tick_size, after.price_precision, after.lot_size) == (
        Decimal("0.01"),
        2,
        Decimal(100),
    )
    assert (after.multiplier, after.sector) == (10, "Energy")
    fine = Instrument("Z.X", price_precision=6, currency="EUR")
    assert found.instrument("A.X", 10, base=fine).price_precision == 6
    assert found.instrument("A.X", 10, base=fine).currency == "EUR"
    with pytest.raises(MarketDataError, match="`tick_size` must be a number; found 'fine'"):
        master(("A.X", "tick_size", "fine", 0, 0)).instrument("A.X", 1)


def test_a_symbol_of_two_venues_must_be_said_with_its_venue() -> None:
    found = master(
        ("A.X", "symbol", "SUN", 0, 0),
        ("A.X", "venue", "X", 0, 0),
        ("A.Y", "symbol", "SUN", 0, 0),
        ("A.Y", "venue", "Y", 0, 0),
    )
    with pytest.raises(MarketDataError, match=r"found A\.X, A\.Y for 'SUN': say the venue"):
        found.find("SUN", 1)
    assert found.find("SUN", 1, venue="Y") == "A.Y"
    with pytest.raises(MarketDataError, match="must have a column 'value'"):
        SecurityMaster(pl.DataFrame({"instrument": ["A.X"], "field": ["symbol"]}))


FACTS = st.lists(
    st.tuples(
        st.sampled_from(["A.X", "B.X"]),
        st.sampled_from(["symbol", "sector"]),
        st.sampled_from(["one", "two", "three"]),
        st.integers(0, 10),
        st.integers(0, 10),
    ),
    max_size=12,
    unique_by=lambda row: (row[0], row[1], row[3], row[4]),
)


@given(FACTS, st.integers(0, 12), st.integers(0, 12))
def test_a_look_up_reads_nothing_later(rows: list[Fact], at: int, known_at: int) -> None:
    """Generated facts: those that come later, or were known later, do not exist."""
    seen = master(*(row for row in rows if row[3] <= at and row[4] <= known_at))
    whole = master(*rows)
    for name in ("A.X", "B.X"):
        for field in ("symbol", "sector"):
            expected = [
                (since, known, value)
                for instrument, of, value, since, known in rows
                if (instrument, of) == (name, field) and since <= at and known <= known_at
            ]
            value = max(expected)[2] if expected else None
            assert whole.value(name, field, at, known_at=known_at) == value
            assert seen.value(name, field, at, known_at=known_at) == value
