"""The permission to trade, as it lies in a file; and what else the guard reads there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quantvista.journal import Journal, Note
from quantvista.trading.control import ControlServer, Place, write_json
from quantvista.trading.guard import FileLease, FileLeaseWriter, NoLease, Standing
from quantvista.trading.guard._process import (
    FileHalts,
    NodeProcess,
    OtherFunds,
    opening_times,
)
from quantvista.trading.guard._watch import Firm

S = 10**9


def test_a_lease_is_valid_for_its_epoch_until_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lease.json"
    writer = FileLeaseWriter(path, "guard")
    writer.grant(3, 100 * S)
    lease = FileLease(path)
    assert lease.valid(3, 100 * S - 1)
    assert not lease.valid(3, 100 * S)
    assert not lease.valid(2, 99 * S)
    assert not lease.valid(4, 99 * S)
    assert json.loads(path.read_text()) == {"epoch": 3, "until_ns": 100 * S, "by": "guard"}


def test_a_lease_that_is_over_is_seen_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    path = tmp_path / "lease.json"
    writer = FileLeaseWriter(path, "guard")
    writer.grant(1, 100 * S)
    lease = FileLease(path)
    assert lease.valid(1, S)
    writer.end()
    assert lease.valid(1, S + S // 10 - 1)
    assert not lease.valid(1, S + S // 10)


def test_a_lease_that_is_to_be_looked_at_anew_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lease.json"
    writer = FileLeaseWriter(path, "guard")
    writer.grant(1, 100 * S)
    lease = FileLease(path)
    assert lease.valid(1, S)
    writer.end()
    lease.forget()
    assert not lease.valid(1, S)


def test_a_clock_that_is_set_back_reads_the_lease_again(tmp_path: Path) -> None:
    path = tmp_path / "lease.json"
    writer = FileLeaseWriter(path, "guard")
    writer.grant(1, 100 * S)
    lease = FileLease(path)
    assert lease.valid(1, 50 * S)
    writer.end()
    assert not lease.valid(1, 10 * S)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"epoch": 1}', '{"epoch": "x"}'])
def test_what_cannot_be_read_is_no_lease(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "lease.json"
    if text is not None:
        path.write_text(text)
    assert not FileLease(path).valid(1, 1)


def test_without_a_guard_everything_is_allowed() -> None:
    assert NoLease().valid(7, 10**30)


def test_orders_that_were_left_are_read_and_cleared(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.make()
    halts = FileHalts(place)
    assert halts.read() is None
    place.leave_order({"command": "flatten", "by": "anna", "reason": "why", "ts": 1})
    assert halts.read() == Standing("flatten", "anna", "why")
    halts.clear()
    assert halts.read() is None


def test_a_node_that_is_not_there_neither_answers_nor_runs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.make()
    node = NodeProcess(place)

    async def look() -> tuple[object, bool, bool, object]:
        return (
            await node.ask("status", ""),
            await node.is_running(),
            await node.kill(),
            await node.tail(),
        )

    assert asyncio.run(look()) == (None, False, True, None)


def test_the_journal_of_a_node_is_followed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    node = NodeProcess(place)
    with Journal(place.journal, "f") as journal:
        journal.write(Note(text="x"), 1)
        journal.commit()
        assert asyncio.run(node.tail()) == (1, 8)
        journal.write(Note(text="y"), 2)
        journal.commit()
        assert asyncio.run(node.tail()) == (2, 16)
        assert asyncio.run(node.tail()) == (2, 16)


def test_other_funds_count_while_they_do_not_run_and_are_unknown_if_they_should(
    tmp_path: Path,
) -> None:
    assert asyncio.run(OtherFunds([], "USDT").firm()) is None
    place = Place(tmp_path / "other" / "state")
    place.make()
    others = OtherFunds([place.folder], "USDT")
    firm = asyncio.run(others.firm())
    assert firm is not None
    assert (firm.gross, firm.day_pnl, firm.unknown) == (0, 0, ())
    write_json(place.run / "guard.json", {"pid": 1, "started_ns": 0, "boot": "", "epoch": 1})
    firm = asyncio.run(others.firm())
    assert firm is not None
    assert firm.unknown == ("other",)


def test_other_funds_are_added_up_and_of_one_currency(tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "ok": True,
        "currency": "USDT",
        "gross": "90071992547409.93",  # more than a float can tell apart in 1e-12
        "equity": "100000.10",
        "day_start": "100010.00",
    }
    place = Place(tmp_path / "other" / "state")
    place.make()

    async def answers(request: dict[str, Any]) -> dict[str, Any]:
        return said

    async def main() -> list[Firm | None]:
        async with ControlServer(place.socket("guard"), answers):
            place.announce("guard")
            others = OtherFunds([place.folder], "USDT")
            found = [await others.firm()]
            for key, value in (("currency", "EUR"), ("currency", "USDT"), ("gross", None)):
                said[key] = value
                found.append(await others.firm())
            return found

    known = Firm(90_071_992_547_409_930_000_000_000, -9_900_000_000_000, ())
    # What it had last still counts while it cannot be understood.
    unknown = replace(known, unknown=("other",))
    assert asyncio.run(main()) == [known, unknown, known, unknown]


def test_sessions_say_when_a_market_opened() -> None:
    assert opening_times("24/7")(123) == 0
    opened_at = opening_times("XNYS")
    monday = 1_704_722_400 * S  # 2024-01-08 14:00 UTC, half an hour before the open
    opening = monday + 1_800 * S
    assert opened_at(monday) is None
    assert opened_at(opening) == opening
    assert opened_at(opening + 3_600 * S) == opening
    assert opened_at(opening + 7 * 3_600 * S) is None
