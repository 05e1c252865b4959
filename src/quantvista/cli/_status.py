"""``qv status``: how a fund stands, asked of all its processes."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from quantvista.cli._print import console, print_json
from quantvista.errors import ControlError
from quantvista.trading.control import NotRunningError, Place, ask

__all__ = ["NAMES", "Standing", "gather", "show_status"]

NAMES = ("node", "guard", "supervisor")
_ASK_S = 2.0
_EVERY_S = 1.0


class Standing(NamedTuple):
    """What the processes of a fund answered.

    Parameters
    ----------
    now_ns : int
        When they were asked, UTC ns.
    answers : dict
        By name; of those that answered.
    errors : dict
        By name, in words; of the others.
    order : dict or None
        An order to halt that lies there and nobody has carried out.
    node_ns : int
        When the node answered what stands there for it; before ``now_ns`` if it is silent by now.
    """

    now_ns: int
    answers: dict[str, dict[str, Any]]
    errors: dict[str, str]
    order: dict[str, Any] | None
    node_ns: int

    def after(self, earlier: "Standing | None") -> "Standing":
        """Keep what the node said last if it is silent now, with its age."""
        if earlier is None or "node" in self.answers or "node" not in earlier.answers:
            return self
        answers = {**self.answers, "node": earlier.answers["node"]}
        return self._replace(answers=answers, node_ns=earlier.node_ns)


def gather(place: Place) -> Standing:
    """Ask all processes at once.

    Parameters
    ----------
    place : Place
        The state folder.

    Returns
    -------
    Standing
        Within the time that one silent process may take.

    Raises
    ------
    NotRunningError
        If there is no such state folder.
    """
    if not place.run.is_dir():
        raise NotRunningError(
            f"no fund runs in {place.folder}: there is no such state folder; start one with qv "
            "up, or name its folder with --state"
        )
    answers, errors = {}, {}
    with ThreadPoolExecutor(len(NAMES)) as pool:
        request = {"command": "status", "by": "qv status"}
        asked = {name: pool.submit(ask, place.socket(name), request, _ASK_S) for name in NAMES}
        for name, future in asked.items():
            try:
                answer = future.result()
            except ControlError as error:
                errors[name] = str(error)
                continue
            if answer.get("ok") is True:
                answers[name] = answer
            else:
                errors[name] = f"the {name} said: {answer.get('error', 'nothing')}"
    now_ns = time.time_ns()
    return Standing(now_ns, answers, errors, place.order(), now_ns)


def show_status(state: Path, *, as_json: bool, follow: bool) -> bool:
    """Print how a fund stands.

    Parameters
    ----------
    state : pathlib.Path
        Its state folder.
    as_json : bool
        As the processes answered.
    follow : bool
        Again every second, until Ctrl-C.

    Returns
    -------
    bool
        Whether the node answered.
    """
    place = Place(state)
    found = gather(place)
    if as_json:
        print_json(
            {
                "ok": "node" in found.answers,
                **{name: found.answers.get(name) for name in NAMES},
                "errors": found.errors,
                "order": found.order,
            }
        )
    elif follow and sys.stdout.isatty():
        from quantvista.cli._live import watch

        found = watch(place, found, _EVERY_S)
    else:
        from quantvista.cli._status_view import standing_view

        console().print(standing_view(found))
    return "node" in found.answers and "node" not in found.errors
