"""One request to a process of a fund, and its answer or a clear word why there is none."""

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantvista.errors import ControlError
from quantvista.trading.control._files import reach

__all__ = ["NoAnswerError", "NotRunningError", "ask"]

_ANSWER_BYTES_MAX = 16 << 20
_CHUNK_BYTES = 1 << 16


class NotRunningError(ControlError):
    """Nobody listens."""


class NoAnswerError(ControlError):
    """Somebody listens, but does not answer in time, or not as it must."""


def ask(path: Path, request: Mapping[str, Any], timeout_s: float = 5.0) -> dict[str, Any]:
    """Send a request to a process and wait for its answer.

    Parameters
    ----------
    path : pathlib.Path
        Its socket, as `Place.socket` names it.
    request : mapping
        With ``command``; and ``by`` and ``reason`` where people ask.
    timeout_s : float
        For all of it, in seconds.

    Returns
    -------
    dict
        The answer. It may say ``"ok": false`` and what to do under ``error``.

    Raises
    ------
    NotRunningError
        If there is no such state folder, or nobody listens.
    NoAnswerError
        If there is no answer in time; whether the request was carried out is then not known.
    """
    name, state = path.stem, path.parent.parent
    if not path.parent.is_dir():
        raise NotRunningError(
            f"no fund runs in {state}: there is no such state folder; start one with qv up, or "
            "name its folder with --state"
        )
    end = time.monotonic() + timeout_s
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout_s)
        try:
            with reach(path) as address:
                link.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunningError(
                f"the {name} of {state} does not run; start the fund with qv up, or see qv logs"
            ) from None
        except PermissionError:
            raise NotRunningError(
                f"the {name} of {state} is of another user; ask as the one who started it"
            ) from None
        except OSError:  # its queue is full, or it was too slow
            raise _no_answer(name, state, timeout_s) from None
        try:
            line = _exchange(link, json.dumps(request).encode() + b"\n", end)
        except OSError:
            raise _no_answer(name, state, timeout_s) from None
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NoAnswerError(
            f"the {name} of {state} did not answer as it must; is it of another version? Restart "
            "the fund: qv down, then qv up"
        )
    return answer


def _no_answer(name: str, state: Path, timeout_s: float) -> NoAnswerError:
    return NoAnswerError(
        f"the {name} of {state} did not answer within {timeout_s:g} s; see qv logs {name}, or "
        "stop the fund with qv down"
    )


def _exchange(link: socket.socket, line: bytes, end: float) -> bytes:
    link.sendall(line)
    parts: list[bytes] = []
    size = 0
    while size <= _ANSWER_BYTES_MAX:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        link.settimeout(left)
        part = link.recv(_CHUNK_BYTES)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if part.endswith(b"\n"):
            break
    whole = b"".join(parts)
    if not whole:  # it ended, or cut us off
        raise ConnectionResetError
    return whole
