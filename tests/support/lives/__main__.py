"""Run simulated lives of a fund: `make simulate SEEDS=n`, or one alone, `make simulate SEED=n`."""

import argparse
import os
import sys
import time

from support.lives.life import live
from support.lives.report import Report, run_many, unvisited


def main() -> int:
    """Run, count, and fail if anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="run one seed, and show its error in full")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--all-states", action="store_true", help="fail if a fault met a state of the node never"
    )
    asked = parser.parse_args()
    if asked.seed is not None:
        return _alone(asked.seed)
    report, since = Report(), time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    for found in run_many(seeds, asked.processes):
        if isinstance(found, tuple):
            report.failures.append(found)
            seed, text = found
            print(f"seed {seed} FAILED: {text}\n  alone: make simulate SEED={seed}", flush=True)
        else:
            report.outcomes.append(found)
        done = len(report.outcomes) + len(report.failures)
        if not done % 50:
            print(f"{done} seeds after {time.monotonic() - since:.0f} s", flush=True)
    print(report.table())
    missing = unvisited(report)
    if missing:
        print(f"{len(missing)} pairs of a fault and a state were not visited: {missing[:12]}")
    print(report.summary())
    return bool(report.failures) or (asked.all_states and bool(missing))


def _alone(seed: int) -> int:
    outcome = live(seed)
    for (kind, state), count in sorted(outcome.faults.items()):
        print(f"{count:4} {kind} while {state}")
    print(f"seed {seed}: {outcome.orders} orders, {outcome.faults.total()} faults, 0 violations")
    print(f"journal {outcome.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
