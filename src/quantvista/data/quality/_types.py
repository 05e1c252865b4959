"""What checks find, how bad it is, and what becomes of it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from quantvista.errors import ConfigError

__all__ = [
    "CHECKS",
    "FLAGS",
    "POLICIES",
    "SEVERITIES",
    "Check",
    "CheckOptions",
    "Report",
    "counted",
]

SEVERITIES = ("info", "warning", "error")
POLICIES = ("keep", "flag", "quarantine", "repair")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with bars.

    Parameters
    ----------
    name : str
        As options and flags call it.
    severity : str
        One of `SEVERITIES`.
    policy : str
        One of `POLICIES`, unless another is asked for.
    text : str
        What it looks for, and by which rule.
    repair : str
        What a repair does; empty where nothing sensible can be done.
    """

    name: str
    severity: str
    policy: str
    text: str
    repair: str = ""


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        each.name: each
        for each in (
            Check(
                "missing_value",
                "error",
                "quarantine",
                "A price is missing beside others that are there, or is no finite number.",
            ),
            Check(
                "time_order",
                "warning",
                "repair",
                "A row stands after a later one of its instrument.",
                "Rows are sorted by time.",
            ),
            Check(
                "duplicate",
                "error",
                "quarantine",
                "A time stands more than once for an instrument; the first row is kept.",
                "The first row is kept.",
            ),
            Check("price_sign", "error", "quarantine", "A price is zero or negative."),
            Check(
                "swapped",
                "error",
                "quarantine",
                "High and low have changed places, or a price and the volume have.",
                "The two are put back in their places.",
            ),
            Check(
                "ohlc_order",
                "error",
                "quarantine",
                "Open or close lies outside low to high, by more than one part in a million.",
                "High and low are widened to hold open and close.",
            ),
            Check("negative_volume", "error", "quarantine", "The volume is negative."),
            Check(
                "zero_volume",
                "warning",
                "flag",
                "The volume is zero in a bar whose price moved.",
            ),
            Check(
                "gap",
                "warning",
                "flag",
                "A session of the calendar between the first and the last bar has none; within a "
                "day, a bar is missing at the usual spacing.",
            ),
            Check(
                "stale",
                "warning",
                "flag",
                "The whole bar repeats itself three times or more, or the close does so longer "
                "than chance allows.",
            ),
            Check(
                "outlier",
                "error",
                "quarantine",
                "A close, high or low jumps by more than 10 robust deviations and 8 %, and is "
                "back at the next bar.",
            ),
            Check(
                "unadjusted_split",
                "error",
                "flag",
                "The price opens at a whole ratio of the last close, stays there, and volume "
                "changes the other way.",
            ),
            Check(
                "unadjusted_dividend",
                "warning",
                "flag",
                "The price falls by a known dividend on its ex-date, in closes that are said to "
                "be adjusted.",
            ),
            Check(
                "magnitude",
                "error",
                "quarantine",
                "Prices are 100 or 1,000 times those around them: pence for pounds, cents for "
                "dollars.",
                "Prices are divided back.",
            ),
            Check(
                "time_zone",
                "error",
                "flag",
                "Bars within the day fit the sessions of the calendar only after a shift of whole "
                "hours.",
            ),
            Check(
                "disagreement",
                "warning",
                "flag",
                "The close differs from that of another source by more than 8 robust deviations "
                "and half a percent.",
            ),
            Check(
                "market_event",
                "info",
                "keep",
                "A large move on a day that is known for it; it is no error.",
            ),
        )
    }
)
"""All checks, by name, in the order in which they look."""

