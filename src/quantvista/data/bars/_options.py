"""What is done about time, gaps and rows that cannot be used."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quantvista.errors import ConfigError

__all__ = ["BarOptions"]

_CHOICES = {
    "anchor": (None, "session", "day"),
    "outside": ("drop", "keep"),
    "late": ("refuse", "drop"),
    "missing": ("refuse", "drop"),
    "sides": (None, "given", "tick_rule"),
    "price": ("mid", "bid", "ask"),
}


@dataclass(frozen=True, slots=True)
class BarOptions:
    """How bars are made.

    Parameters
    ----------
    calendar : str or None
        Whose sessions no bar leaves, such as ``"XNYS"``, early closes included; ``None`` and
        ``"24/7"`` for none.
    time_zone : str
        In which a day begins, for ``1d`` and longer without a calendar, and for ``anchor="day"``.
    anchor : {"session", "day"} or None
        From where steps shorter than a day are counted: the open of the session, or the beginning
        of the day in ``time_zone``. ``None`` is the session where there is a calendar.
    outside : {"drop", "keep"}
        What becomes of rows outside the sessions: they are left out and counted, or put into bars
        of their own.
    late, missing : {"refuse", "drop"}
        What becomes of rows before an earlier one of their instrument, and of rows without a price
        or a size: an error that names the row, or left out and counted.
    fill : bool
        Make time bars for windows without rows, from the first bar of an instrument on: all prices
        are the last close, the volume is 0.
    sides : {"given", "tick_rule"} or None
        From where it is known who took: the column ``aggressor``, or the sign of the last change of
        the price. ``None`` is the column where there is one.
    price : {"mid", "bid", "ask"}
        Of quotes.
    """

    calendar: str | None = None
    time_zone: str = "UTC"
    anchor: str | None = None
    outside: str = "drop"
    late: str = "refuse"
    missing: str = "refuse"
    fill: bool = False
    sides: str | None = None
    price: str = "mid"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if (found := getattr(self, name)) not in choices:
                known = ", ".join(each for each in choices if each)
                raise ConfigError(f"`{name}` must be one of {known}; found {found!r}")
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            rule = "must be an IANA time zone such as America/New_York"
            raise ConfigError(f"`time_zone` {rule}; found {self.time_zone!r}") from None
        if self.anchor == "session" and not self.sessions:
            raise ConfigError("`anchor` must be day without a calendar; found session")
        if self.outside == "keep" and self.fill:
            raise ConfigError("`fill` must not come with `outside` = keep: nights would be filled")

    @property
    def sessions(self) -> str:
        """Name of the calendar whose sessions count; empty for none."""
        return "" if self.calendar in (None, "24/7") else str(self.calendar)
