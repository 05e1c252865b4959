"""Processes of `qv` that start in no time: forked off one that has loaded everything already.

Loading takes a second of a core or more each time; a test that kills processes three hundred times
spends most of its own on that. What is forked is a process of its own in every other respect. The
command that a supervisor runs, and watches, is a few lines that hand over to the one that forks,
stay until what was forked has ended, and end as it did.

``python -m support.forked SOCKET`` is the one that forks; ``python forked.py SOCKET ARGUMENT...``
is run in place of ``python -m quantvista ARGUMENT...``.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path


def main() -> None:
    """Hand over to the process that forks, and end as what it has forked does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.connect(sys.argv[1])
        wanted = {"words": sys.argv[2:], "cwd": str(Path.cwd()), "environment": dict(os.environ)}
        socket.send_fds(link, [json.dumps(wanted).encode() + b"\n"], [1, 2])
        answers = link.makefile()
        child = int(answers.readline())
        signal.signal(signal.SIGTERM, lambda *_: _send(child, signal.SIGTERM))
        code = int(answers.readline() or -signal.SIGKILL)
    if code < 0:
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def serve(path: Path) -> None:
    """Load everything, and fork for whoever asks, until terminated."""
    from quantvista.cli import main as _  # noqa: F401
    from quantvista.trading.guard import serving as _guard  # noqa: F401
    from quantvista.trading.node import serving as _node  # noqa: F401
    from quantvista.trading.paper import serving as _paper  # noqa: F401

    here = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    here.bind(str(path))
    here.listen()
    looks = selectors.DefaultSelector()
    looks.register(here, selectors.EVENT_READ)
    children: dict[int, socket.socket] = {}
    while True:
        for key, _events in looks.select(0.02):
            link = key.fileobj
            assert isinstance(link, socket.socket), "only those are registered"
            if link is here:
                link, _address = here.accept()
                children[_fork(link, [here, *children.values()])] = link
                looks.register(link, selectors.EVENT_READ)
            elif not link.recv(1):  # who asked for it is gone: so is it
                looks.unregister(link)
                for pid, each in children.items():
                    if each is link:
                        _send(pid, signal.SIGKILL)
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _tell_end(children.pop(pid), looks, os.waitstatus_to_exitcode(status))


def _tell_end(link: socket.socket, looks: selectors.BaseSelector, code: int) -> None:
    with contextlib.suppress(OSError):
        link.sendall(f"{code}\n".encode())
    if link in looks.get_map():
        looks.unregister(link)
    link.close()


def _fork(link: socket.socket, others: list[socket.socket]) -> int:
    """Read what is wanted, and let a child of ours become it."""
    text, handles, _flags, _address = socket.recv_fds(link, 1 << 16, 2)
    while not text.endswith(b"\n"):
        text += link.recv(1 << 16)
    wanted = json.loads(text)
    child = os.fork()
    if child:
        for each in handles:
            os.close(each)
        link.sendall(f"{child}\n".encode())
        return child
    for held in (link, *others):
        held.close()
    _become(wanted, handles)
    raise AssertionError("it has ended")


def _become(wanted: dict[str, object], handles: list[int]) -> None:
    code = 1
    try:
        os.setsid()
        for number, handle in zip((1, 2), handles, strict=True):
            os.dup2(handle, number)
            os.close(handle)
        os.chdir(str(wanted["cwd"]))
        os.environ.clear()
        os.environ.update(wanted["environment"])  # type: ignore[call-overload]
        sys.argv = ["qv", *wanted["words"]]  # type: ignore[misc]
        from quantvista.cli import main as run

        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(Path(sys.argv[1]))
    else:
        main()
