"""What a bar is, and how it is written."""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from quantvista.errors import ConfigError

__all__ = ["BAR_KINDS", "CALENDAR_UNITS", "BarSpec"]

BAR_KINDS = (
    "time",
    "tick",
    "volume",
    "dollar",
    "tick_imbalance",
    "volume_imbalance",
    "dollar_imbalance",
)
"""Kinds of bars."""

CALENDAR_UNITS = ("d", "w", "mo")
"""Units of which there is only one at a time: how long they are, the calendar says."""

WHOLE = (1 << 63) - 1  # a step that never ends before its frame

_UNITS: Mapping[str, int] = MappingProxyType(
    {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9}
)
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "sec": "s",
        "second": "s",
        "min": "m",
        "minute": "m",
        "hr": "h",
        "hour": "h",
        "day": "d",
        "week": "w",
        "month": "mo",
        "mon": "mo",
    }
)
_DAY_NS = 86_400 * 10**9
_FLOWS: Mapping[str, str] = MappingProxyType(
    {"tick_imbalance": "ticks", "volume_imbalance": "volume", "dollar_imbalance": "dollars"}
)


@dataclass(frozen=True, slots=True)
class BarSpec:
    """One kind of bar.

    Parameters
    ----------
    kind : str
        One of `BAR_KINDS`.
    size : str or float
        Of time bars a length such as ``"5m"``: a number and one of ns, us, ms, s, m, h, or ``1d``,
        ``1w``, ``1mo``. Else how much ends a bar: trades or quotes, units of the instrument, units
        of its currency; of imbalance bars how many trades the first one has.
    span : float
        Of imbalance bars: span of the exponential averages, in bars.
    least, most : int or None
        Of imbalance bars: no bar has fewer trades than ``least``, and none has more than ``most``;
        a quarter of ``size`` and four times it by default.

    Examples
    --------
    >>> BarSpec("time", "5m").name, BarSpec("volume", 1000).name
    ('5m', 'volume_1000')
    """

    kind: str
    size: str | float
    span: float = 20.0
    least: int | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in BAR_KINDS:
            near = difflib.get_close_matches(self.kind, BAR_KINDS, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            rule = f"must be one of {', '.join(BAR_KINDS)}"
            raise ConfigError(f"`kind` {rule}; found {self.kind!r}{hint}")
        if self.kind == "time":
            _step(self.size)
        else:
            self._check_size()
        if not self.imbalance and (self.least is not None or self.most is not None):
            raise ConfigError(f"`least` and `most` are of imbalance bars; found {self.kind}")
        if self.imbalance:
            least, expected, most = self._bounds()
            if not 1 <= least <= expected <= most:
                raise ConfigError(
                    "`least` and `most` must hold 1 <= least <= size <= most; found "
                    f"{least}, {expected} and {most}"
                )
            if not (math.isfinite(self.span) and self.span >= 1):
                raise ConfigError(f"`span` must be at least 1 bar; found {self.span}")

    def _check_size(self) -> None:
        size = self.size
        if isinstance(size, str | bool) or not math.isfinite(size) or size <= 0:
            rule = f"`size` of {self.kind} bars must be a positive number"
            raise ConfigError(f"{rule}; found {size!r}")
        counts = self.kind == "tick" or self.imbalance
        if counts and size != int(size):
            raise ConfigError(f"`size` of {self.kind} bars must be a whole number; found {size!r}")

    @property
    def imbalance(self) -> bool:
        """Whether it is an imbalance bar."""
        return self.kind in _FLOWS

    @property
    def name(self) -> str:
        """What tables call it: the length of a time bar, else kind and size."""
        if self.kind == "time":
            return str(self.size)
        size = float(self.size)
        text = str(int(size)) if size == int(size) else repr(size)
        return f"{self.kind}_{text}"

    @property
    def unit(self) -> str:
        """Of a time bar: the unit of the calendar that it is, else empty."""
        count, unit = _parts(str(self.size))
        return unit if count and unit in CALENDAR_UNITS else ""

    @property
    def step_ns(self) -> int:
        """Of a time bar: its length; one of a unit of the calendar fills its frame."""
        return _step(self.size)

    def native(self, *, fill: bool) -> dict[str, Any]:
        """As the kernel takes it."""
        if self.kind == "time":
            return {"time": {"step": self.step_ns, "fill": fill}}
        if not self.imbalance:
            size = int(self.size) if self.kind == "tick" else float(self.size)
            return {self.kind: {"size": size}}
        least, expected, most = self._bounds()
        of = {"of": _FLOWS[self.kind], "expected": expected, "least": least, "most": most}
        return {"imbalance": {**of, "span": float(self.span)}}

    def _bounds(self) -> tuple[int, int, int]:
        expected = int(self.size)
        least = max(expected // 4, 1) if self.least is None else self.least
        return least, expected, 4 * expected if self.most is None else self.most


def _parts(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"([0-9]{1,18})([a-zA-Z]+)", text.strip())
    return (int(found[1]), found[2]) if found else (0, text)


def _step(size: str | float) -> int:
    text = str(size)
    count, unit = _parts(text)
    if count and unit in CALENDAR_UNITS:
        if count != 1:
            rule = f"must be 1{unit}: days, weeks and months are not joined"
            raise ConfigError(f"`every` {rule}; found {text!r}")
        return WHOLE
    if count and unit in _UNITS:
        step = count * _UNITS[unit]
        if step > _DAY_NS:
            raise ConfigError(f"`every` must not be longer than a day: 1d, 1w, 1mo; found {text!r}")
        return step
    word = unit.lower().removesuffix("s") if len(unit) > 2 else unit.lower()
    meant = _WORDS.get(word) or (word if word in (*_UNITS, *CALENDAR_UNITS) else "")
    hint = f", did you mean {count}{meant}?" if count and meant else ""
    units = ", ".join((*_UNITS, *CALENDAR_UNITS))
    raise ConfigError(
        f"`every` must be a number and a unit of {units}, such as 5m; found {text!r}{hint}"
    )
