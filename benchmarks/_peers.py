"""The peers' own environment, and the machine that all of them run on."""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-bench"
LOCKS = {
    ROOT / "requirements" / "bench-peers.txt": (),
    ROOT / "requirements" / "bench-peers-bare.txt": ("--no-deps",),
}


def python() -> Path:
    """The peers' interpreter; its environment is made first if it is absent or out of date."""
    interpreter = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / ".lock"
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return interpreter
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    uv = Path(sys.executable).with_name("uv")
    for lock, options in LOCKS.items():
        where = ["--quiet", "--python", str(interpreter), "--require-hashes", "-r", str(lock)]
        subprocess.run([uv, "pip", "install", *options, *where], check=True)
    stamp.write_text(wanted)
    return interpreter


def prices() -> Path:
    """The sample's file of prices, which bt reads itself."""
    spec = importlib.util.find_spec("skfolio")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the sample needs skfolio, which is not installed")
    return Path(spec.origin).parent / "datasets" / "data" / "sp500_dataset.csv.gz"


def machine() -> dict[str, str | int | float]:
    """What the figures were measured on."""
    facts: dict[str, str | int | float] = {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count() or 0,
        "load_before": round(os.getloadavg()[0], 2),
    }
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            facts["cpu"] = line.partition(":")[2].strip()
            break
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            facts["memory_gb"] = round(int(line.split()[1]) / 1024**2, 1)
    return facts


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
