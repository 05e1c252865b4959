"""A fund with a whole day behind it out of its backup; the size is the records of its journal."""

import asyncio
import json
import secrets
import time
from pathlib import Path
from time import perf_counter

from _common import Found, main
from _journal import folder
from _node import Wire, opened, until_trading
from ours_node_day import EVERY
from ours_node_recovery import NTH, fill

import quantvista
from quantvista.fund import write_template
from quantvista.journal import verify
from quantvista.operations.backup import make_backup, restore_backup
from quantvista.trading.control import Place


async def _trade(journal: Path) -> None:
    """Start the restored fund, and stop once it trades."""
    node = opened(journal, NTH, Wire(), snapshot_records=EVERY)
    running = asyncio.create_task(node.run())
    await until_trading(node)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    node.journal.close()


def _fund(at: Path, records: int) -> Place:
    """Write a fund file, and the day that the fund had."""
    write_template("paper", at)
    place = Place(at / "state")
    place.folder.mkdir()
    asyncio.run(fill(place.journal, records, snapshot_records=EVERY))
    return place


def work(records: int) -> Found:
    """Make the day and its backup, then restore with the whole proof until the fund trades."""
    key = secrets.token_bytes(32)
    with folder() as at:
        lost, backup, again = at / "lost", at / "day.qvb", at / "again"
        place = _fund(lost, records)
        made = verify(place.journal).records
        start = perf_counter()
        make_backup(lost / "fund.toml", place, backup, key, now_ns=time.time_ns())
        saved = perf_counter() - start
        start = perf_counter()
        restored = restore_backup(backup, again, key, now_ns=time.time_ns())
        back = perf_counter() - start
        asyncio.run(_trade(Place(again / "state").journal))
        trading = perf_counter() - start
        facts = restored.manifest.journals["node"]
        if facts["sequence"] != made:
            raise SystemExit(json.dumps({"made": made, "restored": facts}))
        agreed = f"{made} records, {backup.stat().st_size / 1e9:.2f} GB, level {restored.level}"
    times = {"the backup": saved * 1e9, "restored": back * 1e9}
    return trading, made, quantvista.__version__, "", agreed, {}, 0, times


if __name__ == "__main__":
    main(work)
