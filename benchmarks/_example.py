"""Works that are measured inside the engine, without Python: an example of its crate does them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "quantvista-engine"]


def main(example: str, work: str) -> None:
    """Build the example, which is not timed, and pass on what it prints for a size."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(f"usage: {sys.argv[0]} SIZE")
    subprocess.run([*BUILD, "--example", example], cwd=ROOT, check=True)
    program = ROOT / "target" / "release" / "examples" / example
    subprocess.run([program, work, sys.argv[1]], cwd=ROOT, check=True)
