"""Write the report of a run directory."""

import errno
import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import jinja2
import polars as pl

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._stored import summary_problem
from quantvista.backtest._summary import SCHEMA_VERSION, RunMeta, build_summary
from quantvista.errors import ConfigError, OutputError, QuantVistaError
from quantvista.reporting._page import report_page

__all__ = ["report_html", "write_report"]

# What a summary and tables that contradict each other end in, somewhere on the way to the page.
_DAMAGE: Final = (
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    jinja2.UndefinedError,
    pl.exceptions.PolarsError,
)


def report_html(
    frames: RunFrames, summary: Mapping[str, Any], run_toml: str, missing: tuple[str, ...] = ()
) -> str:
    """Write the report of a run that is still in memory.

    Parameters
    ----------
    frames : RunFrames
        Its tables.
    summary : mapping
        Its summary.
    run_toml : str
        Content of its ``run.toml``.
    missing : tuple of str
        Names of the tables that could not be had.

    Returns
    -------
    str
        The page. The same input gives the same text.

    Raises
    ------
    OutputError
        If the package was built without its assets.
    """
    # As summary.json has it: what is listed on the page is listed in the order of its keys.
    stored = json.loads(json.dumps(summary, sort_keys=True))
    return report_page(frames, stored, missing, run_toml)


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
        If this is not the folder of a run, or a file in it is damaged.
    OutputError
        If the report cannot be written, or the package was built without its assets.
    """
    run_toml = _text(run_dir / "run.toml")
    frames, missing = RunFrames.read(run_dir)
    try:
        summary = _summary(run_dir, frames, run_toml)
        page = report_html(frames, summary, run_toml, missing)
    except QuantVistaError:
        raise
    except _DAMAGE as error:
        raise ConfigError(
            f"`run_dir` must hold what `qv run` wrote; found tables and a summary.json that do not "
            f"fit together ({type(error).__name__}: {error}); at {run_dir}"
        ) from error
    return _write(run_dir / "report.html", page)


def _write(path: Path, page: str) -> Path:
    part = path.with_name(".report.html.part")
    try:
        part.write_text(page, "utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"`out` must have room for the report; found the disk full; {path}. "
                "Free some space or name another folder with --out"
            ) from error
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"`out` must be a folder that can be written; found {reason}; {path}"
        ) from error
    return path


def _summary(run: Path, frames: RunFrames, run_toml: str) -> dict[str, Any]:
    path = run / "summary.json"
    if not path.is_file():
        if not frames.equity.height:
            raise ConfigError(
                f"`run_dir` must be the folder of a run; found no summary.json and no "
                f"equity.parquet; at {run}"
            )
        return _rebuilt(run, frames, "incomplete", run_toml)
    try:
        found = json.loads(path.read_text("utf-8"))
        version = found["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"`run_dir` must hold a readable summary.json; found {error}; at {path}"
        ) from error
    if "metrics" not in found:  # a run that was cut off before it could sum itself up
        return _rebuilt(run, frames, str(found.get("status", "incomplete")), run_toml)
    if version != SCHEMA_VERSION:
        raise ConfigError(
            f"`schema_version` must be {SCHEMA_VERSION}; found {version}; in {path}; "
            "run the fund again with this version"
        )
    if problem := summary_problem(found):
        raise ConfigError(
            f"`run_dir` must hold a summary as `qv run` wrote it; found {problem}; at {path}"
        )
    return dict(found)


def _rebuilt(run: Path, frames: RunFrames, status: str, run_toml: str) -> dict[str, Any]:
    """Summarise what a run that was cut off left behind."""
    fund = _fund(run_toml)
    currencies = frames.fills["currency"].unique().sort().to_list()
    level = frames.equity["equity"]
    meta = RunMeta(
        fund=str(fund.get("name", run.resolve().name)),
        currency=currencies[0] if currencies else str(fund.get("currency", "")),
        cash=Decimal(level[0]) if level.len() else Decimal(0),  # nothing is filled at the first bar
        time_zone=str(fund.get("time_zone", "UTC")),
        calendar=str(fund.get("calendar", "")),
        status=status if status == "failed" else "incomplete",
        error="it was cut off before it could sum itself up",
        benchmark="benchmark" if frames.equity["benchmark"].is_not_null().any() else None,
    )
    return build_summary(frames, meta)


def _fund(run_toml: str) -> dict[str, Any]:
    """Return section ``[fund]`` of a fund file, as far as it can be read."""
    try:
        found = tomllib.loads(run_toml).get("fund")
    except tomllib.TOMLDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"`run_dir` must hold a run.toml in UTF-8; found {error.reason}; {path}"
        ) from None
