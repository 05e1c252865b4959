"""The demo fund as a user runs it: the command line, in a process of its own.

The harness times the whole process. The size is ignored.
"""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

from _common import Stopwatch, main

from quantvista import __version__
from quantvista.cli import main as qv


def work(_size: int) -> tuple[float, int, str, str]:
    with tempfile.TemporaryDirectory() as folder, Stopwatch() as watch:
        sys.argv = ["qv", "run", "--demo", "--out", folder]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            qv()
        summary = json.loads((Path(folder) / "summary.json").read_text())
    cells = summary["period"]["sessions"] * 20
    return watch.seconds, cells, __version__, str(summary["fingerprint"]["state_hash"])


if __name__ == "__main__":
    main(work)
