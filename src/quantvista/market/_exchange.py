"""Sessions computed by exchange_calendars, which is imported only when the cache lacks them."""

import difflib
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError

__all__ = ["CalendarReachError", "build"]

type Day = np.datetime64


class CalendarReachError(ConfigError):
    """Dates that a calendar does not know; ``first`` to ``last`` are those that it does."""

    def __init__(self, name: str, known: tuple[Day, Day], asked: tuple[Day, Day]) -> None:
        self.first, self.last = known
        found = f"found {asked[0]} to {asked[1]}"
        super().__init__(f"`calendar` {name} covers {self.first} to {self.last}; {found}")


def build(
    name: str, first: np.datetime64, last: np.datetime64, years: tuple[int, int]
) -> NDArray[np.int64]:
    """Compute sessions for whole years.

    Parameters
    ----------
    name : str
        An exchange_calendars name or alias.
    first, last : datetime64[D]
        What must be covered, both included.
    years : tuple of int
        What is computed, clipped to what the calendar knows.

    Returns
    -------
    int64, shape (n, 3)
        Day since 1970, open and close in UTC nanoseconds.

    Raises
    ------
    ConfigError
        If there is no such calendar; `CalendarReachError` if it does not cover both.
    """
    with warnings.catch_warnings():
        # The library is behind pandas; its deprecations are not for our users.
        warnings.simplefilter("ignore")
        import exchange_calendars
        from exchange_calendars.errors import InvalidCalendarName

        start, end = np.datetime64(f"{years[0]}-01-01"), np.datetime64(f"{years[1]}-12-31")
        try:
            schedule = _schedule(exchange_calendars, name, start, end)
        except InvalidCalendarName:
            names = [*exchange_calendars.get_calendar_names(), "24/7", "FX"]
            raise ConfigError(_unknown(name, names)) from None
        except ValueError:  # whole years reach too far; what was asked for may not
            lower, upper = _bounds(exchange_calendars, name)
            start, end = max(start, lower), min(end, upper)
            if first < start or last > end:
                raise CalendarReachError(name, (lower, upper), (first, last)) from None
            schedule = _schedule(exchange_calendars, name, start, end)
        opens = schedule["open"].dt.tz_convert(None).to_numpy(dtype="datetime64[ns]")
        closes = schedule["close"].dt.tz_convert(None).to_numpy(dtype="datetime64[ns]")
        days = schedule.index.to_numpy(dtype="datetime64[ns]").astype("datetime64[D]")
    return np.column_stack([column.astype(np.int64) for column in (days, opens, closes)])


def _schedule(library: Any, name: str, start: Day, end: Day) -> Any:  # noqa: ANN401 - untyped
    return library.get_calendar(name, start=str(start), end=str(end)).schedule


def _bounds(library: Any, name: str) -> tuple[Day, Day]:  # noqa: ANN401 - untyped
    known = type(library.get_calendar(name))
    lower, upper = known.bound_min(), known.bound_max()
    return (
        np.datetime64(lower.date() if lower is not None else "1900-01-01", "D"),
        np.datetime64(upper.date() if upper is not None else "2199-12-31", "D"),
    )


def _unknown(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name.upper(), names, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"`calendar` must be a name of exchange_calendars, 24/7 or FX; found {name!r}{hint}"
