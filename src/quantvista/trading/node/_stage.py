"""Engine and strategies as a node drives them, the first time and again."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from quantvista.engine import RawEngine, Session
from quantvista.errors import QuantVistaError, StrategyError, printable
from quantvista.fund.desk import (
    Answer,
    Asked,
    AtOnce,
    Computer,
    DecisionSchedule,
    Desk,
    LiveBars,
    Work,
)
from quantvista.fund.records import Decided
from quantvista.journal import INPUT, OUTPUT, Body
from quantvista.portfolio import Decision
from quantvista.trading.node._bodies import Computed, StrategyFailed, Woken
from quantvista.trading.node._orders import Orders

__all__ = ["Stage", "Told", "Write", "is_by_breaker"]

type Told = tuple[int, int, dict[str, Any]]
"""When an input was received, when it happened, UTC ns, and the event."""

type Write = Callable[[int, int, int, bytes], object]
"""Takes kind, version, time and payload of a record."""


class _Barrier(NamedTuple):
    """A barrier that was told, with the closes that were told before it."""

    ts: int
    ended: bool
    closes: dict[int, float]


_KINDS = {"input": INPUT, "output": OUTPUT}
_NAME_END = 32


def is_by_breaker(output: bytes) -> bool:
    """Whether an output of the engine is that it changed the state of the fund by itself.

    Parameters
    ----------
    output : bytes
        As the engine encodes it: its name comes first, behind a header.
    """
    return b"state_changed" in output[:_NAME_END] and b"operator" not in output


class Stage:
    """Gives inputs to the engine and the strategies, and writes down what comes of it.

    Parameters
    ----------
    session : Session
        Live.
    desk : Desk
        The strategies.
    orders : Orders
        Learns whose orders are.
    bars : LiveBars or None
        What portfolio strategies decide on; None where there are none.
    schedule : DecisionSchedule or None
        When they do.
    digits : sequence of int
        Decimals of prices, by instrument.
    write : callable
        Where records go: the journal, or what compares with it.
    noted : callable
        Told of decisions, in words.

    Attributes
    ----------
    failed : str
        What went wrong in a strategy; then none is called any more.
    effects : list
        What is to leave for venues, as ``Session.take_effects`` has it.
    state_moved : bool
        Whether the engine changed the state of the fund by itself.
    computer : Computer
        Where what strategies ask for is computed.
    recorded : dict of (int, int) to Computed, or None
        While inputs are given again: what came of computations then, by sleeve and number. Nothing
        is computed again.
    available : int
        What could have been taken out when it last refused to give so much, in 1e-12.
    """

    def __init__(
        self,
        session: Session,
        desk: Desk,
        orders: Orders,
        bars: LiveBars | None,
        schedule: DecisionSchedule | None,
        digits: Sequence[int],
        write: Write,
    ) -> None:
        self.session, self.desk, self.orders = session, desk, orders
        self.bars, self._schedule, self._digits = bars, schedule, digits
        self.write = write
        self.noted: Callable[[str], None] = lambda _: None
        self.closes: dict[int, float] = {}
        self._barriers: deque[_Barrier] = deque()
        self.failed = ""
        self.effects: list[tuple[str, Any]] = []
        self.state_moved = False
        self.available = 0
        self.computer: Computer = AtOnce()
        self.recorded: dict[tuple[int, int], Computed] | None = None
        desk.on_decision = self._decided
        desk.computer, desk.on_answer = self, self._answered
        session.open_log()

    def give(self, told: Sequence[Told], horizon: int) -> None:
        """Give inputs, then let timers up to a time fire."""
        for _, ts_event, event in told:
            self._see(ts_event, event)
        self.session.tell(told)
        self._run(told[-1][0] if told else self.session.now, horizon)

    def give_again(self, seen: Sequence[Mapping[str, Any]], encoded: Sequence[bytes]) -> None:
        """Give recorded inputs as they were written, and those that are no prices decoded too."""
        for each in seen:
            self._see(each["ts_event"], each["event"])
        if encoded:
            self.session.tell_encoded(encoded)

    def run_again(self, last: int, horizon: int) -> None:
        """Do again what recorded inputs led to."""
        self._run(last, horizon)

    def _see(self, ts_event: int, event: Mapping[str, Any]) -> None:
        """Remember bars for the decision at the next barrier."""
        if "bar" in event:
            place, close = event["bar"]["instrument"], event["bar"]["bar"]["close"]
            self.closes[place] = close / 10.0 ** self._digits[place]
        elif "barrier" in event:
            closes, self.closes = self.closes, {}
            ended = bool(event["barrier"]["session_end"])
            self._barriers.append(_Barrier(ts_event, ended, closes))

    def _decide(self) -> None:
        barrier = self._barriers.popleft()
        if self.bars is None or self._schedule is None or not barrier.closes:
            return
        row = [barrier.closes.get(place, math.nan) for place in range(len(self._digits))]
        self.bars.add(barrier.ts, row)
        if not self.failed and self._schedule.decides(barrier.ts, barrier.ended):
            self.desk.decide(barrier.ts)

    def _run(self, last: int, horizon: int) -> None:
        try:
            hosts = [] if self.failed else self.desk.hosts
            self.session.run_live(horizon, hosts, self._decide)
        except QuantVistaError as error:
            if not isinstance(error, StrategyError):
                raise
            self._fail(error, horizon)
        except Exception as error:
            explained = self.desk.explained(error)
            if not isinstance(explained, StrategyError):
                raise
            self._fail(explained, horizon)
        self._drain()
        if self.session.now > last:
            self._body(Woken(), self.session.now)

    def _fail(self, error: StrategyError, horizon: int) -> None:
        """Call no strategy any more; what else was told still counts."""
        self.failed = f"a strategy failed: {printable(error)}"
        self._drain()
        self._body(StrategyFailed(self.failed), self.session.now)
        self.session.go_on_alone()
        self.session.run_live(horizon, [], self._decide)

    def _drain(self) -> None:
        for side, ts, payload in self.session.take_log():
            kind = _KINDS[side]
            self.write(kind.number, kind.version, ts, payload)
            if side == "output" and is_by_breaker(payload):
                self.state_moved = True
            if side == "output" and b"cash_flow_rejected" in payload[:_NAME_END]:
                body = RawEngine.decode_output(payload)["cash_flow_rejected"]
                self.available = int(body["available"])
        for what, body in self.session.take_effects():
            if what == "submit":
                self.orders.owned(body["id"], body["sleeve"], body["instrument"])
            self.effects.append((what, body))
        if self.orders.is_full:
            self.orders.forget({each["id"] for each in self.session.working()})

    def _decided(
        self, sleeve: str, known_ts: int, instruments: Sequence[str], decision: Decision
    ) -> None:
        self._drain()
        self._body(Decided.of(sleeve, known_ts, instruments, decision), self.session.now)
        self.noted(f"{sleeve} decided on {len(instruments)} instruments")

    # -- what strategies let be computed -----------------------------------------
    def ask(self, asked: Asked, work: Work) -> None:
        """Have something computed; not what was computed before."""
        if self.recorded is None:
            self.computer.ask(asked, work)

    def answer(self, asked: Asked) -> Answer:
        """Say what came of it, or came of it then."""
        if self.recorded is None:
            return self.computer.answer(asked)
        found = self.recorded.get((asked.sleeve, asked.number))
        return Answer(error="not recorded") if found is None else Answer(found.value, found.error)

    def _answered(self, asked: Asked, answer: Answer) -> None:
        self._drain()
        of = (asked.sleeve, asked.number, asked.name, asked.ts)
        self._body(Computed(*of, answer.value, answer.error), self.session.now)

    def _body(self, body: Body, ts: int) -> None:
        kind = body.KIND
        self.write(kind.number, kind.version, ts, body.encode())
