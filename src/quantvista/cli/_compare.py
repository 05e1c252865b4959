"""``qv compare``."""

from pathlib import Path

from quantvista.cli._metrics import metric_rows
from quantvista.cli._print import NONE, print_json, say, table
from quantvista.cli._runs import read_summary
from quantvista.errors import ConfigError

__all__ = ["compare_runs"]


def compare_runs(folders: list[Path], *, as_json: bool) -> None:
    """Print the metrics of runs side by side.

    Parameters
    ----------
    folders : list of pathlib.Path
        Run folders.
    as_json : bool
        Print JSON instead of a table.

    Raises
    ------
    ConfigError
        If one holds no run.
    """
    summaries = [read_summary(folder) for folder in folders]
    for folder, summary in zip(folders, summaries, strict=True):
        if not summary["metrics"]:
            raise ConfigError(f"`run_dir` must hold results; found no metrics in {folder}")
    if as_json:
        keys = ("fund", "period", "status", "metrics", "costs")
        runs = [
            {"run_dir": str(folder), **{key: summary.get(key) for key in keys}}
            for folder, summary in zip(folders, summaries, strict=True)
        ]
        print_json({"runs": runs})
        return
    names = _names(folders)
    # Beyond three runs the table does not fit into 80 columns, so groups go below each other.
    for start in range(0, len(folders), 3):
        group = slice(start, start + 3)
        if start:
            say("")
        metrics = [summary.get("metrics") for summary in summaries[group]]
        dates = [
            [label, *(summary["period"][key] or NONE for summary in summaries[group])]
            for label, key in (("From", "start"), ("To", "end"))
        ]
        table(["", *names[group]], [*dates, *metric_rows(metrics)])
    periods = {(s["period"]["start"], s["period"]["end"]) for s in summaries}
    if len(periods) > 1:
        say("\nThe periods differ, so these figures are not of the same market.")
    for name, summary in zip(names, summaries, strict=True):
        if summary.get("status") != "complete":
            say(f"{name} is {summary.get('status')}.")


def _names(folders: list[Path]) -> list[str]:
    """Name runs by as many parts of their paths as it takes to tell them apart."""
    parts = [folder.absolute().parts for folder in folders]
    names = [part[-1] for part in parts]
    for depth in range(2, max(map(len, parts)) + 1):
        if len(set(names)) == len(names):
            break
        names = [str(Path(*part[-depth:])) for part in parts]
    return names
