"""The same records in SQLite, WAL with synchronous = FULL; the size is their number."""

import sqlite3

from _common import Found, Stopwatch, main
from _journal import all_there, folder
from _sqlite import write


def work(records: int) -> Found:
    """Insert and commit."""
    watch = Stopwatch()
    with folder() as place:
        base = write(place, records, watch)
        [(count,)] = base.execute("select count(*) from records").fetchall()
        base.close()
    agreed = all_there(count, records)
    return watch.seconds, records, sqlite3.sqlite_version, agreed, agreed


if __name__ == "__main__":
    main(work)
