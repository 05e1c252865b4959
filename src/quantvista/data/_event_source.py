"""What an entry of ``[[data.events]]`` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["FORMATS", "SET_ASIDE", "USES", "EventSource"]

FORMATS = (
    "quotes",
    "trades",
    "levels",
    "orders",
    "auctions",
    "statuses",
    "funding",
    "rates",
    "quote_bars",
    "lean_quotes",
    "lean_trades",
    "lean_quote_bars",
    "freqtrade_trades",
    "binance",
)
SET_ASIDE = ("crossed", "suspicious", "gaps")
USES = ("levels", "trades", "quotes")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EventSource:
    """One source of market events.

    Parameters
    ----------
    source : str
        A CSV, Parquet or recorded file, or a folder of them in the order of their names; or
        ``generated:NAME``.
    format : str or None
        One of `FORMATS`; ``None`` finds it by the columns.
    instrument : str or None
        Whose events they are, where the file has no column for it.
    venue : str or None
        Appended to bare symbols of the file.
    columns : mapping of str to str
        Our column name to the file's, where they differ.
    time_zone : str or None
        In which a file without offsets counts its hours; needed for LEAN's.
    stamp : {"open", "close"} or None
        Which end of a bar the file names; needed for bars of quotes.
    period_s : int
        Seconds of a bar that is stamped with its open.
    delay_us : int
        Microseconds from when it happened until we know it, for files that do not say.
    use : tuple of str
        Which of a recording's streams are read.
    set_aside : tuple of str
        Rows to leave out and count, which are refused otherwise: ``crossed`` quotes,
        ``suspicious`` ticks, ``gaps`` of a recorded book until its next snapshot.
    params : mapping
        Of a generated market.
    """

    source: str
    format: str | None = None
    instrument: str | None = None
    venue: str | None = None
    columns: Mapping[str, str] = field(default=_NOTHING)
    time_zone: str | None = None
    stamp: str | None = None
    period_s: int = 60
    delay_us: int = 0
    use: tuple[str, ...] = ("levels", "trades")
    set_aside: tuple[str, ...] = ()
    params: Mapping[str, object] = field(default=MappingProxyType({}))

    def __str__(self) -> str:
        return self.source
