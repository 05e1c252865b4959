"""The same records read from SQLite in order, opened anew; the size is their number."""

import sqlite3

from _common import Found, Stopwatch, main
from _journal import all_there, folder
from _sqlite import write


def work(records: int) -> Found:
    """Open and read all rows."""
    watch = Stopwatch()
    with folder() as place:
        write(place, records, Stopwatch()).close()
        count = size = 0
        with watch:
            base = sqlite3.connect(place / "journal.db")
            for row in base.execute("select * from records order by sequence"):
                count += 1
                size += len(row[4])
            base.close()
    agreed = f"{all_there(count, records)}, {size // count} bytes each"
    return watch.seconds, records, sqlite3.sqlite_version, agreed, agreed


if __name__ == "__main__":
    main(work)
