"""The command line, run as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, with changes, and wide plain output."""
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **changes}


def qv(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``qv`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "quantvista", *map(str, arguments)],
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
