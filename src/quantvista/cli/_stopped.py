"""What a command that is stopped with Ctrl-C has written: whole files, or none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from quantvista.data.lake import Dataset
from quantvista.errors import RunInterruptedError

__all__ = ["told_if_stopped"]


@contextmanager
def told_if_stopped(paths: Sequence[Path], dataset: Dataset | None = None) -> Iterator[None]:
    """Say what was written, if the user stops the command.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files that it writes; each appears under its name when it is whole.
    dataset : Dataset or None
        To which it adds a commit.

    Raises
    ------
    RunInterruptedError
        Naming what is there.
    """
    before = [_file(path) for path in paths]
    head = None if dataset is None else dataset.head()
    try:
        yield
    except KeyboardInterrupt:
        there = [
            str(path)
            for path, old in zip(paths, before, strict=True)
            if _file(path) not in (old, None)
        ]
        if dataset is not None and dataset.head() != head:
            there.append(f"lake:{dataset.name}")
        what = f"{', '.join(there)} written, and whole" if there else "nothing was written"
        raise RunInterruptedError(f"stopped; {what}") from None


def _file(path: Path) -> tuple[int, int] | None:
    """Tell a file from one that has replaced it; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
