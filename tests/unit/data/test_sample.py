import gzip
import importlib.util
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantvista.data import DataSpec, MarketData, load
from quantvista.errors import ConfigError, MarketDataError


@pytest.fixture(scope="module")
def sample() -> MarketData:
    spec = DataSpec("sample:sp500", benchmark="SP500.INDEX")
    return load(spec, base=Path(), calendar="XNYS", sectors_required=True)


def test_sample_has_the_known_shape(sample: MarketData) -> None:
    assert sample.close.shape == (8313, 20)
    assert not np.isnan(sample.close).any()
    assert sample.daily
    assert str(sample.ts[0].astype("datetime64[ns]")).startswith("1990-01-02T21:00")
    assert str(sample.ts[-1].astype("datetime64[ns]")).startswith("2022-12-28T21:00")
    assert sample.open is None


def test_sample_prices_are_whole_ticks(sample: MarketData) -> None:
    aapl = sample.ids.index("AAPL.XNAS")
    assert sample.close[0, aapl] == 0.264
    assert sample.close[:, aapl].min() == 0.098
    ticks = np.rint(sample.close * 1e6)
    assert (ticks / 1e6 == sample.close).all()
    assert sample.instruments[aapl].tick_size == Decimal("0.000001")


def test_sample_has_sectors_venues_and_index(sample: MarketData) -> None:
    sectors = dict(zip(sample.ids, sample.sectors, strict=True))
    assert sectors["XOM.XNYS"] == "Energy"
    assert sectors["MSFT.XNAS"] == "Information Technology"
    assert len(set(sectors.values())) == 7
    assert sample.benchmark is not None
    assert sample.benchmark[0] == 359.69


def test_sample_names_its_biases(sample: MarketData) -> None:
    names = [bias.name for bias in sample.biases]
    assert names == ["survivorship", "adjusted_closes", "close_only", "price_index"]
    assert any("none is booked" in text for text in sample.assumptions)


def test_sample_of_a_few_stocks_and_years() -> None:
    spec = DataSpec(
        "sample:sp500",
        instruments=("KO.XNYS", "AAPL.XNAS"),
        start=date(2000, 1, 3),
        end=date(2000, 12, 29),
    )
    data = load(spec, base=Path(), calendar="XNYS")
    assert data.ids == ("AAPL.XNAS", "KO.XNYS")
    assert len(data.ts) == 252
    assert data.benchmark is None


def test_sample_is_read_without_importing_its_package() -> None:
    code = (
        "import sys; from pathlib import Path; from quantvista.data import DataSpec, load;"
        "load(DataSpec('sample:sp500'), base=Path(), calendar='XNYS');"
        "print(sorted({'skfolio', 'pandas', 'pyarrow', 'exchange_calendars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "sample:nasdaq"}, "must be one of sample:sp500; found 'sample:nasdaq'"),
        ({"source": "sample:"}, "must be one of sample:sp500"),
        ({"tick_size": Decimal("0.01")}, "`data.tick_size` must be left out"),
        ({"venue": "XNAS"}, "`data.venue` must be left out"),
        ({"columns": {"date": "Date"}}, "`data.columns` must be left out"),
        ({"instruments": ("AAPL.XNYS",)}, "did you mean AAPL.XNAS"),
        ({"instruments": ("SP500.INDEX",)}, "must be tradable"),
        ({"benchmark": "SPX.INDEX"}, "did you mean SP500.INDEX"),
    ],
)
def test_option_that_does_not_fit_the_sample_raises(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(DataSpec(**{"source": "sample:sp500", **options}), base=Path(), calendar="XNYS")


def test_sample_in_another_currency_raises() -> None:
    with pytest.raises(ConfigError, match=r"`fund\.currency` must be USD"):
        load(DataSpec("sample:sp500"), base=Path(), calendar="XNYS", currency="EUR")


def test_sample_on_another_calendar_raises() -> None:
    with pytest.raises(MarketDataError, match="must be a session of the calendar XLON"):
        load(DataSpec("sample:sp500"), base=Path(), calendar="XLON")


def test_absent_sample_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MarketDataError, match=r"pip install 'quantvista\[sample\]'"):
        load(DataSpec("sample:sp500"), base=Path(), calendar="XNYS")


def test_foreign_sample_file_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "skfolio"
    data = folder / "datasets" / "data"
    data.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('must not be imported')")
    for name in ("sp500_dataset.csv.gz", "sp500_index.csv.gz"):
        (data / name).write_bytes(gzip.compress(b"Date,ZZZ\n2024-01-02,1\n"))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MarketDataError, match=r"is not the file of skfolio 1\.12\.2; missing AAPL"):
        load(DataSpec("sample:sp500"), base=Path(), calendar="XNYS")
