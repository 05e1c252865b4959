"""As many bytes written to a file and synced as often, and nothing else: the bound."""

import os
import platform

from _common import Found, Stopwatch, main
from _journal import all_there, batches, folder, frames


def work(records: int) -> Found:
    """Write and sync into reserved space; the bytes are made before, a batch at a time."""
    watch = Stopwatch()
    with folder() as place, (place / "file").open("wb", buffering=0) as file:
        number = file.fileno()
        os.posix_fallocate(number, 0, records * 148)
        count = 0
        for start, made in batches(records):
            content = frames(start, made)
            with watch:
                file.write(content)
                os.fdatasync(number)
            count += len(made)
    agreed = all_there(count, records)
    return watch.seconds, records, platform.release(), agreed, agreed


if __name__ == "__main__":
    main(work)
