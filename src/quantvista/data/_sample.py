"""The built-in sample: 20 large US stocks, 1990 to 2022, from the data files of skfolio."""

import importlib.util
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from quantvista.data._assemble import assemble
from quantvista.data._block import Block, to_block
from quantvista.data._check import check_block
from quantvista.data._instruments import decimals
from quantvista.data._read import read_table
from quantvista.data._types import Bias, DataSpec, MarketData
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["SAMPLES", "load_sample", "sample_files"]

SAMPLES = ("sp500",)
_TICK = Decimal("0.000001")
_INDEX = "SP500.INDEX"

# Primary listing on the sample's last day (2022-12-28) and sector of the Global Industry
# Classification Standard; AMD and PEP came to Nasdaq from the New York Stock Exchange.
_STOCKS = {
    "AAPL": ("XNAS", "Information Technology"),
    "AMD": ("XNAS", "Information Technology"),
    "BAC": ("XNYS", "Financials"),
    "BBY": ("XNYS", "Consumer Discretionary"),
    "CVX": ("XNYS", "Energy"),
    "GE": ("XNYS", "Industrials"),
    "HD": ("XNYS", "Consumer Discretionary"),
    "JNJ": ("XNYS", "Health Care"),
    "JPM": ("XNYS", "Financials"),
    "KO": ("XNYS", "Consumer Staples"),
    "LLY": ("XNYS", "Health Care"),
    "MRK": ("XNYS", "Health Care"),
    "MSFT": ("XNAS", "Information Technology"),
    "PEP": ("XNAS", "Consumer Staples"),
    "PFE": ("XNYS", "Health Care"),
    "PG": ("XNYS", "Consumer Staples"),
    "RRC": ("XNYS", "Energy"),
    "UNH": ("XNYS", "Health Care"),
    "WMT": ("XNYS", "Consumer Staples"),
    "XOM": ("XNYS", "Energy"),
}

_BIASES = (
    Bias(
        "survivorship",
        "The 20 stocks are large companies that were still listed in 2022. Those that failed or "
        "shrank since 1990 are missing, so every return here is better than could be had.",
    ),
    Bias(
        "adjusted_closes",
        "Closes are adjusted for later splits and dividends, so early prices are far below those "
        "that traded: share counts, lots and per-share costs are not those of the time.",
    ),
    Bias(
        "close_only",
        "There is no open, high, low or volume: orders fill at the next close, and neither market "
        "impact nor limits on volume can be modelled.",
    ),
    Bias(
        "price_index",
        "The index is without dividends, about 2 % a year, while the closes of the stocks contain "
        "theirs. Equal weight of the same stocks is the fairer comparison.",
    ),
)
_ASSUMPTIONS = (
    "Total-return instruments with a tick of 0.000001: dividends are in the prices, "
    "none is booked.",
    "Prices are rounded to 0.000001.",
)


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where the files of a sample are."""

    stocks: Path
    index: Path


def sample_files() -> SampleFiles:
    """Find the sample's files without importing the package that ships them.

    Returns
    -------
    SampleFiles
        Both exist.

    Raises
    ------
    MarketDataError
        If the package is not installed.
    """
    spec = importlib.util.find_spec("skfolio")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        data = Path(folder) / "datasets" / "data"
        files = SampleFiles(data / "sp500_dataset.csv.gz", data / "sp500_index.csv.gz")
        if files.stocks.is_file() and files.index.is_file():
            return files
    raise MarketDataError(
        "`data.source` sample:sp500 needs the data files of skfolio 1.12.2, which are not here; "
        "install them with: pip install 'quantvista[sample]'"
    )


def load_sample(spec: DataSpec, calendar: str, currency: str) -> MarketData:
    """Load a sample.

    Parameters
    ----------
    spec : DataSpec
        ``source`` is ``sample:NAME``; options of files do not apply.
    calendar, currency : str
        Of the fund; the sample is in US dollars, on sessions of New York.

    Returns
    -------
    MarketData
        With its biases.

    Raises
    ------
    ConfigError
        If there is no such sample, or an option does not apply.
    MarketDataError
        If its files are missing or damaged.
    """
    name = spec.source.removeprefix("sample:")
    if name not in SAMPLES:
        known = ", ".join(f"sample:{known}" for known in SAMPLES)
        raise ConfigError(f"`data.source` must be one of {known}; found {spec.source!r}")
    if currency != "USD":
        raise ConfigError(f"`fund.currency` must be USD for {spec.source}; found {currency!r}")
    own = ("columns", "venue", "round_prices", "tick_size", "sectors", "instrument", "period_s")
    for option in own:
        if getattr(spec, option):
            raise ConfigError(f"`data.{option}` must be left out; it is fixed for {spec.source}")
    files = sample_files()
    stocks = _read(files.stocks, {name: f"{name}.{venue}" for name, (venue, _) in _STOCKS.items()})
    index = _read(files.index, {"SP500": _INDEX})
    sectors = {f"{name}.{venue}": sector for name, (venue, sector) in _STOCKS.items()}
    if spec.instruments is not None and _INDEX in spec.instruments:
        raise ConfigError(f"`data.instruments` must be tradable; found the index '{_INDEX}'")
    if spec.instruments is None:
        spec = replace(spec, instruments=tuple(sorted(sectors)))
    spec = replace(spec, tick_size=_TICK, sectors=sectors)
    return assemble(
        [stocks, index], spec, calendar, currency, _BIASES, _ASSUMPTIONS, moves_known=True
    )


def _read(path: Path, ids: dict[str, str]) -> Block:
    table = read_table(path, path.name)
    missing = set(ids) - set(table.frame.columns)
    if missing:
        found = f"missing {', '.join(sorted(missing))}"
        raise MarketDataError(f"{path.name}: is not the file of skfolio 1.12.2; {found}")
    table = replace(table, frame=table.frame.rename(ids))
    block = to_block(table, {}, None, exact=False)
    digits = np.full(len(block.ids), decimals(_TICK), dtype=np.int64)
    return check_block(block, digits, round_prices=True)
