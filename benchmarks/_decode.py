"""The recorded stream as every decoder gets it, and what they must agree on: NumPy only.

A file is in memory, a line for each message: the time received, a space, the message as it came.
What counts is from these bytes to columns, prices and sizes in whole units of 1e-8. The
kinds of messages are decoded once more apart from each other, for a book's change is far larger
than a trade.
"""

import gzip
import hashlib
from collections.abc import Callable

import numpy as np
from _common import Found, Stopwatch
from _recording import SOURCE
from numpy.typing import NDArray

__all__ = ["Columns", "decode"]

type Columns = dict[str, NDArray[np.int64]]

_KINDS = {"depth": b"@depth", "quotes": b"@bookTicker", "trades": b"@trade"}


def decode(decoder: Callable[[bytes], Columns], repeats: int, version: str) -> Found:
    """Time a decoder, which gives the columns by name in the order of their messages."""
    files = [gzip.decompress(path.read_bytes()) for path in sorted(SOURCE.glob("*.jsonl.gz"))]
    content = b"".join(files)
    lines = content.splitlines(keepends=True)
    decoder(content)
    watch = Stopwatch()
    for _ in range(repeats):
        with watch:
            columns = decoder(content)
    rates = {}
    for kind, mark in _KINDS.items():
        part = [line for line in lines if mark in line]
        apart = Stopwatch()
        joined = b"".join(part)
        for _ in range(repeats):
            with apart:
                decoder(joined)
        rates[kind] = repeats * len(part) / apart.seconds
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(columns):
        digest.update(name.encode() + np.ascontiguousarray(columns[name], dtype="<i8").tobytes())
    check = digest.hexdigest()
    return watch.seconds, repeats * len(lines), version, check, check, rates
