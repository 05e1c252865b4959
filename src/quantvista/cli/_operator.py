"""``qv halt``, ``reduce``, ``resume`` and ``flatten``: orders to a fund that runs.

``qv halt`` must be there at once, also on a machine that is busy. So what is plain is done from
here, with next to nothing loaded; whatever else there is on the command line is left to Typer,
which knows help, completion and what is wrong with an option.
"""

import json
import os
import pwd
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from quantvista.errors import ConfigError, ControlError, OutputError, RunInterruptedError
from quantvista.trading.control import NoAnswerError, NotRunningError, Place, ask

__all__ = ["COMMANDS", "Order", "at_once", "give"]

COMMANDS = ("halt", "reduce", "resume", "flatten")
_STATE = "state"
_NODE_S = 2.0
_GUARD_S = 10.0  # it may have to end the node first, and to wait for the venue
_REASON_MAX = 500
_DONE = {
    "halt": "halted: nothing new is sent",
    "reduce": "reduce-only: positions can get smaller, not larger",
    "resume": "trading again",
    "flatten": "flattening: orders are cancelled, then positions closed",
}
_LEAVE_S = 5.0
_AGAIN_S = 0.2
_STATUS = {"command": "status", "by": "qv"}
_NOT_CLEAN = ("starting", "reconciling", "stopping")


type _Tried = dict[str, ControlError]
"""What each process said against an order, or why it said nothing."""


class Order(NamedTuple):
    """What the operator wants.

    Parameters
    ----------
    command : str
        One of `COMMANDS`.
    state : pathlib.Path
        The state folder of the fund.
    reason : str
        For the journal.
    yes : bool
        Do not ask again.
    as_json : bool
        Answer in JSON.
    """

    command: str
    state: Path = Path(_STATE)
    reason: str = ""
    yes: bool = False
    as_json: bool = False

    @property
    def request(self) -> dict[str, Any]:
        """As it goes over a socket."""
        try:
            by = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            by = f"uid {os.getuid()}"
        return {"command": self.command, "by": by, "reason": self.reason}


def at_once(words: list[str]) -> int | None:
    """Do what a command line says if it is plain.

    Parameters
    ----------
    words : list of str
        Without the program; the first is one of `COMMANDS`.

    Returns
    -------
    int or None
        Exit code; None if Typer must look at it.
    """
    order = _plain(words)
    if order is None:
        return None
    try:
        return give(order)
    except (ConfigError, ControlError, OutputError) as error:
        return fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return fail("stopped; see with qv status what became of it", RunInterruptedError.exit_code)


