"""The demo fund from end to end: load, two sleeves and the comparison, all outputs, the report.

Timed: all of it but imports. The size is the number of runs; the time is the mean of them.
"""

import tempfile
from pathlib import Path

from _common import Stopwatch, main

from quantvista import __version__, backtest, reporting
from quantvista.fund import load_fund, template_path


def work(runs: int) -> tuple[float, int, str, str]:
    with tempfile.TemporaryDirectory() as folder, Stopwatch() as watch:
        for _ in range(runs):
            outcome = backtest.run(load_fund(template_path("demo")), out=folder)
            reporting.write_report(Path(folder))
    cells = outcome.equity.height * 20
    check = outcome.summary["fingerprint"]["state_hash"]
    return watch.seconds / runs, cells, __version__, str(check)


if __name__ == "__main__":
    main(work)
