"""Computations that strategies ask for, and hear of later: never while the fund waits."""

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Protocol

import msgspec
import numpy as np

from quantvista.engine import Context
from quantvista.errors import StrategyError, printable
from quantvista.strategies import ComputeResult

__all__ = ["Answer", "Asked", "AtOnce", "Bureau", "Computer", "Work", "carried_out"]

AWAITED_MAX = 32
"""Results that one sleeve may wait for."""

_BYTES_MAX = 1_000_000
_AFTER_MAX_NS = 3_600 * 10**9
_NAME_MAX = 200
_TIMER = "@result:"

type Work = Callable[[], object]
"""A function with its arguments."""


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"it returned a {type(value).__name__}; return numbers, text, lists or dicts")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)


def _ordered(value: object) -> object:
    """Refuse sets: they have another order in each process, and results must be the same in all."""
    if isinstance(value, set | frozenset):
        raise TypeError(f"it returned a {type(value).__name__}, which has no order; sort it")
    parts: Iterable[object] = ()
    if isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    elif is_dataclass(value):
        parts = (getattr(value, each.name) for each in fields(value))
    for part in parts:
        _ordered(part)
    return value


@dataclass(frozen=True, slots=True)
class Asked:
    """A computation that was asked for.

    Parameters
    ----------
    sleeve : int
        Whose strategy asked.
    number : int
        Counts up in each sleeve, from 1.
    name : str
        In the strategy's words.
    ts : int
        When, UTC ns.
    """

    sleeve: int
    number: int
    name: str
    ts: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: MessagePack of the value, or an error."""

    value: bytes = b""
    error: str = ""


class Computer(Protocol):
    """Where computations are carried out."""

    def ask(self, asked: Asked, work: Work) -> None:
        """Begin, or queue it; never wait."""
        ...

    def answer(self, asked: Asked) -> Answer:
        """Say what came of it by now; it is not asked for again."""
        ...


def carried_out(work: Work) -> Answer:
    """Carry a computation out; whatever it raises is an answer, too."""
    try:
        value = _ENCODER.encode(_ordered(work()))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Answer(error=f"{type(error).__name__}: {printable(error)}")
    if len(value) > _BYTES_MAX:
        return Answer(error=f"it returned {len(value):,} bytes; at most {_BYTES_MAX:,} may be")
    return Answer(value)


class AtOnce:
    """Carries out in simulated time, which stands still meanwhile: nothing is ever late.

    Attributes
    ----------
    answers : dict of (int, int) to Answer
        By sleeve and number, until they are asked for.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[int, int], Answer] = {}

    def ask(self, asked: Asked, work: Work) -> None:
        """Compute."""
        self.answers[asked.sleeve, asked.number] = carried_out(work)

    def answer(self, asked: Asked) -> Answer:
        """Say what came of it."""
        lost = Answer(error="lost: the process that was to compute it has ended")
        return self.answers.pop((asked.sleeve, asked.number), lost)


