"""The records of all works on journals: 120 bytes each, 10,000 to a durable batch."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BATCH = 10_000
KIND = VERSION = 1
_REST = b"\x5a" * 112
_HEAD = 28  # bytes of a frame beside its payload


@contextmanager
def folder() -> Iterator[Path]:
    """Give a new folder where temporary files are, which is to be on a disk; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-journal-") as path:
        yield Path(path)


def payloads(start: int, count: int) -> list[bytes]:
    """Payloads of records, the number of each in its first eight bytes."""
    return [number.to_bytes(8, "little") + _REST for number in range(start, start + count)]


def batches(records: int) -> Iterator[tuple[int, list[bytes]]]:
    """Number of the first record, and the payloads, of each batch."""
    for start in range(0, records, BATCH):
        yield start, payloads(start, min(BATCH, records - start))


def frames(start: int, made: list[bytes]) -> bytes:
    """As many bytes as the journal writes for a batch, without sums and hashes."""
    parts = []
    for number, payload in enumerate(made, start):
        parts += [number.to_bytes(_HEAD, "little"), payload]
    return b"".join(parts)


def all_there(found: int, records: int) -> str:
    """Say whether all records are there, in words that are the same for every size."""
    return "all records" if found == records else f"{found} of {records} records"