FLAGS = pl.Schema(
    {
        "check": pl.String(),
        "severity": pl.String(),
        "instrument": pl.String(),
        "ts": pl.Int64(),
        "row": pl.Int64(),
        "column": pl.String(),
        "value": pl.Float64(),
        "expected": pl.Float64(),
        "text": pl.String(),
    }
)
"""Columns of flags: which check, whose bar, its time (UTC ns), its row in the data (-1 where there
is none), the column, what was found and what was expected there, in words."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the checks are told beside the bars.

    Parameters
    ----------
    calendar : str or None
        Whose sessions bars must fill; ``None`` looks for no gaps and no time zone.
    policies : mapping of str to str
        What becomes of what a check finds, by check, where it is not the default.
    adjusted : bool
        Whether prices are said to be adjusted for splits and dividends.
    volume_expected : bool
        Whether a volume of zero is worth a word; not so for indices and currencies.

    Raises
    ------
    ConfigError
        If a policy or check does not exist, or a check has no repair.
    """

    calendar: str | None = None
    policies: Mapping[str, str] = field(default=MappingProxyType({}))
    adjusted: bool = True
    volume_expected: bool = True

    def __post_init__(self) -> None:
        for name, policy in self.policies.items():
            if name not in CHECKS:
                rule = f"must name one of {', '.join(CHECKS)}"
                raise ConfigError(f"`policies` {rule}; found {name!r}")
            if policy not in POLICIES:
                rule = f"must be one of {', '.join(POLICIES)}"
                raise ConfigError(f"policy of {name} {rule}; found {policy!r}")
            if policy == "repair" and not CHECKS[name].repair:
                can = ", ".join(each.name for each in CHECKS.values() if each.repair)
                raise ConfigError(f"policy of {name} must not be repair (that is for {can})")

    def policy(self, check: str) -> str:
        """Say what becomes of what a check finds."""
        return self.policies.get(check, CHECKS[check].policy)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a table of bars.

    Parameters
    ----------
    rows : int
        Of the table.
    instruments : int
        In it.
    start, end : int
        First and last time, UTC nanoseconds.
    flags : polars.DataFrame
        With the columns of `FLAGS`, in the order of checks, instruments and times.
    policies : mapping of str to str
        What becomes of each check's rows.
    compared : int or None
        Bars that were compared with another source; ``None`` where there was none.
    again : callable
        The same checks over the same bars with other values, by which a repair is proven.
    """

    rows: int
    instruments: int
    start: int
    end: int
    flags: pl.DataFrame
    policies: Mapping[str, str]
    compared: int | None
    again: "Callable[[pl.DataFrame], Report]" = field(repr=False, compare=False)

    @property
    def counts(self) -> Mapping[str, int]:
        """Flags of each check that found something, the most severe first."""
        order = {name: place for place, name in enumerate(CHECKS)}
        found = dict(self.flags.group_by("check").len().iter_rows())
        return {
            name: found[name]
            for name in sorted(
                found, key=lambda n: (-SEVERITIES.index(CHECKS[n].severity), order[n])
            )
        }

    @property
    def score(self) -> float:
        """Share of rows without an error or warning, times 100; each row counts once."""
        bad = self.flags.filter((pl.col("severity") != "info") & (pl.col("row") >= 0))
        return 100.0 * (1.0 - bad["row"].n_unique() / max(1, self.rows))

    @property
    def missing(self) -> int:
        """Bars that are not there and that the calendar asks for; they are not in the score."""
        return self.flags.filter((pl.col("check") == "gap") & (pl.col("row") < 0)).height

    @property
    def verdict(self) -> str:
        """Say it in a sentence, which never shows 100 % where there is a flag."""
        errors = sum(n for c, n in self.counts.items() if CHECKS[c].severity == "error")
        warnings = sum(n for c, n in self.counts.items() if CHECKS[c].severity == "warning")
        bars = counted(self.rows, "bar")
        if not errors and not warnings:
            these = "this bar" if self.rows == 1 else f"these {bars}"
            return f"Nothing is wrong with {these}, as far as the checks can see."
        clean = math.floor(100 * self.score) / 100
        missing = f", {self.missing:,} missing" if self.missing else ""
        return (
            f"{counted(errors, 'error')} and {counted(warnings, 'warning')}; {clean:.2f} % of "
            f"{bars} without a flag{missing}."
        )

    def scorecard(self) -> dict[str, object]:
        """Give the figures of the report as plain values."""
        worst = (
            self.flags.filter(pl.col("severity") != "info")
            .group_by("instrument")
            .len()
            .sort("len", "instrument", descending=[True, False])
            .head(10)
        )
        return {
            "rows": self.rows,
            "instruments": self.instruments,
            "start": self.start,
            "end": self.end,
            "score": round(self.score, 4),
            "missing": self.missing,
            "checks": {
                name: {
                    "flags": count,
                    "severity": CHECKS[name].severity,
                    "policy": self.policies[name],
                    "per_10000": round(1e4 * count / max(1, self.rows), 3),
                }
                for name, count in self.counts.items()
            },
            "worst": dict(worst.iter_rows()),
            **({} if self.compared is None else {"compared": self.compared}),
        }


def counted(count: int, word: str) -> str:
    """Write how many of something.

    Examples
    --------
    >>> counted(1, "error"), counted(2000, "error")
    ('1 error', '2,000 errors')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"
