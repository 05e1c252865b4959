"""What people and processes did to a fund, in words, for those who ask why it went otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quantvista.errors import printable
from quantvista.journal import Body, Record
from quantvista.trading.node._bodies import Commanded, Held, NodeOpened, StrategyFailed

__all__ = ["Incident", "Incidents"]

_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that a backtest does not have.

    Parameters
    ----------
    sequence : int
        Of the record, the proof of it.
    ts : int
        UTC ns.
    kind : {"operator", "hold", "restart", "foreign trade", "taken away", "breaker", "failure"}
        What it is.
    text : str
        In words.
    """

    sequence: int
    ts: int
    kind: str
    text: str


@dataclass
class Incidents:
    """All of them in order; of very many the first are kept, and all are counted."""

    kept: list[Incident] = field(default_factory=list)
    count: int = 0
    _by: str = ""

    def _add(self, record: Record, kind: str, text: str) -> None:
        self.count += 1
        if len(self.kept) < _KEPT:
            self.kept.append(Incident(record.sequence, record.ts, kind, text))

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for the operator's input that comes next."""
        return bool(self._by)

    def node(self, record: Record, body: Body, before: int, *, begun: bool) -> None:
        """Look at a record of the node; `begun` says whether it has seen a market.

        ``before`` is the time of the record before it, 0 of the first.
        """
        match body:
            case NodeOpened(epoch=epoch, changes=changes) if before:
                pause = max(0, record.ts - before) / 1e9
                rest = "".join(f"; {each}" for each in changes)
                self._add(record, "restart", f"epoch {epoch} after {pause:,.1f} s{rest}")
            case Held(reason=reason, on=on) if begun:
                begins = "no new risk" if on else "over"
                self._add(record, "hold", f"{begins}: {printable(reason)}")
            case Commanded(command=command, by=by, reason=reason):
                why = f": {printable(reason)}" if reason else ""
                self._by = f"{command} by {printable(by) or 'somebody'}{why}"
            case StrategyFailed(text=text):
                self._add(record, "failure", text)

    def operator(self, record: Record, terms: Any) -> None:  # noqa: ANN401 - word or mapping
        """Look at an operator's input; one that nobody asked for is the node's own."""
        word = terms if isinstance(terms, str) else " ".join(terms)
        text, self._by = self._by or f"{word.replace('_', ' ')} by the node", ""
        self._add(record, "operator", text)

    def foreign(self, record: Record, name: str, terms: Mapping[str, Any]) -> None:
        """Look at a trade of no order of the fund."""
        word = "taken back" if name == "busted" else "made"
        self._add(record, "foreign trade", f"a {terms['side']} that the fund did not order, {word}")

    def taken(self, record: Record, order: int) -> None:
        """Look at an order that ended without having been cancelled by the fund."""
        self._add(record, "taken away", f"order {order} was cancelled by the venue or others")

    def state(self, record: Record, name: str, terms: Mapping[str, Any]) -> None:
        """Look at a change of state that a rule made."""
        if terms["cause"] in ("operator", "flatten"):
            return
        whose = "the fund" if name == "state_changed" else f"sleeve {terms['sleeve']}"
        self._add(record, "breaker", f"{whose} became {terms['state']}, by {terms['cause']}")
