"""An order to halt that was left in a file while the node's socket could not be reached."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from quantvista.trading.control import Place
from quantvista.trading.node import serving


class Posted:
    """Takes the place of a node: remembers what it was given."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def post(self, what: str, item: tuple[dict[str, Any], Any]) -> None:
        assert what == "command"
        self.items.append(item[0])


def test_a_node_that_runs_obeys_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a guard nobody else looked, and the guide said that the node does."""
    monkeypatch.setattr(serving, "_LOOK_S", 0.001)
    place = Place(tmp_path / "state")
    place.make()

    async def main() -> list[dict[str, Any]]:
        node = Posted()
        process = serving._Process(None, place, False, print)  # type: ignore[arg-type]
        process._node = node  # type: ignore[assignment]
        looking = asyncio.create_task(process._look())
        await asyncio.sleep(0.02)
        assert not node.items
        place.leave_order({"command": "halt", "by": "anna", "reason": "one"})
        await asyncio.sleep(0.05)
        place.leave_order({"command": "halt", "by": "anna", "reason": "two"})
        await asyncio.sleep(0.05)
        assert place.order() is not None, "it stays until somebody resumes"
        (place.run / "halt.json").write_text("{")
        await asyncio.sleep(0.05)
        looking.cancel()
        return node.items

    found = asyncio.run(main())
    assert [each["reason"] for each in found] == ["one", "two", "state/run/halt.json is damaged"]
    assert {each["command"] for each in found} == {"halt"}