def _plain(words: list[str]) -> Order | None:
    order = Order(words[0])
    rest = iter(words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--state", "--reason"):
            if not equals:
                value = next(rest, "")
            if not value or (value.startswith("-") and not equals):
                return None
            order = (
                order._replace(state=Path(value))
                if name == "--state"
                else order._replace(reason=value)
            )
        elif word == "--json":
            order = order._replace(as_json=True)
        elif word in ("--yes", "-y") and order.command == "flatten":
            order = order._replace(yes=True)
        else:
            return None
    return order


def give(order: Order) -> int:
    """Give an order and say what became of it.

    Parameters
    ----------
    order : Order
        What.

    Returns
    -------
    int
        Exit code: 0 if it is confirmed, else 1.
    """
    if len(order.reason) > _REASON_MAX:
        raise ConfigError(
            f"`--reason` must have at most {_REASON_MAX} characters; found {len(order.reason)}"
        )
    place = Place(order.state)
    if order.command == "flatten" and not order.yes:
        _confirm(place)
    tried: _Tried = {}
    if order.command == "resume":
        found = _resume(place, order, tried)
    else:
        found = _tell(place, order, "node", _NODE_S, tried)
        if found is None:
            found = _tell(place, order, "guard", _GUARD_S, tried)
    if found is not None:
        return _confirmed(order, *found, tried)
    return _unconfirmed(place, order, tried)


def _tell(
    place: Place, order: Order, name: str, timeout_s: float, tried: _Tried
) -> tuple[str, dict[str, Any]] | None:
    """Ask one process; what it said against it goes into ``tried``."""
    try:
        answer = ask(place.socket(name), order.request, timeout_s)
    except ControlError as error:
        if isinstance(error, NotRunningError) and not place.run.is_dir():
            raise
        tried[name] = error
        return None
    if answer.get("ok") is True:
        tried.pop(name, None)
        return name, answer
    why = answer.get("error", "it did not say why")
    tried[name] = ControlError(f"the {name} refused: {why}")
    return None


def _resume(place: Place, order: Order, tried: _Tried) -> tuple[str, dict[str, Any]] | None:
    """Ask the guard, then the node; each may have something against it."""
    left = place.order()
    now = ask(place.socket("node"), _STATUS, _NODE_S)
    if now.get("health") in _NOT_CLEAN:
        why = "; ".join(map(str, now.get("why") or [])) or "it has not said why"
        raise ControlError(f"the node is {now['health']}, not clean: {why}; wait, see qv status")
    if left is not None and not _is_carried_out(place, now):
        raise ControlError(
            f"an order to halt lies in {place.folder} that nobody has carried out yet; wait until "
            "qv status says that the node or the guard has halted, then resume"
        )
    guarded = _tell(place, order, "guard", _GUARD_S, tried)
    if guarded is None and not isinstance(tried["guard"], NotRunningError):
        return None
    tried.clear()  # without a guard, the node knows whether it may trade
    end = time.monotonic() + (_LEAVE_S if guarded else 0.0)
    # The node hears of the guard's leave when it next looks for it.
    while (found := _tell(place, order, "node", _NODE_S, tried)) is None:
        if time.monotonic() >= end or isinstance(tried["node"], NoAnswerError):
            return None
        time.sleep(_AGAIN_S)
    if left is not None and place.order() == left:  # not one from meanwhile
        place.drop_order()
    return found


def _is_carried_out(place: Place, now: dict[str, Any]) -> bool:
    """Whether node or guard has halted the fund."""
    if "halted" in (now.get("health"), now.get("state")):
        return True
    try:
        guard = ask(place.socket("guard"), _STATUS, _NODE_S)
    except ControlError:
        return False
    return guard.get("level") in ("halt", "flatten")


def _confirm(place: Place) -> None:
    """Say in numbers what will be sold and bought, and ask for a typed word."""
    if not sys.stdin.isatty():
        raise ConfigError("`--yes` must be given where nobody can be asked; found no terminal")
    try:
        now = ask(place.socket("node"), _STATUS, _NODE_S)
    except NotRunningError:
        if not place.run.is_dir():
            raise
        now = {}
    except ControlError:
        now = {}
    if "positions" in now:
        _say(f"{now.get('fund', 'the fund')}: this cancels {len(now.get('orders', []))} orders")
        _say("and closes these positions at what the market gives:")
        for each in now["positions"]:
            _say(f"  {each['instrument']:<24} {each['quantity']:>20}  {each.get('value', '')}")
    else:
        _say("The node does not say what it holds. Everything that is held will be closed.")
    sys.stdout.write("Type flatten to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != "flatten":
        raise ControlError("nothing was done")


def _confirmed(order: Order, name: str, answer: dict[str, Any], tried: _Tried) -> int:
    if order.as_json:
        _print({"ok": True, "by": name, "answer": answer, "tried": _texts(tried)})
        return 0
    for error in tried.values():
        _say(str(error))
    _say(f"{answer.get('text') or _DONE[order.command]} (confirmed by the {name})")
    return 0


def _unconfirmed(place: Place, order: Order, tried: _Tried) -> int:
    left = None
    if order.command == "halt":
        try:
            left = place.leave_order({**order.request, "ts": time.time_ns()})
        except OSError as error:
            tried["file"] = ControlError(f"the order could not be written either: {error}")
    running = [
        f"the {name} is process {found.pid}"
        for name in ("node", "guard")
        if isinstance(tried.get(name), NoAnswerError | NotRunningError)  # its socket may be gone
        and (found := place.process(name)) is not None
        and found.alive
    ]
    if order.as_json:
        file = None if left is None else str(left)
        _print({"ok": False, "by": None, "answer": None, "tried": _texts(tried), "file": file})
        return 1
    lines = [f"nothing confirmed the {order.command}", *map(str, tried.values())]
    if left is not None:
        lines.append(
            f"the order lies in {left}: the node and the guard obey it when they next look or "
            "start; nothing was ended"
        )
    if running:
        lines.append(
            f"{' and '.join(running)}, alive but silent: end the fund with qv down; orders that "
            "work at the venue stay there until it is up again"
        )
    elif all(isinstance(tried.get(name), NotRunningError) for name in ("node", "guard")):
        lines.append(
            "neither runs, so nothing is being sent; orders that work at the venue stay there: "
            "look there, or start the fund with qv up"
        )
    return fail("\n  ".join(lines), 1)


def _texts(tried: _Tried) -> dict[str, str]:
    return {name: str(error) for name, error in tried.items()}


def fail(message: str, code: int) -> int:
    """Say in red what went wrong."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    text = f"error: {message}"
    sys.stderr.write(f"\x1b[31m{text}\x1b[0m\n" if coloured else f"{text}\n")
    return code


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
