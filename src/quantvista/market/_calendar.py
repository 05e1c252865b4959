"""Trading sessions of an exchange, cached because their library is slow to import."""

import hashlib
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError
from quantvista.market._cache import cache_dir
from quantvista.market._continuous import continuous_days, continuous_parts
from quantvista.market._exchange import CalendarReachError, build

__all__ = ["Sessions", "sessions"]

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,31}")
_MAGIC = b"quantvista sessions 1"
_EARLY_NS = 90 * 60 * 10**9
_FIRST, _LAST = np.datetime64("1900-01-01", "D"), np.datetime64("2199-12-31", "D")
_LAST_ZONED = np.datetime64("2099-12-31", "D")  # as far as daylight saving is computed ahead


@dataclass(frozen=True, slots=True)
class Sessions:
    """Trading sessions in ascending order.

    Parameters
    ----------
    labels : datetime64[D], shape (n,)
        The date that each session is called by.
    open_ns, close_ns : int64, shape (n,)
        First and last instant, UTC nanoseconds. Lunch breaks are not represented.
    """

    labels: NDArray[np.datetime64]
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def half_days(self) -> NDArray[np.bool_]:
        """Which are half days, bool of shape (n,): an hour and a half shorter than usual, or more.

        What is usual is the median of these sessions, so ask for some weeks. A day that daylight
        saving makes an hour shorter is none.
        """
        length = self.close_ns - self.open_ns
        if not len(length):
            return np.zeros(0, np.bool_)
        half: NDArray[np.bool_] = length <= np.median(length) - _EARLY_NS
        return half


def sessions(name: str, start: str | np.datetime64, end: str | np.datetime64) -> Sessions:
    """Sessions of a calendar between two dates, both included.

    Parameters
    ----------
    name : str
        An exchange_calendars name such as ``"XNYS"``; ``"24/7"``, whose sessions are UTC days;
        ``"24/7@Europe/Berlin"``, days of another zone; ``"24/7@America/New_York 17:00"``, days
        that end there at that time; ``"FX"``, the week of currencies, from Sunday 17:00 to Friday
        17:00 in New York, in days that end at 17:00, without 1 January and 25 December.
    start, end : str or datetime64[D]
        ISO dates.

    Returns
    -------
    Sessions
        Early closes and daylight saving are in the times.

    Raises
    ------
    ConfigError
        If there is no such calendar; `CalendarReachError` if it does not reach that far.

    Notes
    -----
    Years once computed are kept in ``cache_dir()``, per version of the library and of the time
    zone data; a damaged file is made again.

    Examples
    --------
    >>> days = sessions("24/7", "2024-01-01", "2024-01-02")
    >>> days.labels.astype(str).tolist(), int(days.close_ns[0] - days.open_ns[0])
    (['2024-01-01', '2024-01-02'], 86400000000000)
    """
    first, last = np.datetime64(start, "D"), np.datetime64(end, "D")
    if first > last:
        raise ConfigError(f"`start` must not be after `end`; found {first} and {last}")
    if (parts := continuous_parts(name)) is not None:
        reach = _LAST if parts[0] == "UTC" else _LAST_ZONED
        if first < _FIRST or last > reach:
            raise CalendarReachError(name, (_FIRST, reach), (first, last))
        return Sessions(*continuous_days(name, first, last))
    if not _NAME.fullmatch(name):
        raise ConfigError(f"`calendar` must be a name such as XNYS or 24/7; found {name[:40]!r}")
    if first < _FIRST or last > _LAST:
        raise CalendarReachError(name, (_FIRST, _LAST), (first, last))
    table = _load_or_build(name, first, last)
    bounds = [int(first.astype(np.int64)), int(last.astype(np.int64)) + 1]
    table = table[slice(*np.searchsorted(table[:, 0], bounds))]
    return Sessions(table[:, 0].astype("datetime64[D]"), table[:, 1], table[:, 2])


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970


def _load_or_build(name: str, first: np.datetime64, last: np.datetime64) -> NDArray[np.int64]:
    """Rows of (day since 1970, open, close), from the cache where it reaches far enough."""
    path = cache_dir() / "calendars" / f"{name.replace('/', '_')}-{_versions()}.bin"
    cached = _read(path)
    span = (_year(first), _year(last))
    if cached is not None:
        years, table = cached
        if years[0] <= span[0] and span[1] <= years[1]:
            return table
        span = (min(span[0], years[0]), max(span[1], years[1]))
    table = build(name, first, last, span)
    _write(path, span, table)
    return table


def _versions() -> str:
    def version(package: str) -> str:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return "none"

    system = "none"
    try:
        with Path("/usr/share/zoneinfo/tzdata.zi").open(encoding="ascii") as lines:
            system = lines.readline().rpartition(" ")[2].strip() or "none"
    except (OSError, UnicodeDecodeError):
        pass  # most systems without the file use the package
    return re.sub(
        r"[^A-Za-z0-9.+-]", "", f"{version('exchange_calendars')}-{version('tzdata')}-{system}"
    )


def _read(path: Path) -> tuple[tuple[int, int], NDArray[np.int64]] | None:
    try:
        blob = path.read_bytes()
    except OSError:
        return None
    header, _, body = blob.partition(b"\n")
    fields = header.split(b"|")
    if (
        len(fields) != 4
        or fields[0] != _MAGIC
        or fields[3] != hashlib.sha256(body).hexdigest().encode()
        or len(body) % 24
    ):
        logger.warning("calendar cache is damaged and will be made again: %s", path)
        return None
    table = np.frombuffer(body, dtype="<i8").astype(np.int64).reshape(-1, 3)
    return (int(fields[1]), int(fields[2])), table


def _write(path: Path, span: tuple[int, int], table: NDArray[np.int64]) -> None:
    """Write atomically; a cache that cannot be written costs time, not the run."""
    body = table.astype("<i8").tobytes()
    digest = hashlib.sha256(body).hexdigest().encode()
    header = b"|".join([_MAGIC, str(span[0]).encode(), str(span[1]).encode(), digest])
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "wb") as file:
            file.write(header + b"\n" + body)
        Path(temporary).replace(path)
    except OSError as error:
        logger.warning("calendar cache cannot be written: %s", error)
        if temporary:
            Path(temporary).unlink(missing_ok=True)
