"""Reading the journal of a run."""

from collections.abc import Callable, Iterator
from pathlib import Path

from quantvista.errors import JournalError
from quantvista.fund.records import RUN_KINDS, NodeOpened, RunStarted
from quantvista.journal import Reader, Record, require_journal

__all__ = ["Progress", "each_record", "run_started"]

type Progress = Callable[[int, int, str], None]
"""Called with records done, 0 and what is being done."""

_TELL = 20_000


def each_record(path: Path, progress: Progress | None, text: str) -> Iterator[Record]:
    """Read all records in order, each frame and the chain checked.

    Raises
    ------
    ConfigError
        If there is no journal.
    JournalError
        If it is damaged; says where.
    """
    require_journal(path)
    count = 0
    reader = Reader(path)
    for batch in reader:
        for record in batch:
            if progress is not None and count % _TELL == 0:
                progress(count, 0, text)
            count += 1
            yield record
    reader.check_end()


def run_started(first: Record | None, path: Path) -> RunStarted | NodeOpened:
    """Say what a run, or a fund that trades, started with, from the first record.

    Raises
    ------
    JournalError
        If it is the journal of something else.
    """
    body = None if first is None else RUN_KINDS.body(first)
    if isinstance(body, RunStarted | NodeOpened):
        return body
    raise JournalError(
        f"`folder` must hold the journal of a run or a node; found another: {path}. "
        "`qv run --journal FOLDER` and `qv up` write one"
    )
