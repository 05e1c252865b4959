"""What checks are told, and what they find."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from quantvista.data.quality._catalogue import CHECKS_OF, POLICIES, SEVERITIES, Check
from quantvista.errors import ConfigError

__all__ = [
    "FLAGS",
    "NOUNS",
    "PRICES",
    "CheckOptions",
    "Report",
    "counted",
]

NOUNS: Mapping[str, str] = MappingProxyType({"bars": "bar", "quotes": "quote", "trades": "trade"})
"""Rows of each kind, as messages call one."""
PRICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"bars": ("open", "high", "low", "close"), "quotes": ("bid", "ask"), "trades": ("price",)}
)
"""Columns of prices of each kind."""
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
"""Columns of flags: which check, whose row, its time (UTC ns), its row in the data (-1 where there
is none), the column, what was found and what was expected there, in words."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the checks are told beside the rows.

    Parameters
    ----------
    calendar : str or None
        Whose sessions rows must fill; ``None`` looks for no gaps and no time zone.
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
        every = dict.fromkeys(name for checks in CHECKS_OF.values() for name in checks)
        for name, policy in self.policies.items():
            if name not in every:
                raise ConfigError(f"`policies` must name one of {', '.join(every)}; found {name!r}")
            if policy not in POLICIES:
                rule = f"must be one of {', '.join(POLICIES)}"
                raise ConfigError(f"policy of {name} {rule}; found {policy!r}")
            mended = (checks[name].repair for checks in CHECKS_OF.values() if name in checks)
            if policy == "repair" and not any(mended):
                each = (c for checks in CHECKS_OF.values() for c in checks.values() if c.repair)
                can = ", ".join(dict.fromkeys(c.name for c in each))
                raise ConfigError(f"policy of {name} must not be repair (that is for {can})")

    def policies_of(self, kind: str) -> dict[str, str]:
        """Say what becomes of what each check of a kind of rows finds.

        Raises
        ------
        ConfigError
            If a policy is for a check of other rows.
        """
        checks = CHECKS_OF[kind]
        for name in self.policies:
            if name not in checks:
                rule = f"must name checks of {kind} ({', '.join(checks)})"
                raise ConfigError(f"`policies` {rule}; found {name!r}")
        return {name: self.policies.get(name, check.policy) for name, check in checks.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a table.

    Parameters
    ----------
    kind : str
        What its rows are: ``bars``, ``quotes`` or ``trades``.
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
    skipped : tuple of str
        Checks for which something was not given: a calendar, actions, another source.
    again : callable
        The same checks over the same rows with other values, by which a repair is proven.
    """

    kind: str
    rows: int
    instruments: int
    start: int
    end: int
    flags: pl.DataFrame
    policies: Mapping[str, str]
    compared: int | None
    skipped: tuple[str, ...]
    again: "Callable[[pl.DataFrame], Report]" = field(repr=False, compare=False)

    @property
    def checks(self) -> Mapping[str, Check]:
        """Checks of these rows, by name."""
        return CHECKS_OF[self.kind]

    @property
    def noun(self) -> str:
        """What a row is called."""
        return NOUNS[self.kind]

    @property
    def counts(self) -> Mapping[str, int]:
        """Flags of each check that found something, the most severe first."""
        order = {name: place for place, name in enumerate(self.checks)}
        found = dict(self.flags.group_by("check").len().iter_rows())
        return {
            name: found[name]
            for name in sorted(
                found, key=lambda n: (-SEVERITIES.index(self.checks[n].severity), order[n])
            )
        }

    @property
    def score(self) -> float:
        """Share of rows without an error or warning, times 100; each row counts once."""
        bad = self.flags.filter((pl.col("severity") != "info") & (pl.col("row") >= 0))
        return 100.0 * (1.0 - bad["row"].n_unique() / max(1, self.rows))

    @property
    def missing(self) -> int:
        """Rows that are not there and that the calendar asks for; they are not in the score."""
        return self.flags.filter((pl.col("check") == "gap") & (pl.col("row") < 0)).height

    @property
    def verdict(self) -> str:
        """Say it in a sentence, which never shows 100 % where there is a flag."""
        errors = sum(n for c, n in self.counts.items() if self.checks[c].severity == "error")
        warnings = sum(n for c, n in self.counts.items() if self.checks[c].severity == "warning")
        rows = counted(self.rows, self.noun)
        if not errors and not warnings:
            these = f"this {self.noun}" if self.rows == 1 else f"these {rows}"
            return f"Nothing is wrong with {these}, as far as the checks can see."
        clean = math.floor(100 * self.score) / 100
        missing = f", {self.missing:,} missing" if self.missing else ""
        return (
            f"{counted(errors, 'error')} and {counted(warnings, 'warning')}; {clean:.2f} % of "
            f"{rows} without a flag{missing}."
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
            "kind": self.kind,
            "rows": self.rows,
            "instruments": self.instruments,
            "start": self.start,
            "end": self.end,
            "score": round(self.score, 4),
            "missing": self.missing,
            "checks": {
                name: {
                    "flags": count,
                    "severity": self.checks[name].severity,
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