@dataclass
class Bureau:
    """Computations of one sleeve: asked for by its strategy, heard of by it when they are due.

    When a result is heard is said when it is asked for, and does not depend on how long it took:
    so a fund that runs does what its backtest does, and a fund that is done again does it again.

    Parameters
    ----------
    sleeve : int
        Whose.
    computer : callable
        Gives the computer of the moment.
    answered : callable
        Told of each answer before the strategy is.

    Attributes
    ----------
    awaited : dict of int to (str, int)
        Name, and when it was asked for, by number.
    """

    sleeve: int
    computer: Callable[[], Computer]
    answered: Callable[[Asked, Answer], None]
    awaited: dict[int, tuple[str, int]] = field(default_factory=dict)
    last: int = 0

    def compute(
        self,
        context: Context,
        function: Callable[..., object],
        arguments: tuple[Any, ...],
        after_ns: int,
        name: str,
    ) -> int:
        """Ask for a computation; see ``Context.compute``."""
        if not (inspect.isfunction(function) or inspect.isbuiltin(function)) or (
            getattr(function, "__closure__", None)
        ):
            raise StrategyError(
                "`function` must be a function of a module, which shares nothing with the "
                f"strategy; found {function!r}. Give it what it needs as arguments"
            )
        if type(after_ns) is not int or not 0 < after_ns <= _AFTER_MAX_NS:
            raise StrategyError(
                f"`after_ns` must be a whole number from 1 to {_AFTER_MAX_NS}; found {after_ns!r}"
            )
        if not isinstance(name, str) or len(name) > _NAME_MAX:
            raise StrategyError(
                f"`name` must be text of at most {_NAME_MAX} characters; found {str(name)[:80]!r}"
            )
        if len(self.awaited) >= AWAITED_MAX:
            raise StrategyError(
                f"`compute` must not wait for more than {AWAITED_MAX} results at once; found "
                f"{AWAITED_MAX} that were asked for and not heard of. Look at `ctx.awaited`"
            )
        given = copy.deepcopy(arguments)  # what the strategy changes from now on is not seen
        self.last += 1
        asked = Asked(self.sleeve, self.last, name or function.__name__, context.clock.now)
        self.awaited[asked.number] = asked.name, asked.ts
        context.set_timer(asked.ts + after_ns, f"{_TIMER}{asked.number}")
        self.computer().ask(asked, lambda: function(*given))
        return asked.number

    def take(self, name: str, ts: int) -> ComputeResult | None:
        """Take the result that a timer is for; None if the timer is the strategy's own."""
        digits = name.removeprefix(_TIMER)
        number = int(digits) if name.startswith(_TIMER) and digits.isdecimal() else 0
        found = self.awaited.pop(number, None)
        if found is None:
            return None
        asked = Asked(self.sleeve, number, *found)
        answer = self.computer().answer(asked)
        self.answered(asked, answer)
        value = None if answer.error else msgspec.msgpack.decode(answer.value)
        return ComputeResult(number, asked.name, value, answer.error, asked.ts, ts)

    def dump(self) -> list[Any]:
        """Write down what is awaited, as plain values; in simulated time also what it came to."""
        computer = self.computer()
        kept = computer.answers if isinstance(computer, AtOnce) else {}
        rows: list[list[Any]] = []
        for number, (name, ts) in self.awaited.items():
            answer = kept.get((self.sleeve, number))
            rest = [] if answer is None else [answer.value.hex(), answer.error]
            rows.append([number, name, ts, *rest])
        return [self.last, rows] if self.last else []

    def load(self, dumped: Sequence[Any]) -> None:
        """Go on from what `dump` gave."""
        self.last, rows = dumped or (0, [])
        self.awaited = {number: (name, ts) for number, name, ts, *_ in rows}
        computer = self.computer()
        if isinstance(computer, AtOnce):
            for number, _, _, *rest in rows:
                if rest:
                    value, error = rest
                    computer.answers[self.sleeve, number] = Answer(bytes.fromhex(value), error)

    def hosted(self, context: Context, handlers: dict[str, Callable[..., object]]) -> None:
        """Let the handlers of a strategy that hears of results ask for them."""
        wide = _Computing(context, self)
        on_result, on_timer = handlers.pop("on_result"), handlers.get("on_timer")
        for name, handler in handlers.items():
            handlers[name] = _widened(handler, wide)

        def timed(_: Context, timer: Any) -> None:  # noqa: ANN401 - the engine's
            result = self.take(timer.name, timer.ts)
            if result is not None:
                on_result(wide, result)
            elif on_timer is not None:
                on_timer(wide, timer)

        handlers["on_timer"] = timed


def _widened(handler: Callable[..., object], wide: "_Computing") -> Callable[..., object]:
    return lambda _, event: handler(wide, event)


class _Computing:
    """A context that can be asked to compute, besides all that a context can."""

    def __init__(self, context: Context, bureau: Bureau) -> None:
        self._context, self._bureau = context, bureau
        for name in dir(type(context)):
            if not name.startswith("_") and callable(getattr(type(context), name)):
                setattr(self, name, getattr(context, name))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a context has
        return getattr(self._context, name)

    @property
    def awaited(self) -> int:
        """Results that were asked for and not heard of yet."""
        return len(self._bureau.awaited)

    def compute(
        self,
        function: Callable[..., object],
        *arguments: Any,  # noqa: ANN401
        after_ns: int,
        name: str = "",
    ) -> int:
        """See ``Context.compute``."""
        return self._bureau.compute(self._context, function, arguments, after_ns, name)
