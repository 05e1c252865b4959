import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from quantvista.errors import ControlError
from quantvista.trading.control import (
    ControlServer,
    NoAnswerError,
    NotRunningError,
    Place,
    _server,
    ask,
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path / "state")
    found.make()
    return found


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request["command"] == "sleep":
        await asyncio.sleep(60)
    if request["command"] == "refuse":
        raise ControlError("not while it is dark; light a lamp")
    if request["command"] == "break":
        raise ZeroDivisionError("by nought")
    if request["command"] == "much":
        return {"ok": True, "much": "x" * 8_000_000}
    return {"ok": True, "got": request}


@contextlib.asynccontextmanager
async def served(place: Place, **terms: float) -> AsyncIterator[Path]:
    path = place.socket("node")
    async with ControlServer(path, echo, **terms):
        yield path


async def asked(path: Path, command: str, timeout_s: float = 5.0) -> dict[str, Any]:
    return await asyncio.to_thread(ask, path, {"command": command}, timeout_s)


def test_a_request_is_answered(place: Place) -> None:
    async def talk() -> None:
        async with served(place) as path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert await asked(path, "status") == {"ok": True, "got": {"command": "status"}}
            found = await asked(path, "refuse")
            assert found == {"ok": False, "error": "not while it is dark; light a lamp"}
            found = await asked(path, "break")
            assert found["error"] == "internal error: ZeroDivisionError: by nought"
            assert len((await asked(path, "much"))["much"]) == 8_000_000
        assert not path.exists()

    asyncio.run(talk())


def test_a_long_path_is_no_hindrance(tmp_path: Path) -> None:
    place = Place(tmp_path / ("x" * 120) / "state")
    place.make()

    async def talk() -> None:
        async with served(place) as path:
            assert (await asked(path, "status"))["ok"]
            with pytest.raises(ControlError, match="another process listens on"):
                await ControlServer(path, echo).start()
        with pytest.raises(NotRunningError, match="does not run"):
            await asked(path, "status")

    asyncio.run(talk())


def test_who_is_not_there_is_named(place: Place, tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match=r"no such state folder; start one with qv up"):
        ask(Place(tmp_path / "none").socket("node"), {"command": "status"})
    with pytest.raises(NotRunningError, match=r"the node of .* does not run; .* qv up"):
        ask(place.socket("node"), {"command": "status"})
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket("guard")))
    with pytest.raises(NotRunningError, match=r"the guard of .* does not run"):
        ask(place.socket("guard"), {"command": "status"})

    async def over_the_dead() -> None:
        async with ControlServer(place.socket("guard"), echo):
            assert (await asked(place.socket("guard"), "status"))["ok"]

    asyncio.run(over_the_dead())


@pytest.mark.parametrize("reply", [None, b"", b"{}", b"[]\n", b"nonsense\n", b"\xff\n"])
def test_a_bad_answer_is_named(place: Place, reply: bytes | None) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if reply is None:
            await reader.read()  # until who asks gives up
        else:
            writer.write(reply)
        writer.close()

    async def talk() -> None:
        path = place.socket("node")
        async with await asyncio.start_unix_server(answer, path):
            if reply == b"{}":  # whole without its end, too
                assert await asked(path, "status") == {}
                return
            with pytest.raises(NoAnswerError, match=r"the node of .* did not answer"):
                await asked(path, "status", 0.1)

    asyncio.run(talk())


def test_a_busy_handler_keeps_nobody_else_waiting(place: Place) -> None:
    async def talk() -> None:
        async with served(place) as path:
            slow = asyncio.create_task(asked(path, "sleep", 0.5))
            await asyncio.sleep(0.05)
            assert (await asked(path, "status", 0.4))["ok"]
            with pytest.raises(NoAnswerError, match=r"did not answer within 0.5 s; see qv logs"):
                await slow

    asyncio.run(talk())


async def lines(path: Path, *sent: bytes) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"".join(sent))
    writer.write_eof()
    whole = await reader.read()
    writer.close()
    return [json.loads(each) for each in whole.splitlines()]


def test_nothing_that_is_sent_ends_the_server(place: Place) -> None:
    async def talk() -> None:
        async with served(place) as path:
            good = b'{"command": "status"}\n'
            found = await lines(path, b"nonsense\n", b"[]\n", b'{"command": 3}\n', b"\xff\n", good)
            assert [each["ok"] for each in found] == [False] * 4 + [True]
            assert "must be a line of JSON" in found[0]["error"]
            assert 'with "command"' in found[1]["error"]
            assert await lines(path, b'{"command": "sta') == []  # and gone
            [found_one] = await lines(path, b'{"command": "' + b"x" * 200_000 + b'"}\n')
            assert found_one["error"] == "a request must be shorter than 65536 bytes"
            assert not (await lines(path, b"[" * 60_000 + b"\n"))[0]["ok"]
            assert (await asked(path, "status"))["ok"]

    asyncio.run(talk())


def test_silent_and_slow_clients_are_cut_off(place: Place) -> None:
    async def talk() -> None:
        async with served(place, idle_s=0.1, write_s=0.1) as path:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b'{"comm')
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            with socket.socket(socket.AF_UNIX) as slow:
                slow.connect(str(path))
                slow.sendall(b'{"command": "much"}\n')
                await asyncio.sleep(0.4)  # it reads nothing
                got = await asyncio.to_thread(count_until_cut, slow)
            assert got < 8_000_000
            assert (await asked(path, "status"))["ok"]

    asyncio.run(talk())


def count_until_cut(link: socket.socket) -> int:
    link.settimeout(5)
    got = 0
    with contextlib.suppress(ConnectionError):
        while part := link.recv(1 << 16):
            got += len(part)
    return got


def test_many_silent_clients_make_room(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_server, "_CLIENTS_MAX", 3)

    async def talk() -> None:
        async with served(place) as path:
            others = [await asyncio.open_unix_connection(path) for _ in range(3)]
            await asyncio.sleep(0.05)
            assert (await asked(path, "status"))["ok"]
            assert await asyncio.wait_for(others[0][0].read(), 5) == b""  # the longest silent
            writer = others[2][1]
            writer.write(b'{"command": "status"}\n')
            assert json.loads(await others[2][0].readline())["ok"]
            for each in others:
                each[1].close()

    asyncio.run(talk())


def test_stopping_ends_what_is_under_way(place: Place) -> None:
    async def talk() -> None:
        server = ControlServer(place.socket("node"), echo)
        await server.start()
        slow = asyncio.create_task(asked(place.socket("node"), "sleep"))
        await asyncio.sleep(0.1)
        await server.stop()
        await server.stop()
        with pytest.raises(NoAnswerError):
            await slow

    asyncio.run(talk())


def test_asking_loads_next_to_nothing() -> None:
    code = "import sys; import quantvista.trading.control; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    heavy = {"asyncio", "typer", "rich", "pydantic", "polars", "numpy", "dataclasses", "tempfile"}
    assert not heavy & set(done.stdout.split())
