"""What loading market data takes and gives."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from quantvista.data._event_source import EventSource
from quantvista.data.universes import Membership
from quantvista.market import CorporateAction, Instrument

__all__ = ["Bias", "DataSpec", "MarketData", "fingerprint"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bias:
    """A way in which data flatters or distorts results, in words for the reader."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class DataSpec:
    """Which data to load and how to read it: the ``[data]`` section of a fund file.

    Parameters
    ----------
    source : str
        ``sample:NAME``, ``lake:NAME``, ``lake:NAME@COMMIT``, or a CSV or Parquet file or a folder
        of them; empty for no bars.
    benchmark : str or None
        Instrument id whose closes are the benchmark.
    start, end : datetime.date or None
        First and last session, both included; ``None`` takes all there is.
    instruments : tuple of str or None
        The universe; ``None`` takes all instruments.
    tick_size, lot_size : decimal.Decimal or None
        Steps of prices and quantities; ``None`` is 0.01 and 1 for files.
    sectors : mapping of str to str
        Sector of each instrument id.
    columns : mapping of str to str
        Our column name to the file's, where they differ; empty for one that is not to be used.
    venue : str or None
        Appended to the names in the file, where these are bare symbols.
    instrument : str or None
        Whose bars a single file holds that has no column for it and another name.
    stamp : {"open", "close"}
        Which end of a bar ``ts`` is.
    period_s : int or None
        Seconds of a bar that is stamped with its open.
    round_prices : bool
        Round prices to the decimals of ``tick_size`` instead of refusing finer ones.
    events : tuple of EventSource
        Quotes, trades, books and the like, beside the bars or without them.
    declared : mapping of str to mapping
        Fields of `Instrument` by id, where they are not the defaults.
    currencies : mapping of str to int
        Decimals of currencies that are not known by themselves.
    actions : tuple of CorporateAction
        What issuers do.
    actions_file : str
        A file of more of them; empty for none.
    factors : mapping of str to str
        Factor file of LEAN by instrument id, which gives the actions of raw prices.
    clock_s : int or None
        Seconds between barriers within sessions, at which a run of events is valued; ``None`` is
        60 where there are no bars, and none where there are.
    universe : str
        Who may be held: a file of membership, or ``lake:NAME``; empty for all.
    """

    source: str = ""
    benchmark: str | None = None
    start: date | None = None
    end: date | None = None
    instruments: tuple[str, ...] | None = None
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    sectors: Mapping[str, str] = field(default=_NOTHING)
    columns: Mapping[str, str] = field(default=_NOTHING)
    venue: str | None = None
    instrument: str | None = None
    stamp: str = "close"
    period_s: int | None = None
    round_prices: bool = False
    events: tuple[EventSource, ...] = ()
    declared: Mapping[str, Mapping[str, object]] = field(default=MappingProxyType({}))
    currencies: Mapping[str, int] = field(default=MappingProxyType({}))
    actions: tuple[CorporateAction, ...] = ()
    actions_file: str = ""
    factors: Mapping[str, str] = field(default=_NOTHING)
    clock_s: int | None = None
    universe: str = ""


@dataclass(frozen=True, slots=True)
class MarketData:
    """Prices of a universe on one time axis.

    Every price equals ``k / 10**price_precision`` for a whole ``k``, to the last bit, so that
    rounding ``price * 10**price_precision`` to the nearest integer is exact.

    Parameters
    ----------
    instruments : tuple of Instrument, length n
        In ascending order of id; the columns of the matrices.
    ts : int64, shape (T,)
        Bar closes in UTC nanoseconds, strictly increasing. Daily data has every session between
        its first and its last, whether or not anything traded.
    session_start, session_end : bool, shape (T,)
        First and last bar of each session; all true for daily data.
    close : float64, shape (T, n)
        NaN where an instrument has no bar. Missing bars are never filled.
    open, high, low : float64, shape (T, n), or None
        All or none of them; NaN exactly where ``close`` is.
    volume : float64, shape (T, n), or None
        In units of the instrument; NaN exactly where ``close`` is.
    benchmark : float64, shape (T,), or None
        Level; where it has no bar the last one is carried forward, and ``assumptions`` says so.
    benchmark_id : str or None
        Its instrument id.
    biases : tuple of Bias
        What is known to be wrong with the data.
    assumptions : tuple of str
        Sentences about how it was read.
    source : str
        As written in the fund file.
    fingerprint : str
        SHA-256 of all of the content above, in hexadecimal; the source's name is not part of it.
    commit : str
        Of the dataset of the lake that it was read from; empty for other sources.
    universe : Membership or None
        Who may be held when; ``None`` for all.
    """

    instruments: tuple[Instrument, ...]
    ts: NDArray[np.int64]
    session_start: NDArray[np.bool_]
    session_end: NDArray[np.bool_]
    close: NDArray[np.float64]
    open: NDArray[np.float64] | None
    high: NDArray[np.float64] | None
    low: NDArray[np.float64] | None
    volume: NDArray[np.float64] | None
    benchmark: NDArray[np.float64] | None
    benchmark_id: str | None
    biases: tuple[Bias, ...]
    assumptions: tuple[str, ...]
    source: str
    fingerprint: str
    commit: str = ""
    universe: Membership | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Instrument ids, ascending."""
        return tuple(instrument.id for instrument in self.instruments)

    @property
    def sectors(self) -> tuple[str, ...]:
        """Sector of each instrument, empty where unknown."""
        return tuple(instrument.sector for instrument in self.instruments)

    @property
    def daily(self) -> bool:
        """Whether every session has one bar."""
        return bool(self.session_start.all() and self.session_end.all())


def fingerprint(
    instruments: tuple[Instrument, ...],
    benchmark_id: str | None,
    arrays: Mapping[str, NDArray[np.generic] | None],
) -> str:
    """SHA-256 of loaded data, the same on every platform.

    Parameters
    ----------
    instruments : tuple of Instrument
        In the order of the columns.
    benchmark_id : str or None
        Id of the benchmark.
    arrays : mapping of str to array or None
        By name; hashed in the order of the names.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(b"quantvista data 1\n")
    for instrument in instruments:
        digest.update(f"{instrument}\n".encode())
    digest.update(f"benchmark {benchmark_id}\n".encode())
    for name in sorted(arrays):
        array = arrays[name]
        if array is None:
            digest.update(f"{name} none\n".encode())
            continue
        digest.update(f"{name} {array.shape} {array.dtype.kind}\n".encode())
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), np.nan, array)  # one bit pattern for NaN
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
