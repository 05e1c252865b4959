"""What a user says about a file, where the guess is not right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quantvista.errors import ConfigError
from quantvista.market import check_instrument_id

__all__ = ["IMPORT_KINDS", "UNITS", "ImportOptions"]

IMPORT_KINDS = (
    "bars",
    "quote_bars",
    "quotes",
    "trades",
    "levels",
    "orders",
    "auctions",
    "statuses",
    "funding",
    "rates",
    "news",
    "series",
    "fundamentals",
    "reference",
    "actions",
)
UNITS: Mapping[str, int] = MappingProxyType({"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1})
"""Nanoseconds in each unit of time."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Everything that is guessed, to be said instead.

    Parameters
    ----------
    kind : str or None
        One of `IMPORT_KINDS`.
    columns : mapping of str to str
        Our column name to the file's; empty leaves ours out.
    instrument : str or None
        Whose rows these are, where no column says it; of options, their underlying.
    venue : str or None
        Appended to bare symbols.
    time_zone : str or None
        In which times without an offset are written.
    time_format : str or None
        Of times as text, in the notation of ``strftime``.
    unit : str or None
        Of times as whole numbers since 1970: a key of `UNITS`.
    stamp : {"open", "close"} or None
        Which end of a bar its time is.
    period_s : int or None
        Seconds of a bar that is stamped with its open.
    calendar : str or None
        At the close of whose session the bar of a date is known.
    known_at : int or None
        UTC nanoseconds at which all rows became known, where no column says it; needed for
        tables without times.
    delay_s : int
        Seconds from when it happened until we know it.
    scale : float or None
        Prices are divided by it.
    separator, encoding : str or None
        Of CSV files.
    use : tuple of str
        Streams of a recording that are read.
    in_place : bool
        Whether the file is used where it stands, in our form: there a column ``ts`` is the close
        of a bar, which is in doubt in what is imported.
    """

    kind: str | None = None
    columns: Mapping[str, str] = field(default=MappingProxyType({}))
    instrument: str | None = None
    venue: str | None = None
    time_zone: str | None = None
    time_format: str | None = None
    unit: str | None = None
    stamp: str | None = None
    period_s: int | None = None
    calendar: str | None = None
    known_at: int | None = None
    delay_s: int = 0
    scale: float | None = None
    separator: str | None = None
    encoding: str | None = None
    use: tuple[str, ...] = ("levels", "trades", "quotes")
    in_place: bool = False

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in IMPORT_KINDS:
            known = ", ".join(IMPORT_KINDS)
            raise ConfigError(f"`kind` must be one of {known}; found {self.kind!r}")
        if self.unit is not None and self.unit not in UNITS:
            raise ConfigError(f"`unit` must be one of {', '.join(UNITS)}; found {self.unit!r}")
        if self.stamp not in (None, "open", "close"):
            raise ConfigError(f"`stamp` must be open or close; found {self.stamp!r}")
        if self.period_s is not None and self.period_s < 1:
            raise ConfigError(f"`period_s` must be at least 1; found {self.period_s}")
        if self.delay_s < 0:
            raise ConfigError(f"`delay_s` must not be negative; found {self.delay_s}")
        if self.scale is not None and not self.scale > 0:
            raise ConfigError(f"`scale` must be positive; found {self.scale}")
        if self.separator is not None and len(self.separator) != 1:
            raise ConfigError(f"`separator` must be one character; found {self.separator!r}")
        if self.instrument is not None:
            check_instrument_id(self.instrument)
        if self.venue is not None:
            check_instrument_id(f"A.{self.venue}")
        if self.time_zone is not None:
            try:
                ZoneInfo(self.time_zone)
            except (ValueError, OSError, ZoneInfoNotFoundError):
                rule = "must be an IANA time zone such as America/New_York"
                raise ConfigError(f"`time_zone` {rule}; found {self.time_zone!r}") from None
