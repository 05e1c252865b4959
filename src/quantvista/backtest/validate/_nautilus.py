"""NautilusTrader's side: what it is given so that it decides at the same prices, and what it says.

Where the two systems mean different things by the same words, the session is told to
NautilusTrader in the words in which it means ours; ``docs/validation.md`` lists these.
"""

import json
import subprocess
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from quantvista.backtest.validate._result import End, Fill, Look, Result
from quantvista.backtest.validate._session import Command, Session
from quantvista.errors import ConfigError, EngineError

__all__ = ["CHILD", "ENVIRONMENT", "TheirSide", "find_python", "given"]

CHILD = Path(__file__).with_name("_nautilus_child.py")
ENVIRONMENT = Path(".venv-nautilus") / "bin" / "python"
_AFTER_NS = 1_000  # behind the event that an order is delivered after
_REMEDY = "`make nautilus` makes it, and `--python` names one that is elsewhere"


def find_python(named: Path | None = None) -> Path:
    """Find the interpreter that has NautilusTrader.

    Parameters
    ----------
    named : pathlib.Path, optional
        The one to take; by default ``.venv-nautilus`` of this folder, or of the checkout that
        this package runs from.

    Returns
    -------
    pathlib.Path
        The interpreter.

    Raises
    ------
    ConfigError
        If it is not there.
    """
    places = [Path.cwd(), *Path(__file__).parents[4:5]]
    choices = [named] if named is not None else [place / ENVIRONMENT for place in places]
    for choice in choices:
        if choice.is_file():
            return choice
    raise ConfigError(
        "`python` must be an interpreter with NautilusTrader; "
        f"found none at {choices[0]}: {_REMEDY}"
    )


def given(session: Session) -> dict[str, Any]:
    """Write a session as the child process reads it.

    Parameters
    ----------
    session : Session
        In our terms.

    Returns
    -------
    dict
        In terms of JSON, with the commands at the times at which NautilusTrader must get them.
    """
    commands = sorted(_delivered(session), key=lambda each: each.ts)
    value = session.to_json()
    value["commands"] = [asdict(each) for each in commands]
    return value


def _delivered(session: Session) -> Iterator[Command]:
    """Give commands their times: see the module, and section 2 of ``docs/validation.md``."""
    days: dict[int, int] = {}
    for position, command in enumerate(session.commands):
        ts = command.ts
        if command.do == "amend" and session.kind == "bars":
            ts += session.open_delay_ns  # they meet the next bar too
        if command.do in ("submit", "group"):
            ts = _delivery(session, command, position)
            for order in command.sent():
                if order.tif == "day":
                    days[order.id] = command.ts
        plain = [replace(each, tif="gtc") if each.tif == "day" else each for each in command.sent()]
        alone = plain[0] if command.order is not None else None
        group = tuple(plain) if command.orders else ()
        yield replace(command, ts=ts, order=alone, orders=group)
    for number, sent in days.items():
        ends = [ts for ts in session.day_ends if ts > sent]
        if ends:
            yield Command(ends[0] + _AFTER_NS, "cancel", id=number)


def _delivery(session: Session, command: Command, position: int) -> int:
    orders = command.sent()
    if orders[0].type == "trailing_stop":
        return command.ts  # it follows the price from here on
    if session.kind == "bars":  # just after the opening print of the next bar
        return command.ts + session.open_delay_ns
    if session.kind != "trades":
        return command.ts
    instrument = orders[0].instrument
    later = [row.ts for row in session.tape if row.ts > command.ts and row.instrument == instrument]
    return later[0] + _AFTER_NS + position if later else command.ts


class TheirSide:
    """A child process that runs sessions, one after the other; a context manager.

    Parameters
    ----------
    python : pathlib.Path
        Interpreter of its environment.
    """

    def __init__(self, python: Path) -> None:
        self._child = subprocess.Popen(
            [str(python), str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.kill()
        self._child.communicate()

    def start(self, session: Session) -> None:
        """Hand a session over; ``finish`` must take its result before the next one."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(given(session)) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            pass  # its output ends too, where it is read

    def finish(self, session: Session) -> Result:
        """Wait for the result of a session.

        Raises
        ------
        EngineError
            If the process ended instead; with the last line that it wrote to standard error.
        """
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            _, errors = self._child.communicate()
            last = errors.strip().splitlines()[-1:] or ["nothing said why"]
            raise EngineError(
                f"NautilusTrader's process ended at session {session.seed}: {last[0]}; "
                f"is it installed there? {_REMEDY}"
            )
        return read(json.loads(line), session)


def read(value: dict[str, Any], session: Session) -> Result:
    """Read what the child process says of a session."""
    fills = tuple(
        Fill(_event(session, ts, order), order, side, quantity, price, Decimal(fee), liquidity)
        for ts, order, side, quantity, price, fee, liquidity in value["fills"]
    )
    looks = tuple(_look(entry, session) for entry in value["marks"])
    ends = {int(number): End(*end) for number, end in value["ends"].items()}
    return Result(fills, looks, ends, value["stopped"], value["version"])


def _event(session: Session, ts: int, order: int) -> int:
    """Time of the event that a fill belongs to, in our terms."""
    if session.kind == "bars":  # all of a bar happens at its close
        return -(-ts // session.bar_ns) * session.bar_ns
    if session.kind == "trades":  # orders were delivered behind the trade that they meet
        instrument = session.orders()[order].instrument
        times = [row.ts for row in session.tape if row.instrument == instrument]
        return times[bisect_right(times, ts) - 1]
    return ts


def _look(entry: dict[str, Any], session: Session) -> Look:
    """Equity is what the account shows, and what is held at the marks of the look."""
    mark = next(each for each in session.marks if each.ts == entry["ts"])
    quote = session.account.cash[0][0]
    equity = Decimal(entry["balances"][quote])
    positions = []
    held = zip(session.instruments, entry["positions"], mark.prices, strict=True)
    for traded, (quantity, gain), price in held:
        units = int(Decimal(quantity).scaleb(traded.quantity_precision))
        amount = Decimal(price).scaleb(-traded.price_precision)
        if not session.account.single_currency:
            balance = Decimal(entry["balances"].get(traded.base, 0))
            units = int(balance.scaleb(traded.quantity_precision))
            equity += balance * amount
        elif session.account.kind == "cash":
            equity += Decimal(quantity) * amount
        else:
            equity += Decimal(gain)
        positions.append(units)
    return Look(entry["ts"], equity, tuple(positions))
