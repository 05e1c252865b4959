"""Works that are measured inside a crate, without Python: an example of the crate does them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ["cargo", "build", "--release", "--locked", "--quiet", "--package"]


def main(example: str, *words: str, package: str = "quantvista-engine") -> None:
    """Build the example, which is not timed, and pass on what it prints for a size."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(f"usage: {sys.argv[0]} SIZE")
    subprocess.run([*BUILD, package, "--example", example], cwd=ROOT, check=True)
    program = ROOT / "target" / "release" / "examples" / example
    subprocess.run([program, *words, sys.argv[1]], cwd=ROOT, check=True)
