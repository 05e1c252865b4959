"""Encrypted files of lakes: any part reads as it was, and nothing that was changed reads at all."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data.lake._cipher import PartReader, decrypted, encrypted
from quantvista.errors import ConfigError, MarketDataError
from quantvista.keyring import Ring

RING = Ring((bytes(32), bytes(range(32))))
CHUNK = 1 << 16
SIZES = st.sampled_from([0, 1, 500, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 150_000])


def content(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(size % 256)


def put(folder: str, size: int, name: str = "a") -> Path:
    path = Path(folder) / name
    path.write_bytes(b"".join(encrypted(content(size), RING, name)))
    return path


@settings(max_examples=60)
@given(SIZES, st.lists(st.tuples(st.integers(0, 160_000), st.integers(0, 160_000)), max_size=6))
def test_any_part_reads_as_it_was(size: int, parts: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        reader = PartReader(put(folder, size), RING)
        for start, count in parts:
            reader.seek(start)
            assert reader.read(count) == content(size)[start : start + count]
        reader.seek(0)
        assert reader.read() == content(size)


@settings(max_examples=120)
@given(SIZES, st.data())
def test_nothing_that_was_changed_reads(size: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = put(folder, size)
        whole = path.read_bytes()
        how = data.draw(st.sampled_from(["flip", "cut", "grow", "chunks", "other"]))
        if how == "flip":
            place = data.draw(st.integers(0, len(whole) - 1))
            bit = 1 << data.draw(st.integers(0, 7))
            changed = whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
        elif how == "cut":
            changed = whole[: data.draw(st.integers(0, len(whole) - 1))]
        elif how == "grow":
            changed = whole + data.draw(st.binary(min_size=1, max_size=100))
        elif how == "chunks":  # the first of another file of the same size, under its own header
            other = put(folder, size, "b").read_bytes()
            changed = whole[:56] + other[56:]
        else:
            changed = put(folder, size, "b").read_bytes()
        path.write_bytes(changed)
        with pytest.raises((MarketDataError, ConfigError), match=str(path)):
            decrypted(path, RING)
