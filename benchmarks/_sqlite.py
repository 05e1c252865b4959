"""The same records in SQLite: a table by sequence, WAL, a durable transaction for each batch."""

import sqlite3
from pathlib import Path

from _common import Stopwatch
from _journal import KIND, VERSION, batches

TABLE = "create table records (sequence integer primary key, ts, kind, version, payload blob)"
INSERT = "insert into records values (?, ?, ?, ?, ?)"


def write(place: Path, records: int, watch: Stopwatch) -> sqlite3.Connection:
    """Insert all; the rows are made before, a batch at a time."""
    base = sqlite3.connect(place / "journal.db", isolation_level=None)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = full")
    base.execute(TABLE)
    for start, made in batches(records):
        rows = [(ts + 1, ts, KIND, VERSION, payload) for ts, payload in enumerate(made, start)]
        with watch:
            base.execute("begin")
            base.executemany(INSERT, rows)
            base.execute("commit")
    return base
