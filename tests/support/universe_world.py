"""A generated market for tests of universes: revised bars, delistings, sectors that change."""

from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from quantvista.data.universes import UniverseRules

__all__ = ["DAY", "World", "naive_members", "world"]

DAY = 86_400 * 10**9
START = 19_000
_NAMES = ("instrument", "field", "value", "ts_event", "known_at")


@dataclass(frozen=True)
class World:
    """All vintages of bars, and of facts."""

    bars: pl.DataFrame
    facts: pl.DataFrame

    def known(self, at: int) -> "World":
        """Leave out what became known later."""
        kept = pl.col("known_at") <= at
        return World(self.bars.filter(kept), self.facts.filter(kept))

    def altered(self, at: int, rng: np.random.Generator) -> "World":
        """Make what became known later something else."""
        later = pl.col("known_at") > at
        noise = pl.Series(np.exp(rng.normal(0.0, 2.0, self.bars.height)))
        changed = [pl.when(later).then(pl.col(n) * noise).otherwise(n) for n in ("close", "volume")]
        odd = pl.Series(rng.random(self.facts.height) < 0.5)
        other = pl.when(pl.col("field") == "status").then(pl.lit("delisted")).otherwise(pl.lit("Z"))
        value = pl.when(later & odd).then(other).otherwise("value").alias("value")
        return World(self.bars.with_columns(changed), self.facts.with_columns(value))


def world(seed: int, *, days: int = 90, n: int = 7) -> World:
    """Generate one."""
    rng = np.random.default_rng(seed)
    names = [f"G{number}.X" for number in range(n)]
    rows: list[tuple[str, int, int, float, float]] = []
    facts: list[tuple[str, str, str, int, int]] = []
    for name in names:
        first = int(rng.integers(0, days // 2))
        last = int(rng.integers(first + 5, days)) if rng.random() < 0.4 else days
        facts.append((name, "status", "listed", (START + first) * DAY, (START + first) * DAY))
        if last < days:
            at = (START + last) * DAY
            facts.append((name, "status", "delisted", at, at + int(rng.integers(-3, 4)) * DAY))
        for sector, day in (("Energy", first), ("Banks", int(rng.integers(first, days)))):
            at = (START + day) * DAY
            facts.append((name, "sector", sector, at, at + int(rng.integers(0, 9)) * DAY))
        price = 10.0 * float(np.exp(rng.normal(0.0, 0.5)))
        for day in range(first, last):
            if rng.random() < 0.1:
                continue
            price *= float(np.exp(rng.normal(0.0, 0.1)))
            at = (START + day + 1) * DAY
            volume = float(rng.integers(0, 50))
            rows.append((name, at, at, round(price, 2), volume))
            if rng.random() < 0.1:
                later = at + int(rng.integers(1, 20)) * DAY
                rows.append((name, at, later, round(price * 2, 2), volume + 3.0))
    bars = pl.DataFrame(
        rows, schema=["instrument", "ts_event", "known_at", "close", "volume"], orient="row"
    )
    return World(bars, pl.DataFrame(facts, schema=list(_NAMES), orient="row"))


def naive_members(
    rules: UniverseRules, given: World, decisions: list[int]
) -> dict[int, tuple[str, ...]]:
    """Decide slowly, and from the definitions alone; sessions are UTC days."""
    members: set[str] = set()
    found = {}
    names = sorted(given.bars["instrument"].unique())
    for now in decisions:
        seen = given.known(now)
        values = {name: _seen(seen, rules, name, now) for name in names}
        liquid = {name: row["dollars"] for name, row in values.items() if row is not None}
        order = sorted(liquid, key=lambda name: (-liquid[name], name))
        rank = {name: number for number, name in enumerate(order, 1)}
        top = rules.top or len(order)
        members = {n for n in order if rank[n] <= (rules.keep or top if n in members else top)}
        found[now] = tuple(sorted(members))
    return found


def _seen(seen: World, rules: UniverseRules, name: str, now: int) -> dict[str, Any] | None:
    """Values of a candidate that passes all filters."""
    status = _value(seen, name, "status", now)
    if status != "listed" or _value(seen, name, "sector", now) in rules.sectors_out:
        return None
    bars: dict[int, tuple[float, float]] = {}
    rows = seen.bars.filter((pl.col("instrument") == name) & (pl.col("ts_event") <= now))
    for at, close, volume in rows.sort("known_at").select("ts_event", "close", "volume").rows():
        bars[at] = (close, volume)
    if not bars or now - max(bars) >= rules.stale_max * DAY or len(bars) < rules.history_min:
        return None
    days = [now - back * DAY for back in range(rules.sessions)]
    dollars = [bars[at][0] * bars[at][1] if at in bars else 0.0 for at in days if at >= min(bars)]
    price = bars[max(bars)][0]
    if rules.price_min is not None and price < rules.price_min:
        return None
    middle = median(dollars) if rules.statistic == "median" else sum(dollars) / len(dollars)
    return {"dollars": middle}


def _value(seen: World, name: str, field: str, now: int) -> str | None:
    rows = seen.facts.filter(
        (pl.col("instrument") == name) & (pl.col("field") == field) & (pl.col("ts_event") <= now)
    ).sort("ts_event", "known_at")
    return rows["value"][-1] if rows.height else None
