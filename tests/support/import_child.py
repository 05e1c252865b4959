"""Import a generated CSV file in a process of its own, and say what memory it took.

Run as ``python -m support.import_child FOLDER BYTES``; prints JSON.
"""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

from quantvista.data.importing import ImportOptions, import_into
from quantvista.data.lake import Lake

NAMES = 20
ROWS = 500_000
SECOND = 10**9


def write_bars(path: Path, size: int) -> int:
    """Write seconds of bars of some instruments, by time, until the file is so large."""
    rng = np.random.default_rng(1)
    names = np.array([f"I{index:02d}.XNYS" for index in range(NAMES)])
    rows = 0
    with path.open("wb") as file:
        while file.tell() < size:
            at = rows // NAMES + np.arange(ROWS // NAMES)
            close = np.round(100 + rng.random(ROWS) * 10, 2)
            frame = pl.DataFrame(
                {
                    "ts": np.repeat((1_600_000_000 + at) * SECOND, NAMES),
                    "instrument": np.tile(names, ROWS // NAMES),
                    "open": close,
                    "high": close + 1,
                    "low": close - 1,
                    "close": close,
                    "volume": rng.integers(1, 10**6, ROWS),
                }
            )
            frame.write_csv(file, include_header=rows == 0)
            rows += ROWS
    return rows


def resident_most() -> int:
    """Kilobytes that the process held at most; ``getrusage`` counts its parent before it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main(folder: Path, size: int) -> None:
    """Write, import, and report the peak beside what the process had before it began."""
    path = folder / "bars.csv"
    rows = write_bars(path, size)
    before = resident_most()
    done = import_into(Lake(folder).dataset("d"), path, ImportOptions())
    peak = resident_most()
    found = {"rows": rows, "stored": done.rows["bars"], "rejected": done.rejected.height}
    print(json.dumps({**found, "size": path.stat().st_size, "before": before, "peak": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
