"""The facts of a run that its tables do not hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

__all__ = ["RunMeta", "SleeveMeta"]


@dataclass(frozen=True)
class SleeveMeta:
    """One sleeve as the fund file has it."""

    id: str
    strategy: str
    share: float
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunMeta:
    """What the tables of a run do not say.

    Parameters
    ----------
    fund, currency : str
        Name of the fund and the currency of all its money.
    cash : Decimal
        What it started with.
    sleeves : sequence of SleeveMeta
        In ascending id.
    status : str
        ``complete``, ``incomplete`` (stopped) or ``failed``.
    error : str
        Why it is not complete.
    source, time_zone, calendar : str
        Where the data came from and by what clock.
    benchmark : str, optional
        Id of the level in `equity.benchmark`; None where the fund has none.
    periods : float, optional
        Returns in a year; by default inferred from the bars.
    missing_bars : int
        Counted by the run.
    trials : int, optional
        How many variants were tried on this data; None while nobody counts them.
    sectors, multipliers : mapping
        By instrument; the keys of `sectors` are the universe.
    rates : mapping of str to Decimal
        Price of each other currency of the fund at the end; empty for a fund of one.
    bases : mapping of str to str
        Base currency of each instrument that exchanges currencies.
    biases : sequence of (name, text)
        What is wrong with the sample.
    assumptions : sequence of str
        What the simulation takes for granted.
    fingerprint : mapping
        ``data``, ``fund``, ``code``, ``semantics``, ``state_hash``, ``environment``.
    """

    fund: str
    currency: str
    cash: Decimal
    sleeves: Sequence[SleeveMeta] = ()
    status: str = "complete"
    error: str = ""
    source: str = ""
    time_zone: str = "UTC"
    calendar: str = ""
    benchmark: str | None = None
    periods: float | None = None
    missing_bars: int = 0
    trials: int | None = None
    sectors: Mapping[str, str] = field(default_factory=dict)
    multipliers: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    biases: Sequence[tuple[str, str]] = ()
    assumptions: Sequence[str] = ()
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
