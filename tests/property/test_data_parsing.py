"""Prices survive from file to engine to the last digit, and junk is refused in words."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantvista.data import DataSpec, MarketData, load
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import sessions

DAYS = [str(day) for day in sessions("24/7", "2023-12-20", "2024-01-20").labels]

# One file for all examples of a test is what we want.
in_one_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def price_tables(draw: st.DrawFn) -> tuple[int, list[list[Decimal | None]]]:
    """Decimals of the tick, and closes of three instruments on consecutive days."""
    digits = draw(st.integers(0, 9))
    units = st.integers(1, min(10**15, 2**53 - 1))
    price = st.none() | units.map(lambda unit: Decimal(unit).scaleb(-digits))
    row = st.lists(price, min_size=3, max_size=3)
    rows = draw(st.lists(row, min_size=1, max_size=len(DAYS)))
    rows[0] = [each or Decimal(1) for each in rows[0]]
    return digits, rows


def _load(path: Path, digits: int) -> MarketData:
    tick = Decimal(1).scaleb(-digits)
    return load(DataSpec(path.name, tick_size=tick), base=path.parent, calendar="24/7")


def _ticks(data: MarketData, digits: int) -> list[list[int | None]]:
    """What the engine will be given."""
    ticks = np.rint(data.close * 10.0**digits)
    return [[None if np.isnan(each) else int(each) for each in row] for row in ticks]


def _expected(rows: list[list[Decimal | None]], digits: int) -> list[list[int | None]]:
    return [[None if p is None else int(p.scaleb(digits)) for p in row] for row in rows]


def _wide(rows: Sequence[Sequence[Decimal | None]], order: Sequence[int]) -> str:
    lines = ["date,A.X,B.X,C.X"]
    for index in order:
        lines.append(",".join([DAYS[index], *("" if p is None else f"{p:f}" for p in rows[index])]))
    return "\n".join(lines) + "\n"


@in_one_folder
@given(price_tables(), st.randoms(use_true_random=False))
def test_decimals_survive_exactly_in_every_format(
    tmp_path: Path,
    table: tuple[int, list[list[Decimal | None]]],
    random: Random,
) -> None:
    digits, rows = table
    last = max(i for i, row in enumerate(rows) if i == 0 or any(p is not None for p in row))
    order = list(range(len(rows)))
    (tmp_path / "wide.csv").write_text(_wide(rows, order))
    wide = _load(tmp_path / "wide.csv", digits)
    assert _ticks(wide, digits) == _expected(rows, digits)

    random.shuffle(order)
    (tmp_path / "shuffled.csv").write_text(_wide(rows, order))
    assert _load(tmp_path / "shuffled.csv", digits).fingerprint == wide.fingerprint

    frame = pl.DataFrame(
        {
            "date": DAYS[: len(rows)],
            **{
                name: pl.Series([None if p is None else float(p) for p in column], dtype=pl.Float64)
                for name, column in zip(("A.X", "B.X", "C.X"), zip(*rows, strict=True), strict=True)
            },
        }
    )
    frame.write_parquet(tmp_path / "wide.parquet")
    assert _load(tmp_path / "wide.parquet", digits).fingerprint == wide.fingerprint

    long = frame.unpivot(index="date", variable_name="instrument", value_name="close")
    long = long.drop_nulls().sample(fraction=1.0, shuffle=True, seed=random.randrange(1000))
    long.write_parquet(tmp_path / "long.parquet")
    ticks = _ticks(_load(tmp_path / "long.parquet", digits), digits)
    assert ticks == _expected(rows[: last + 1], digits)


@in_one_folder
@given(price_tables(), st.integers(0, 2))
def test_price_finer_than_the_tick_is_never_taken(
    tmp_path: Path, table: tuple[int, list[list[Decimal | None]]], column: int
) -> None:
    digits, rows = table
    rows[-1][column] = Decimal(12345).scaleb(-digits) + Decimal("0.5").scaleb(-digits)
    (tmp_path / "p.csv").write_text(_wide(rows, range(len(rows))))
    with pytest.raises(MarketDataError, match=f"row {len(rows) + 1}, column"):
        _load(tmp_path / "p.csv", digits)


@in_one_folder
@given(st.binary(max_size=200), st.sampled_from(["p.csv", "p.csv.gz", "p.parquet"]))
def test_any_bytes_are_refused_in_words(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((MarketDataError, ConfigError)):
        load(DataSpec(name), base=tmp_path, calendar="24/7")


@in_one_folder
@given(st.data())
def test_damaged_file_is_refused_or_still_well_formed(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(_wide([[Decimal("1.25")] * 3] * 4, range(4)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    (tmp_path / "p.csv").write_bytes(bytes(content))
    try:
        found = load(DataSpec("p.csv"), base=tmp_path, calendar="24/7")
    except (MarketDataError, ConfigError):
        return
    assert (np.diff(found.ts) > 0).all()
    known = found.close[~np.isnan(found.close)]
    assert (known > 0).all()
    assert (np.rint(known * 100) / 100 == known).all()
