"""Where a running fund keeps its state, and how its processes are spoken to.

Loads next to nothing, so that ``qv halt`` starts at once: the standard library, and of that only
what is used. A `Place` is the state folder; `ask` sends one request to a process of the fund and
waits for the answer; `ControlServer` answers in the process.

The protocol is lines of JSON over a Unix socket that only its owner may open. A request is
``{"command": "status", "by": "user", "reason": "text"}`` with one of ``status``, ``halt``,
``reduce``, ``resume``, ``flatten`` and ``stop``; an answer is ``{"ok": true, ...}`` or
``{"ok": false, "error": "what to do"}``. Several requests may follow one another.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from quantvista.trading.control._ask import NoAnswerError, NotRunningError, ask
from quantvista.trading.control._files import read_json, write_json
from quantvista.trading.control._place import ApiKey, Place
from quantvista.trading.control._process import Process

if TYPE_CHECKING:
    from quantvista.trading.control._server import ControlServer, Handler

__all__ = [
    "ApiKey",
    "ControlServer",
    "Handler",
    "NoAnswerError",
    "NotRunningError",
    "Place",
    "Process",
    "ask",
    "read_json",
    "write_json",
]


def __getattr__(name: str) -> object:
    if name not in ("ControlServer", "Handler"):  # who only asks has no use for asyncio
        raise AttributeError(f"module 'quantvista.trading.control' has no attribute {name!r}")
    value: object = getattr(import_module("quantvista.trading.control._server"), name)
    globals()[name] = value
    return value
