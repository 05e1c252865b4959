"""Let a fund trade a recorded day in half an hour, and see whether anything of it grows.

``make soak`` runs it: node, guard and paper venue as `qv up` starts them, on a made-up recording
of 24 hours of quotes that the venue plays 48 times as fast. Every five seconds it notes how much
memory each process has; at the end it reads from the journal how long each order took to be
accepted. It fails if a process has more than 1.05 times the memory that it had by minute five, or
if orders take longer at the end than they did.
"""

import argparse
import csv
import json
import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live_fund import PROCESSES, LiveFund

from quantvista.engine import RawEngine
from quantvista.journal import INPUT, OUTPUT, Reader, verify
from quantvista.trading.control import Place

_SPEED = 48
_DAY_S = 86_400
_START_NS = 1_704_067_200 * 10**9
_EVERY_S = 5.0
_BASE_MINUTE = 5
_GROWTH_MAX = 1.05
# Of the median and of the 99th percentile: two windows of one run on a busy machine differ by less.
_SLOWER_MAX = 1.25, 1.5

type Sample = dict[str, float]


def main() -> int:
    """Run it, report, and say by the exit code whether something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/soak"))
    parser.add_argument("--minutes", type=float, default=30.0, help="of wall time; 8 at least")
    options = parser.parse_args()
    folder: Path = options.out
    fund = _fund(folder)
    place = fund.place
    with fund.up() as up:
        fund.until_trading()
        samples = _watch(place, options.minutes * 60, up)
        fund.qv("halt", "--reason", "end of the soak")
    records = verify(place.journal).records
    rows = _minutes(samples, _latencies(place.journal))
    problems = _problems(rows)
    text = _report(rows, problems, records, options.minutes)
    (folder / "soak.md").write_text(text)
    found = {"minutes": rows, "problems": problems, "records": records}
    (folder / "soak.json").write_text(json.dumps(found, indent=1))
    print(text)
    return bool(problems)


# -- the fund ---------------------------------------------------------------------------------
def _fund(folder: Path) -> LiveFund:
    """Make the fund, and the recording that its venue plays."""
    # Whether a busy machine answers in fifteen seconds is not what is tested.
    fund = LiveFund(folder, "heartbeat = { after_s = 120 }\nvenue = { after_s = 120 }")
    _record(folder / "day.csv")
    generated = ("price =", "move_rate =", "limit_rate =", "market_rate =", "size =")
    lines = fund.venue_file.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(generated)]
    kept += ["", "[venue.market]", f"speed = {_SPEED}", "repeat = true"]
    kept += ["[[venue.market.file]]", 'source = "day.csv"', ""]
    fund.venue_file.write_text("\n".join(kept))
    return fund


def _record(path: Path) -> None:
    """Write a day of quotes of two coins: random walks that come back to where they began."""
    dice = random.Random(1)
    coins = {"BTC-USDT.PAPER": (50_000.0, 1.0), "ETH-USDT.PAPER": (2_500.0, 0.1)}
    now = {name: price for name, (price, _) in coins.items()}
    at = _START_NS
    with path.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("ts", "instrument", "bid", "bid_size", "ask", "ask_size"))
        while at < _START_NS + _DAY_S * 10**9:
            at += 1 + int(dice.expovariate(4 / 3) * 10**9)
            name = dice.choice(sorted(coins))
            price, tick = coins[name]
            pull = 0.002 * (price - now[name])
            now[name] += pull + dice.gauss(0.0, 3 * tick)
            bid = math.floor(now[name] / tick)
            ask = bid + dice.choice((1, 1, 2, 4))
            sizes = [f"{dice.uniform(0.5, 5.0):.4f}" for _ in range(2)]
            rows.writerow((at, name, f"{bid * tick:.1f}", sizes[0], f"{ask * tick:.1f}", sizes[1]))


# -- watching ---------------------------------------------------------------------------------
def _watch(place: Place, seconds: float, up: subprocess.Popen[bytes]) -> list[Sample]:
    began, samples = time.monotonic(), list[Sample]()
    while (at := time.monotonic() - began) < seconds:
        if up.poll() is not None:
            raise SystemExit("the fund ended by itself; see its logs")
        sample: Sample = {"at_s": at, "ts": float(time.time_ns())}
        for name in PROCESSES:
            process = place.process(name)
            if process is not None and process.alive:
                sample[name] = _memory_mb(process.pid)
                sample[f"{name} pid"] = process.pid
        samples.append(sample)
        time.sleep(_EVERY_S)
    return samples


def _memory_mb(pid: int) -> float:
    """Read what of a process is in memory and nobody else's."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return math.nan
    wanted = ("Private_Clean:", "Private_Dirty:")
    return sum(float(line.split()[1]) for line in lines if line.startswith(wanted)) / 1024


