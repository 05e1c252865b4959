"""The encrypted stream of a backup: whatever is done to it shows, nothing false is given out."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.errors import BackupError
from quantvista.operations.backup._sealed import HEADER_BYTES, SealedReader, SealedWriter

KEY = bytes(range(32))
CHUNK = 16
SEALED = CHUNK + 16


def sealed(content: bytes, pieces: int = 7) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, KEY, CHUNK)
    for at in range(0, len(content), pieces):
        writer.write(content[at : at + pieces])
    writer.finish()
    return file.getvalue()


def opened(file: bytes, key: bytes = KEY) -> bytes:
    reader = SealedReader(io.BytesIO(file), key)
    found = b""
    while piece := reader.read(5):
        found += piece
    return found


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=100), st.integers(1, 120))
def test_what_goes_in_comes_out(content: bytes, pieces: int) -> None:
    assert opened(sealed(content, pieces)) == content


def test_every_flipped_bit_is_found() -> None:
    whole = sealed(b"a fund that trades, and its books" * 2)
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BackupError):
            opened(bytes(changed))


def test_every_cut_and_every_addition_is_found() -> None:
    whole = sealed(bytes(4 * CHUNK))
    for size in range(len(whole)):
        with pytest.raises(BackupError):
            opened(whole[:size])
    for more in (b"x", bytes(SEALED), whole[-SEALED:]):
        with pytest.raises(BackupError):
            opened(whole + more)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda c: [c[1], c[0], *c[2:]], id="swapped"),
        pytest.param(lambda c: [c[0], *c[2:]], id="dropped"),
        pytest.param(lambda c: c[:-1], id="without the last"),
        pytest.param(lambda c: [c[0], c[0], *c[1:]], id="twice"),
        pytest.param(lambda c: [*c[:-2], c[-1], c[-2]], id="last before"),
    ],
)
def test_chunks_stay_where_they_are(change: Callable[[list[bytes]], list[bytes]]) -> None:
    whole = sealed(bytes(range(4 * CHUNK)))
    body = whole[HEADER_BYTES:]
    chunks = [body[at : at + SEALED] for at in range(0, len(body), SEALED)]
    assert opened(whole[:HEADER_BYTES] + b"".join(chunks)) == bytes(range(4 * CHUNK))
    with pytest.raises(BackupError):
        opened(whole[:HEADER_BYTES] + b"".join(change(chunks)))


def test_chunks_of_another_backup_do_not_fit() -> None:
    one, other = sealed(bytes(40)), sealed(bytes(40))
    assert one != other
    with pytest.raises(BackupError, match="damaged"):
        opened(one[: HEADER_BYTES + SEALED] + other[HEADER_BYTES + SEALED :])


@given(st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
def test_another_key_opens_nothing(key: bytes) -> None:
    with pytest.raises(BackupError, match="the key is not that of the backup"):
        opened(sealed(b"text"), key)
