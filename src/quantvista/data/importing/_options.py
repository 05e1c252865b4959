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
_YEAR_S = 366 * 86_400


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
    decimal : {".", ","} or None
        Decimal mark of numbers as text; the other one may stand between thousands.
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
    decimal: str | None = None
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
        if self.period_s is not None and not 1 <= self.period_s <= _YEAR_S:
            raise ConfigError(f"`period_s` must be 1 to {_YEAR_S}, a year; found {self.period_s}")
        if not 0 <= self.delay_s <= 50 * _YEAR_S:
            raise ConfigError(
                f"`delay_s` must be 0 to {50 * _YEAR_S}, 50 years; found {self.delay_s}"
            )
        if self.known_at is not None and not -(2**63) <= self.known_at < 2**63:
            raise ConfigError("`known_at` must lie between the years 1678 and 2261")
        if self.scale is not None and not 1e-12 <= self.scale <= 1e12:
            raise ConfigError(f"`scale` must be 1e-12 to 1e12; found {self.scale}")
        if self.decimal not in (None, ".", ","):
            raise ConfigError(f"`decimal` must be . or ,; found {self.decimal!r}")
        if self.separator is not None and not _is_separator(self.separator):
            rule = "must be one ASCII sign that is no letter, digit, quote or line break"
            raise ConfigError(f"`separator` {rule}; found {self.separator!r}")
        if self.encoding is not None and not _is_encoding(self.encoding):
            rule = "must be an encoding of text such as latin-1 or utf-16"
            raise ConfigError(f"`encoding` {rule}; found {self.encoding!r}")
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


def _is_separator(text: str) -> bool:
    return len(text) == 1 and text.isascii() and not text.isalnum() and text not in "\"'.\r\n\0"


def _is_encoding(name: str) -> bool:
    try:
        b"text".decode(name)
    except UnicodeError:
        return True
    except (LookupError, ValueError):  # rot13 and others do not turn bytes into text
        return False
    return True
