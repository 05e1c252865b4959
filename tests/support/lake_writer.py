"""A writer to a lake that is killed: at every step that it takes, and at random times.

Run as ``python -m support.lake_writer steps FOLDER EVERY`` or ``... random FOLDER SEED COUNT``.
Each run is a fork of this process, which does no work on tables, so that no thread is lost.
The lake is encrypted if a key ring is named.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import polars as pl

from quantvista.data.lake import Dataset, compact
from quantvista.data.lake import _files as files
from quantvista.data.lake._dataset import ENCRYPTED
from quantvista.keyring import KEY_RING_VARIABLE

ACKNOWLEDGED = "acknowledged"
DATASET = "prices"

type Operation = Callable[[Dataset], str | None]


def rows(first: int, count: int, known_at: int, close: float) -> pl.DataFrame:
    """Bars of three instruments, which lie in several buckets."""
    return pl.DataFrame(
        [
            {"instrument": name, "ts_event": ts, "known_at": known_at + ts, "close": close + ts}
            for name in ("A.X", "B.X", "C.X")
            for ts in range(first, first + count)
        ]
    )


def _append(first: int) -> Operation:
    def run(dataset: Dataset) -> str:
        with dataset.write() as writer:
            writer.append("bars", rows(first, 3, 0, 10.0))
            writer.append("trades", rows(first, 2, 0, 1.0))
            return writer.commit()

    return run


def _upsert(first: int, known_at: int) -> Operation:
    def run(dataset: Dataset) -> str:
        with dataset.write() as writer:
            writer.upsert("bars", rows(first, 2, known_at, 20.0))
            return writer.commit()

    return run


def _vacuum(dataset: Dataset) -> None:
    dataset.vacuum(keep=2)


OPERATIONS: tuple[Operation, ...] = (
    _append(0),
    _append(3),
    _upsert(2, 100),
    compact,
    _vacuum,
    _append(6),
)


def run(folder: Path, operations: tuple[Operation, ...] = OPERATIONS) -> None:
    """Do everything, and note each commit once it is done."""
    dataset = Dataset(folder / DATASET)
    for operation in operations:
        commit = operation(dataset)
        if commit is not None:
            with (folder / ACKNOWLEDGED).open("a") as file:
                file.write(commit + "\n")


def make_lake(folder: Path) -> None:
    """Make the folder of a lake."""
    folder.mkdir(parents=True)
    if KEY_RING_VARIABLE in os.environ:
        (folder / ENCRYPTED).touch()


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def _killed(child: int) -> bool:
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert status == 0, f"the writer failed: {status}"
    return False


def _until(step: int, folder: Path) -> None:
    seen = 0

    def kill(name: str, path: Path) -> None:
        nonlocal seen
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    files.observers.append(kill)
    make_lake(folder)
    run(folder)


def kill_at_steps(base: Path, every: int) -> None:
    """Leave a folder for each step at which a writer was killed, and one of a whole run."""
    for step in count(step=every):
        if not _killed(_fork(partial(_until, step, base / f"{step:04d}"))):
            return


def kill_at_random(base: Path, seed: int, times: int) -> None:
    """Leave folders of writers that were killed after a random time."""
    chance = random.Random(seed)
    for number in range(times):
        folder = base / f"{number:04d}"
        make_lake(folder)
        many = tuple(_append(10 * index) for index in range(10_000))
        child = _fork(partial(run, folder, many))
        time.sleep(0.3 + chance.random() * 0.5)
        os.kill(child, signal.SIGKILL)
        assert _killed(child)


if __name__ == "__main__":
    if sys.argv[1] == "steps":
        kill_at_steps(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        kill_at_random(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
