"""The recorded L2 book beside the checkout, as the programs that replay it take it."""

import os
import subprocess
import sys
from pathlib import Path

from _peers import ROOT

SOURCE = Path(os.environ.get("RECORDINGS", ROOT.parent / "shared" / "data")) / "l2_binance_ws"


def absent() -> str:
    """Say why there is no recording; empty if there is one."""
    if any(SOURCE.glob("*.jsonl.gz")):
        return ""
    return f"needs the recorded book in {SOURCE} (or in the folder that RECORDINGS names)"


def prepared() -> Path:
    """Read the recording into a file for `_l2.load`."""
    path = ROOT / "out" / "bench" / "l2.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("l2_recording.py")
    subprocess.run([sys.executable, script, SOURCE, path], check=True)
    return path
