"""Finished runs on disk."""

import json
from pathlib import Path
from typing import Any

from quantvista.backtest._stored import summary_problem
from quantvista.errors import ConfigError

__all__ = ["metric", "read_summary"]

_SCHEMA_VERSION = 1


def read_summary(folder: Path) -> dict[str, Any]:
    """Read the summary of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder.

    Returns
    -------
    dict
        As in ``summary.json``.

    Raises
    ------
    ConfigError
        If there is no run in it, one without results, or one of another version.
    """
    path = folder / "summary.json"
    if not folder.is_dir():
        raise ConfigError(f"`run_dir` must be a folder that `qv run` wrote; found no {folder}")
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"`run_dir` must hold a run; found no summary.json in {folder}") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`run_dir` must be readable; found {reason}: {path}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"`run_dir` must hold a run; found damaged JSON in {path}") from None
    version = summary.get("schema_version") if isinstance(summary, dict) else None
    if version == _SCHEMA_VERSION and "metrics" not in summary:
        raise ConfigError(f"`run_dir` must hold results; found a run that was stopped: {folder}")
    if version != _SCHEMA_VERSION:
        rule = f"must be of schema_version {_SCHEMA_VERSION}"
        raise ConfigError(f"`run_dir` {rule}; found {version!r} in {path}")
    if problem := summary_problem(summary):
        raise ConfigError(
            f"`run_dir` must hold a summary as `qv run` wrote it; found {problem} in {path}"
        )
    return dict(summary)


def metric(metrics: dict[str, Any] | None, name: str) -> float | None:
    """Value of a metric, None where it is undefined or absent."""
    found = (metrics or {}).get(name) or {}
    value = found.get("value")
    return None if value is None else float(value)
