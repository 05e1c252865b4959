"""Pages of the guide, run as a reader would run them.

- ``sh``: run by bash, one block after the other; ``cd`` lasts.
- ``text`` right after ``sh``: each line must be in what the block printed.
- ``toml``, ``python`` or ``csv`` with a file name behind the language: written to that file.
- ``python`` without one: a cell; all cells of a page share their names.
- ``toml`` without one must be TOML. ``console`` and other languages are not run.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks", "run_page"]


@dataclass(frozen=True)
class Block:
    language: str
    file: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in re.finditer(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield Block(found[1], found[2], found[3], text.count("\n", 0, found.start()) + 1)


def run_page(page: Path, folder: Path) -> int:
    """Run a page in an empty folder; returns the number of blocks that did something."""
    shell, printed, names, count = _Shell(folder), "", {"__name__": "cell"}, 0
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.language == "sh":
            printed = shell.run(block.text, where)
        elif block.language == "text" and printed:
            missing = [line for line in block.text.splitlines() if _squeeze(line) not in printed]
            assert not missing, f"{where}: not printed: {missing}; but this was:\n{printed}"
            printed = ""
        elif block.file:
            (shell.folder / block.file).write_text(block.text, "utf-8")
        elif block.language == "python":
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        elif block.language == "toml":
            tomllib.loads(block.text)
        else:
            continue
        count += 1
    return count


class _Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bin_folder = Path(sys.executable).parent
        self._env = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}",
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }

    def run(self, script: str, where: str) -> str:
        mark = "#doc-pages-cwd#"
        done = subprocess.run(
            ["bash", "-eu", "-c", f'{script}\necho "{mark}$PWD"'],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"
        printed, _, folder = done.stdout.rpartition(mark)
        self.folder = Path(folder.strip())
        return _squeeze(f"{printed}\n{done.stderr}")


def _squeeze(text: str) -> str:
    return " ".join(text.split())
