"""From rules, bars and reference facts to membership."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from quantvista.data.universes._activity import Activity, Traded
from quantvista.data.universes._membership import Membership
from quantvista.data.universes._rules import UniverseRules
from quantvista.data.universes._schedule import make_schedule
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import SecurityMaster

__all__ = ["Universe", "build_universe"]

_DAY_NS = 86_400 * 10**9
_ROW = {
    "instrument": pl.String,
    "ts_event": pl.Int64,
    "ts_end": pl.Int64,
    "ts_received": pl.Int64,
    "known_at": pl.Int64,
    "reason": pl.String,
    "reason_end": pl.String,
    "rank": pl.Int64,
    "dollar_volume": pl.Float64,
    "price": pl.Float64,
    "history": pl.Int64,
    "sector": pl.String,
}
_DECISION = {
    "ts": pl.Int64,
    "effective": pl.Int64,
    "candidates": pl.Int64,
    "eligible": pl.Int64,
    "members": pl.Int64,
    "entered": pl.Int64,
    "left": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Universe:
    """Who belonged to a universe, and how each decision came out.

    Parameters
    ----------
    rules : UniverseRules
        By which it was decided.
    membership : Membership
        Intervals, with ``reason`` and the values of the entry, and ``reason_end``.
    decisions : polars.DataFrame
        ``ts`` and ``effective`` (UTC nanoseconds), and counts: ``candidates``, ``eligible`` after
        the filters, ``members``, ``entered``, and ``left`` since the decision before.
    """

    rules: UniverseRules
    membership: Membership
    decisions: pl.DataFrame

    def members(self, at: int) -> tuple[str, ...]:
        """List the members at a time, by what was known then; ids ascending."""
        return self.membership.members(at)

    @property
    def turnover(self) -> pl.Series:
        """Share of the members of each decision that are new, one-way; null without members."""
        members = self.decisions["members"].replace(0, None)
        return (self.decisions["entered"] / members).alias("turnover")


def build_universe(
    rules: UniverseRules,
    bars: pl.DataFrame,
    *,
    master: SecurityMaster | None = None,
    within: Membership | None = None,
) -> Universe:
    """Decide who belongs to a universe, at each time by what was known then.

    Parameters
    ----------
    rules : UniverseRules
        By which.
    bars : polars.DataFrame
        Raw: ``instrument``, ``ts_event``, ``known_at``, ``close``, and ``volume`` where there is
        any; all vintages.
    master : SecurityMaster or None
        Which says what was listed, in which sector; ``None``: what has bars is listed.
    within : Membership or None
        Only members of it are candidates, such as those of an index.

    Returns
    -------
    Universe
        Up to the last bar.

    Raises
    ------
    ConfigError
        If a rule reads what there is not.
    MarketDataError
        If there are no bars, or nothing is ever a candidate.

    Notes
    -----
    Candidates are all instruments that were listed, and known to be, at the decision, and had a
    bar in the last ``stale_max`` sessions: also those that are gone today. A delisting ends a
    membership when it happens and is known, the other rules at the next decision. The order of
    the rows and of the instruments changes nothing; equal ranks go to the id that comes first.
    """
    if bars.is_empty():
        raise MarketDataError("`bars` must hold at least one bar; found none")
    if rules.reference_rules and master is None:
        raise ConfigError(
            f"`{rules.reference_rules[0]}` must come with reference data of the instruments; found "
            "none: import it as kind reference into the dataset of the bars"
        )
    first, last = (int(bars["ts_event"].min()), int(bars["ts_event"].max()))  # type: ignore[arg-type]
    plan = make_schedule(rules.calendar, first, last, rules.rebalance, rules.session, rules.lag)
    if not len(plan.rows):
        raise MarketDataError(
            f"`bars` must reach over the {rules.session} session of a {rules.rebalance} of "
            f"{rules.calendar}; found none: choose another `rebalance`"
        )
    activity = Activity(bars, plan.close_ns)
    if rules.needs_volume and not activity.has_volume:
        raise MarketDataError("`bars` must have volume to rank by dollar_volume; found none")
    course = _Course(rules, activity, master, within)
    for row, effective in zip(plan.rows.tolist(), plan.effective.tolist(), strict=True):
        course.decide(row, int(plan.close_ns[row]), effective)
    course.delistings(None)
    if not any(each["candidates"] for each in course.decisions):
        source = "reference data knows no listed instrument" if master else "no bars are known"
        raise MarketDataError(
            f"`bars` must have candidates at some decision; found none, because {source} at any "
            "of them: look at `known_at`"
        )
    return Universe(
        rules,
        Membership(pl.DataFrame(course.rows, schema=_ROW)),
        pl.DataFrame(course.decisions, schema=_DECISION),
    )


@dataclass
class _Course:
    """A universe on its way through time."""

    rules: UniverseRules
    activity: Activity
    master: SecurityMaster | None
    within: Membership | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    _open: dict[str, dict[str, Any]] = field(default_factory=dict)
    _left: int = 0
    _endings: list[tuple[int, str]] | None = None

    def decide(self, session: int, now: int, effective: int) -> None:
        """Decide at the end of a session what holds from another time on."""
        self.delistings(now)
        rules = self.rules
        traded = self.activity.at(session, now, rules.sessions, rules.statistic, rules.stale_max)
        refused = self._refusals(traded, now)
        eligible = [name for name, reason in refused.items() if reason is None]
        self._one_currency(eligible, now)
        place = {name: column for column, name in enumerate(self.activity.instruments)}
        ranked = sorted(
            (name for name in eligible if name not in rules.include),
            key=lambda name: (-_or_zero(traded.dollar_volume[place[name]]), name),
        )
        rank = {name: number for number, name in enumerate(ranked, 1)}
        members: dict[str, str] = {}
        for name in sorted(eligible):
            most = rules.keep or rules.top if name in self._open else rules.top
            if name in rules.include:
                members[name] = "include"
            elif most is None or rank[name] <= most:
                members[name] = "rules" if rules.top is None else "rank"
        for name in sorted(self._open.keys() - members.keys()):
            self._close(name, effective, now, refused.get(name) or "rank")
        entered = sorted(members.keys() - self._open.keys())
        for name in entered:
            values = {
                "rank": rank.get(name),
                "dollar_volume": _known(traded.dollar_volume[place[name]]),
                "price": _known(traded.price[place[name]]),
                "history": int(traded.history[place[name]]),
                "sector": self._fact(name, "sector", now),
            }
            self._begin(name, effective, now, {"reason": members[name], **values})
        candidates = sum(reason not in _NO_CANDIDATE for reason in refused.values())
        self.decisions.append(
            {
                "ts": now,
                "effective": effective,
                "candidates": candidates,
                "eligible": len(eligible),
                "members": len(members),
                "entered": len(entered),
                "left": self._left,
            }
        )
        self._left = 0

    def _refusals(self, traded: Traded, now: int) -> dict[str, str | None]:
        """Say of each instrument with bars by which rule it is out; None: it is not."""
        names = self.activity.instruments
        listed = None if self.master is None else set(self.master.listed(now))
        inside = None if self.within is None else set(self.within.members(now))
        return {
            name: _first_of(
                {
                    "excluded": name in self.rules.exclude,
                    "unlisted": listed is not None and name not in listed,
                    "stale": bool(traded.age[column] >= self.rules.stale_max),
                    "within": inside is not None and name not in inside,
                }
            )
            or (None if name in self.rules.include else self._filtered(name, column, traded, now))
            for column, name in enumerate(names)
        }

    def _filtered(self, name: str, column: int, traded: Traded, now: int) -> str | None:
        """Say which filter a candidate does not pass."""
        rules = self.rules
        price, dollars = traded.price[column], traded.dollar_volume[column]
        low, high = rules.price_min, rules.price_max
        sector = self._fact(name, "sector", now) if rules.sectors or rules.sectors_out else None
        kind = self._fact(name, "kind", now) if rules.kinds else None
        currency = self._fact(name, "currency", now) if rules.currencies else None
        least = rules.dollar_volume_min
        return _first_of(
            {
                "price": (low is not None and price < low) or (high is not None and price > high),
                "history": bool(traded.history[column] < rules.history_min),
                "listed_days": rules.listed_days_min > 0
                and now - self._listed_since(name, now) < rules.listed_days_min * _DAY_NS,
                "sector": bool(rules.sectors and sector not in rules.sectors)
                or sector in rules.sectors_out,
                "kind": bool(rules.kinds and kind not in rules.kinds),
                "currency": bool(rules.currencies and currency not in rules.currencies),
                "dollar_volume": rules.needs_volume
                and (np.isnan(dollars) or (least is not None and dollars < least)),
            }
        )

    def _fact(self, name: str, fact: str, now: int) -> str | None:
        return None if self.master is None else self.master.value(name, fact, now)

    def _one_currency(self, eligible: list[str], now: int) -> None:
        """Refuse to compare money of several currencies."""
        if self.master is None or not self.rules.needs_volume:
            return
        found = sorted({self._fact(name, "currency", now) or "" for name in eligible} - {""})
        if len(found) > 1:
            raise MarketDataError(
                "`by` dollar_volume must compare prices of one currency; found "
                f"{', '.join(found)}: choose with `currencies`"
            )

    def _listed_since(self, name: str, now: int) -> int:
        """Begin of the present listing; without one that is said, the first bar that is known."""
        history = self.master.history(name, "status", known_at=now) if self.master else ()
        since: int | None = None
        for start, status in history:
            if start <= now:
                since = (start if since is None else since) if status == "listed" else None
        return self.activity.first_bar(name, now) if since is None else since

    def _begin(self, name: str, effective: int, now: int, values: Mapping[str, Any]) -> None:
        row = {"instrument": name, "ts_event": effective, "ts_end": None, "ts_received": now}
        self._open[name] = {**row, "known_at": now, **values, "reason_end": None}
        self.rows.append(self._open[name])

    def _close(self, name: str, end: int, now: int, reason: str) -> None:
        row = self._open.pop(name)
        end = max(end, row["ts_event"])
        self.rows.append({**row, "ts_end": end, "known_at": now, "reason_end": reason})
        self._left += 1

    def delistings(self, now: int | None) -> None:
        """End memberships at delistings that happened, and were known, up to a time."""
        if self._endings is None:
            self._endings = [] if self.master is None else _delistings(self.master)
        done = 0
        for at, name in self._endings:
            if now is not None and at > now:
                break
            done += 1
            if name in self._open and at > self._open[name]["known_at"]:
                assert self.master is not None, "it is from the master"
                if self.master.value(name, "status", at) == "delisted":
                    self._close(name, at, at, "delisted")
        del self._endings[:done]


_NO_CANDIDATE = ("excluded", "unlisted", "stale", "within")


def _first_of(tests: Mapping[str, bool]) -> str | None:
    return next((name for name, failed in tests.items() if failed), None)


def _delistings(master: SecurityMaster) -> list[tuple[int, str]]:
    """List when each instrument may have become delisted, as far as was known then."""
    return sorted(
        {
            (max(since, known), name)
            for name in master.instruments
            for since, known, value in master.vintages(name, "status")
            if value == "delisted"
        }
    )


def _or_zero(value: float) -> float:
    return 0.0 if np.isnan(value) else float(value)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
