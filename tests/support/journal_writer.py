"""A writer of a journal in a process of its own, which is killed or runs out of room.

Run as ``python -m support.journal_writer write FOLDER SEED``: appends batches without end and
prints, after each commit, the last record that is durable. As ``... fill FOLDER LIMIT``: no file
may be larger than so many bytes; it appends until it cannot, and prints why.
"""

import random
import resource
import sys
from pathlib import Path

from quantvista.errors import QuantVistaError
from quantvista.journal import Journal

STREAM = "fund/killed"
KIND = 7
SEGMENT_BYTES = 50_000


def payload(sequence: int) -> bytes:
    """What record a sequence has, in every life of the writer."""
    return random.Random(sequence).randbytes(sequence * 37 % 900)


def write(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    with Journal(folder, STREAM, segment_bytes=SEGMENT_BYTES) as journal:
        sequence = journal.head.sequence
        say(sequence)
        while True:
            for _ in range(rng.randint(1, 60)):
                sequence += 1
                journal.append(KIND, 1, sequence, payload(sequence))
            say(journal.commit().sequence)
            if rng.random() < 0.1:
                journal.snapshot(1, payload(sequence))


def fill(folder: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    journal = Journal(folder, STREAM, segment_bytes=SEGMENT_BYTES)
    sequence = journal.head.sequence
    size = 1
    try:
        while True:
            for _ in range(size):
                sequence += 1
                journal.append(KIND, 1, sequence, payload(sequence))
            say(journal.commit().sequence)
            size *= 2
    except QuantVistaError as error:
        say(f"{type(error).__name__}: {error}")
    try:
        journal.append(KIND, 1, 1, b"")
    except QuantVistaError as error:
        say(f"{type(error).__name__}: {error}")


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    work = {"write": write, "fill": fill}[sys.argv[1]]
    work(Path(sys.argv[2]), int(sys.argv[3]))
