"""Comparing what a fund did on paper with its backtest of the same period."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantvista.errors import ConfigError
from quantvista.fund import LoadedFund, fund_hash, load_fund, simulated_config
from quantvista.trading.divergence._attribution import (
    Chain,
    Divergence,
    Side,
    attribute,
)
from quantvista.trading.divergence._decided import decided_again, decided_on
from quantvista.trading.divergence._facts import Facts, Progress, Story
from quantvista.trading.divergence._fees import FeeSchedule
from quantvista.trading.divergence._given import recorded, with_orders
from quantvista.trading.divergence._history import History, history_fund
from quantvista.trading.divergence._matching import match_orders
from quantvista.trading.divergence._track import Track

__all__ = ["diverge"]

_SAMPLES = 400
_TOLERANCE_NS = 10 * 10**9  # a session's bars are waited for before it is decided on


def diverge(
    place: Any,  # noqa: ANN401 - a path, or a disk in memory
    *,
    base: Path | None = None,
    fund: LoadedFund | None = None,
    data: str | None = None,
    progress: Progress | None = None,
) -> Divergence:
    """Compare what a fund did on paper with its backtest of the same period.

    Parameters
    ----------
    place : path or MemoryDisk
        The journal of its node.
    base : pathlib.Path, optional
        Folder of the fund file that the fund was started with, where the files of its strategies
        are; the working folder by default.
    fund : LoadedFund, optional
        The fund to backtest; by default as the journal says it was.
    data : str, optional
        History for the backtest, as of `history_fund`; by default what the node saw.
    progress : callable, optional
        Called with records done, records in all, and what is being done.

    Returns
    -------
    Divergence
        Its causes sum to its gap.

    Raises
    ------
    ConfigError
        If the journal is of no node or of another fund, or there is nothing to compare.
    JournalError
        If it is damaged.
    MarketDataError
        If the history cannot be used.
    StrategyError
        If a strategy of the backtest cannot be loaded.
    """
    story = Story(place, progress)
    journaled = _journaled(story.facts, base or Path.cwd())
    plan = _plan(story.facts, journaled, fund, data)
    return _Comparison(story, plan, progress).run()


@dataclass(frozen=True)
class _Plan:
    """What is to be compared.

    Parameters
    ----------
    traded : LoadedFund or None
        The fund as it traded, where its strategies are still those that did.
    tested : LoadedFund
        The fund of the backtest.
    is_same : bool
        Whether both are one.
    history : str or None
        As the user named it.
    notes : list of str
        What to know.
    """

    traded: LoadedFund | None
    tested: LoadedFund
    is_same: bool
    history: str | None
    notes: list[str]


def _journaled(facts: Facts, base: Path) -> LoadedFund:
    """Read the newest fund file that the journal holds."""
    text = facts.opened[-1].config
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"`state` must hold a fund file that can be read; found {error}"
        ) from None
    return load_fund(content, base=base)


def _plan(
    facts: Facts, journaled: LoadedFund, fund: LoadedFund | None, history: str | None
) -> _Plan:
    name = facts.opened[0].fund
    if fund is not None and fund.fund.fund.name != name:
        raise ConfigError(
            f"`fund` must be the fund of the journal, '{name}'; found '{fund.fund.fund.name}'. "
            "Name its state folder with --state, or its own fund file"
        )
    notes = []
    hashes = {each.fund_hash for each in facts.opened}
    tested = journaled if fund is None else fund
    known = fund if fund is not None and fund_hash(fund) in hashes else journaled
    # What the strategies were is known where nobody changed them: else what they would have done
    # in another place cannot be said.
    is_known = hashes == {fund_hash(known)}
    if len(hashes) > 1:
        notes.append(
            f"The fund file or its strategies were changed {len(facts.opened) - 1} times or fewer "
            "while the fund ran; the backtest takes the newest."
            if fund is None
            else "The fund file or its strategies were changed while the fund ran."
        )
    elif not is_known:
        notes.append("A strategy's file is not as it was when the fund ran, or cannot be found.")
    if not is_known:
        notes.append("So reactions cannot be told from signal, and are counted there.")
    return _Plan(known if is_known else None, tested, is_known and known is tested, history, notes)


class _Comparison:
    """Makes all members of the chain."""

    def __init__(self, story: Story, plan: _Plan, progress: Progress | None) -> None:
        self._story, self._plan, self._facts = story, plan, story.facts
        self._progress = progress
        self._live = story.facts.engine
        self._config = simulated_config(plan.tested.fund, self._live)
        self._grid = _grid(story.facts)
        # The fund that traded decides in the world of the backtest: at its venues.
        venues = {"venues": self._config["venues"]}
        self._as_traded = {**_unchanged(self._live), **venues}
        self._free = _without_limits(self._as_traded)

    def run(self) -> Divergence:
        """Compare."""
        chain = self._chain()
        paper, backtest = chain.reality, chain.backtest
        if not paper.orders and not backtest.orders:
            raise ConfigError(
                "`state` must hold the journal of a fund that has traded; found no orders in it, "
                "and none in the backtest. Let the fund run for longer"
            )
        base = _base(self._grid, chain)
        fund = self._plan.tested.fund.fund
        notes = [*self._plan.notes]
        if count := self._facts.amends_refused:
            notes.append(
                f"Amendments are not sent to venues outside: {count:,} were refused; the "
                "backtest's venue takes them. Orders that were wanted instead are reactions."
            )
        for each in (chain.steps.get("decided"), backtest):
            if each is not None and each.failed and each.failed not in notes:
                notes.append(f"In the backtest {each.failed}")
        return Divergence(
            fund=fund.name,
            currency=fund.currency,
            digits=self._live["currencies"][0]["precision"],
            ts=tuple(self._grid),
            base=base,
            paper=_side(paper, base),
            backtest=_side(backtest, base),
            causes=attribute(chain),
            matching=match_orders(paper.orders, backtest.orders, _TOLERANCE_NS),
            incidents=tuple(self._facts.incidents.kept),
            incident_count=self._facts.incidents.count,
            notes=tuple(notes),
            data=self._plan.history or "what the node saw",
        )

    def _chain(self) -> Chain:
        facts, plan, story = self._facts, self._plan, self._story
        is_disturbed = bool(facts.taken or facts.unsent)
        again = plan.traded is not None
        decisions = again + bool(facts.commands) + (not plan.is_same and again) + (not again)
        story.plan(4 + bool(facts.foreign) + is_disturbed + decisions)
        chain = Chain(recorded(story, "what happened", self._grid, foreign=True))
        steps = chain.steps
        if facts.foreign:
            steps["own"] = recorded(story, "without trades of others", self._grid, foreign=False)
        fees = FeeSchedule(self._config)
        steps["costs"] = recorded(story, "fees", self._grid, foreign=False, fees=fees)
        steps["fills"] = self._orders("fills", as_arrived=True)
        steps["timing"] = self._orders("timing", as_arrived=False)
        if is_disturbed:
            steps["left alone"] = self._orders("interventions", as_arrived=False, alone=True)
        self._decide(chain)
        return chain

    def _orders(self, name: str, *, as_arrived: bool, alone: bool = False) -> Track:
        return with_orders(
            self._story, name, self._free, self._grid, as_arrived=as_arrived, with_taken=not alone
        )

    def _decide(self, chain: Chain) -> None:
        """Add those in which strategies decide."""
        plan, steps = self._plan, chain.steps
        if plan.traded is not None:
            loaded, config = plan.traded, self._as_traded
        else:
            loaded, config = plan.tested, self._config
            chain.folded["reactions"] = "signal"
        if self._facts.commands:
            steps["decided"] = self._again("strategies", loaded, config, operators=True)
        steps["undisturbed"] = self._again("backtest", loaded, config, operators=False)
        if not self._facts.commands:
            steps["decided"] = steps["undisturbed"]
        if plan.traded is not None and not plan.is_same:
            steps["signal"] = self._again("backtest", plan.tested, self._config, operators=False)
        if plan.history is not None:
            steps["data"] = self._on_history(plan.history)

    def _again(
        self, name: str, loaded: LoadedFund, config: Mapping[str, Any], *, operators: bool
    ) -> Track:
        return decided_again(self._story, name, loaded, config, self._grid, operators=operators)

    def _on_history(self, source: str) -> Track:
        loaded = self._plan.tested
        other = history_fund(loaded, source)
        period = (self._facts.start, self._facts.end)
        history = History(other, self._live["instruments"], period)

        def tell(done: int) -> None:
            if self._progress is not None and done % 1_000 == 0:
                self._progress(done, history.size, "backtest on the history")

        past = (other, self._facts.start - 1)
        return decided_on(history.told(), "data", loaded, self._config, self._grid, past, tell)


def _unchanged(live: Mapping[str, Any]) -> dict[str, Any]:
    return dict(live)


def _without_limits(config: Mapping[str, Any]) -> dict[str, Any]:
    """Let everything pass that passed: the orders of a journal went through its gate."""
    kept = {"price_band", "crossed", "breakers"}
    limits = {
        name: value if name in kept or isinstance(value, bool) else None
        for name, value in config["limits"].items()
    }
    limits["self_trade"] = False
    limits["breakers"] = dict.fromkeys(config["limits"]["breakers"])
    sleeves = [{**each, "limits": dict.fromkeys(each["limits"])} for each in config["sleeves"]]
    return {**config, "limits": limits, "sleeves": sleeves}


def _grid(facts: Facts) -> list[int]:
    """Choose when equity is taken down, from the first market data to the last record."""
    first, last = facts.first_ts, max(facts.end_ts, facts.first_ts + 1)
    count = min(_SAMPLES, last - first)
    return [first + (last - first) * step // count for step in range(count + 1)]


def _base(grid: Sequence[int], chain: Chain) -> int:
    """Equity of the fund before the first order of either."""
    sides = (chain.reality, chain.backtest)
    first = min((each.orders[0].ts for each in sides if each.orders), default=grid[-1])
    before = [equity for ts, equity in zip(grid, chain.reality.equity, strict=True) if ts < first]
    return before[-1] if before else chain.reality.equity[0]


def _side(track: Track, base: int) -> Side:
    return Side(
        profit=track.end - base,
        equity=tuple(track.equity),
        of_instruments=track.of_instruments,
        of_sleeves=track.of_sleeves,
        orders=len(track.orders),
        fills=len(track.fills),
        fees=track.fees,
    )