def _latencies(journal: Path) -> list[tuple[int, float]]:
    """When each order was made, and milliseconds until the venue was heard to have it."""
    made: dict[int, int] = {}
    found = []
    for batch in Reader(journal):
        for record in batch:
            if record.kind == OUTPUT.number and b"order_submitted" in record.payload[:40]:
                order = RawEngine.decode_output(record.payload)["order_submitted"]
                made[order["id"]] = record.ts
            elif record.kind == INPUT.number and b"accepted" in record.payload[:120]:
                event = RawEngine.decode_input(record.payload)["event"]
                number = event.get("report", {}).get("accepted", {}).get("order")
                if number in made:
                    since = made.pop(number)
                    found.append((since, (record.ts - since) / 1e6))
    return found


# -- what it comes to -------------------------------------------------------------------------
def _minutes(
    samples: Sequence[Sample], latencies: Sequence[tuple[int, float]]
) -> list[dict[str, Any]]:
    """Add up by the minute of the run."""
    began = samples[0]["ts"]
    rows = []
    for minute in range(int(samples[-1]["at_s"] // 60) + 1):
        here = [each for each in samples if each["at_s"] // 60 == minute]
        took = [ms for ts, ms in latencies if (ts - began) // (60 * 10**9) == minute]
        row: dict[str, Any] = {"minute": minute, "orders": len(took)}
        for name in PROCESSES:
            values = [each[name] for each in here if name in each and not math.isnan(each[name])]
            row[name] = round(statistics.median(values), 2) if values else None
        row["p50_ms"] = round(statistics.median(took), 2) if took else None
        row["p99_ms"] = round(_percentile(took, 0.99), 2) if took else None
        row["took"] = took
        rows.append(row)
    return rows


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _problems(rows: list[dict[str, Any]]) -> list[str]:
    """Say what grew; takes the single latencies out of the rows."""
    found = []
    begin, last = rows[1 : _BASE_MINUTE + 1] or rows[:1], rows[-1]
    for name in PROCESSES:
        # The most of a minute: what was given back in one of them is no base for what came again.
        had = [row[name] for row in begin]
        growth = last[name] / max(had) if last[name] and all(had) else math.nan
        if not growth <= _GROWTH_MAX:
            by = begin[-1]["minute"]
            found.append(f"{name} has {growth:.3f} times the memory that it had by minute {by}")
    third = max(1, (len(rows) - 1) // 3)
    early = [ms for row in rows[1 : 1 + third] for ms in row["took"]]
    late = [ms for row in rows[-third:] for ms in row["took"]]
    for row in rows:
        del row["took"]
    if min(len(early), len(late)) < 100:
        return [*found, f"too few orders to tell: {len(early)} early, {len(late)} late"]
    for name, share, most in (("median", 0.5, _SLOWER_MAX[0]), ("p99", 0.99, _SLOWER_MAX[1])):
        was, became = _percentile(early, share), _percentile(late, share)
        if became > most * was:
            found.append(f"the {name} to acceptance went from {was:.1f} to {became:.1f} ms")
    return found


def _report(rows: list[dict[str, Any]], problems: list[str], records: int, minutes: float) -> str:
    hours = minutes * _SPEED / 60
    orders = sum(row["orders"] for row in rows)
    lines = [
        f"# Soak: {minutes:g} minutes, {hours:.1f} hours of market time",
        "",
        f"{orders:,} orders, {records:,} records. Memory is what each process has for itself, in",
        "MB, the median of a minute; ms are from the record of an order to its acceptance.",
        "",
        f"| minute | {' | '.join(PROCESSES)} | orders | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row[name] for name in ("minute", *PROCESSES, "orders", "p50_ms", "p99_ms")]
        lines.append("| " + " | ".join("-" if each is None else str(each) for each in cells) + " |")
    lines += ["", *(problems or ["Nothing grew."]), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
