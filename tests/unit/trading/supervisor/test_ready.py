"""Whether a process counts as ready."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from quantvista.trading.control import ControlServer, Place
from quantvista.trading.supervisor._program import Program
from quantvista.trading.supervisor._ready import is_ready


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ok": True, "health": "trading"}, True),
        ({"ok": True, "health": "starting", "ready": True}, True),
        ({"ok": True, "health": "starting", "ready": False}, False),
        ({"ok": False, "error": "no"}, False),
    ],
)
def test_one_that_still_reads_its_journal_is_not(
    tmp_path: Path, answer: dict[str, Any], *, expected: bool
) -> None:
    """It was announced as ready, and refused the fund a moment later."""
    place = Place(tmp_path / "state")
    place.make()

    async def answers(request: dict[str, Any]) -> dict[str, Any]:
        return answer

    async def main() -> bool:
        async with ControlServer(place.socket("node"), answers):
            place.announce("node")
            program = Program("node", (sys.executable,), tmp_path)
            return await is_ready(program, place, os.getpid())

    assert asyncio.run(main()) is expected
