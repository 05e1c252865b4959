"""Write the report of a run directory."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._summary import SCHEMA_VERSION, RunMeta, build_summary
from quantvista.errors import ConfigError, OutputError
from quantvista.reporting._page import report_page

__all__ = ["write_report"]


def write_report(run_dir: Path) -> Path:
    """Write ``report.html`` into a run directory, from its other files alone.

    Parameters
    ----------
    run_dir : Path
        The folder that a run wrote. Tables may be missing: their sections are then empty and the
        page says so.

    Returns
    -------
    Path
        The report. The same files give the same bytes.

    Raises
    ------
    ConfigError
        If this is not the folder of a run, or its summary cannot be read.
    OutputError
        If the report cannot be written, or the package was built without its assets.
    """
    frames, missing = RunFrames.read(run_dir)
    summary = _summary(run_dir, frames)
    page = report_page(frames, summary, missing, _text(run_dir / "run.toml"))
    path = run_dir / "report.html"
    part = path.with_name(".report.html.part")
    try:
        part.write_text(page, "utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"`run_dir` must be writable; found {error.strerror}; at {path}"
        ) from error
    return path


def _summary(run: Path, frames: RunFrames) -> dict[str, Any]:
    path = run / "summary.json"
    if not path.is_file():
        if not frames.equity.height:
            raise ConfigError(
                f"`run_dir` must be the folder of a run; found no summary.json and no "
                f"equity.parquet; at {run}"
            )
        return _rebuilt(run, frames, "incomplete")
    try:
        found = json.loads(path.read_text("utf-8"))
        version = found["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"`run_dir` must hold a readable summary.json; found {error}; at {path}"
        ) from error
    if "metrics" not in found:  # a run that was cut off before it could sum itself up
        return _rebuilt(run, frames, str(found.get("status", "incomplete")))
    if version != SCHEMA_VERSION:
        raise ConfigError(
            f"`schema_version` must be {SCHEMA_VERSION}; found {version}; in {path}; "
            "run the fund again with this version"
        )
    return dict(found)


def _rebuilt(run: Path, frames: RunFrames, status: str) -> dict[str, Any]:
    """Summarise what a run that was cut off left behind."""
    currencies = frames.fills["currency"].unique().sort().to_list()
    level = frames.equity["equity"]
    meta = RunMeta(
        fund=run.resolve().name,
        currency=currencies[0] if currencies else "",
        cash=Decimal(level[0]) if level.len() else Decimal(0),
        status=status if status == "failed" else "incomplete",
        error="it was cut off before it could sum itself up",
        benchmark="benchmark" if frames.equity["benchmark"].is_not_null().any() else None,
    )
    return build_summary(frames, meta)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
