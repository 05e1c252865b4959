"""What ``qv guard`` and ``qv drill`` do and say."""

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quantvista.cli._lines import log_in_lines
from quantvista.cli._operator import Order
from quantvista.cli._print import next_steps, print_json, say, table
from quantvista.errors import ControlError
from quantvista.trading.control import Place, ask

__all__ = ["hold_drill", "run_guard", "show_schedule"]

_BEGIN_S = 60.0
_ASK_S = 15.0
_LOOK_S = 0.25
_LOOKS_MAX = 1_200  # five minutes


def run_guard(fund: Path, state: Path | None) -> None:
    """Guard until Ctrl-C or SIGTERM."""
    from quantvista.trading.guard.serving import serve

    log_in_lines()

    def said(text: str) -> None:
        say(text)
        sys.stdout.flush()

    serve(fund, state, said)
    say("the guard has stopped; the node's permission runs out")


def hold_drill(state: Path, *, resume: bool, as_json: bool) -> bool:
    """Hold a drill and print how long each step took; says whether all were confirmed."""
    place = Place(state)
    order = Order("drill", state, reason="qv drill").request
    answer = ask(place.socket("guard"), order, _BEGIN_S)
    if answer.get("ok") is not True:
        raise ControlError(f"the guard refused the drill: {answer.get('error')}")
    now = _wait(place)
    resumed = _resume(place, order["by"]) if resume and now["done"] else ""
    if as_json:
        steps = now["steps"]
        print_json({"done": now["done"], "steps": steps, "resumed": resume and not resumed})
    else:
        table(("step", "venue", "took", "found"), _rows(now["steps"]))
        _conclude(now, resume=resume, refused=resumed)
    return bool(now["done"]) and not resumed


def _wait(place: Place) -> dict[str, Any]:
    """Wait until it is done; else how far it is after some minutes."""
    now: dict[str, Any] = {}
    for _ in range(_LOOKS_MAX):
        now = ask(place.socket("guard"), {"command": "status"}, _ASK_S)
        if now["done"]:
            break
        time.sleep(_LOOK_S)
    return now


def _resume(place: Place, by: str) -> str:
    """Ask to resume for some seconds, since prices and node must be known again; say why not."""
    error = ""
    request = {"command": "resume", "by": by, "reason": "the drill is over"}
    for _ in range(40):
        answer = ask(place.socket("guard"), request, _ASK_S)
        if answer.get("ok") is True:
            refused = answer.get("node")
            return f"the guard lets it trade, but the node refused: {refused}" if refused else ""
        error = str(answer.get("error"))
        time.sleep(_LOOK_S)
    return error


def _rows(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    began: dict[tuple[str, str], int] = {}
    rows = []
    for each in steps:
        key = (str(each["step"]), str(each["venue"]))
        if each["state"] == "begun":
            began[key] = int(each["ts"])
        elif each["state"] == "done":
            took = (int(each["ts"]) - began.get(key, int(each["ts"]))) / 1e9
            rows.append((*key, f"{took:.2f} s", str(each["text"])))
    return rows


def _conclude(now: Mapping[str, Any], *, resume: bool, refused: str) -> None:
    if not now["done"]:
        say(f"not done: {now['waits_for']}")
        next_steps(["qv status", "qv logs guard"])
        return
    took = (int(now["steps"][-1]["ts"]) - int(now["since"])) / 1e9
    say(f"the drill was held: nothing is open, nothing is held, after {took:.2f} s")
    if refused:
        say(f"not resumed: {refused}")
    if resume and not refused:
        say("the fund trades again")
    else:
        next_steps(["qv status", "qv resume --reason 'the drill is over'"])


def show_schedule(state: Path) -> None:
    """Print what lets cron or systemd hold a drill every Sunday."""
    words = (sys.executable, "-m", "quantvista", "drill", "--resume", "--state")
    command = shlex.join((*words, str(state.absolute())))
    say("# A line for `crontab -e`: Sundays at 03:00, by the machine's clock.")
    say(f"0 3 * * 0  {command}")
    say("")
    say("# Or ~/.config/systemd/user/quantvista-drill.service")
    say("[Unit]\nDescription=Drill of a fund on paper\n")
    say(f"[Service]\nType=oneshot\nExecStart={command}")
    say("")
    say("# with ~/.config/systemd/user/quantvista-drill.timer, and then:")
    say("# systemctl --user enable --now quantvista-drill.timer")
    say("[Unit]\nDescription=Drill of a fund on paper, every Sunday\n")
    say("[Timer]\nOnCalendar=Sun 03:00\nPersistent=true\n")
    say("[Install]\nWantedBy=timers.target")
