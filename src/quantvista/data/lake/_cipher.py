"""One encrypted file of a lake: what its bytes are, and reading any part of it.

It begins with a header: magic, version, size of chunks, name of the key, salt. Behind it are the
chunks of `ChunkCipher`. The name under which a file lies is authenticated too, so that no file can
take the place of another one.
"""

import io
import os
import secrets
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag

from quantvista.chunkcipher import TAG_BYTES, ChunkCipher
from quantvista.errors import ConfigError, MarketDataError
from quantvista.journal import ring_of
from quantvista.keyring import Ring, read_ring

__all__ = [
    "MAGIC",
    "PartReader",
    "decrypted",
    "encrypted",
    "encrypted_size",
    "key_of",
    "lake_ring",
    "newest_key",
]

MAGIC = b"QVLAKE\r\n"
_VERSION = 1
_CHUNK = 1 << 16  # of which a reader of a few columns decrypts few
_CHUNK_MAX = 1 << 24
_HEADER = struct.Struct("<8sHxxI6s32s")
_INFO = b"quantvista lake 1"


def lake_ring(folder: Path) -> Ring:
    """Take the ring that the environment names, for a dataset that needs it.

    Raises
    ------
    ConfigError
        If there is none.
    """
    try:
        return read_ring()
    except ConfigError as error:
        raise ConfigError(f"the dataset {folder} is encrypted: {error}") from None


@lru_cache(maxsize=8)
def _ids(keys: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(ring_of(Ring(keys)).ids)


def newest_key(ring: Ring) -> str:
    """Name the key that encrypts."""
    return _ids(ring.keys)[-1]


def encrypted_size(content: int) -> int:
    """Say how many bytes an encrypted file of so many bytes of content has."""
    return _HEADER.size + content + max(1, -(-content // _CHUNK)) * TAG_BYTES


def encrypted(content: bytes, ring: Ring, name: str) -> Iterator[bytes]:
    """Encrypt a file with the newest key.

    Parameters
    ----------
    content : bytes
        All of it.
    ring : Ring
        Keys.
    name : str
        Under which it will lie.

    Yields
    ------
    bytes
        Pieces of the file, in order.
    """
    salt = secrets.token_bytes(32)
    key = bytes.fromhex(newest_key(ring))
    header = _HEADER.pack(MAGIC, _VERSION, _CHUNK, key, salt)
    yield header
    cipher, beside = ChunkCipher(ring.newest, salt, _INFO), header + name.encode()
    view = memoryview(content)
    count = max(1, -(-len(content) // _CHUNK))
    for number in range(count):
        piece = bytes(view[number * _CHUNK : (number + 1) * _CHUNK])
        yield cipher.encrypt(number, piece, beside, is_last=number == count - 1)


def key_of(path: Path) -> str:
    """Name the key that a file is encrypted with; empty where it is no encrypted file."""
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(MAGIC):
        return ""
    return str(_HEADER.unpack(header)[3].hex())


def decrypted(path: Path, ring: Ring) -> bytes:
    """Read a whole encrypted file.

    Raises
    ------
    MarketDataError
        If it is not what was written there.
    ConfigError
        If the ring lacks its key.
    """
    reader = PartReader(path, ring)
    return reader.read()


class PartReader(io.RawIOBase):
    """Reads any part of an encrypted file, decrypting the chunks that it lies in.

    It has the file open only while it reads. So a dataset of many files needs few handles, and a
    file that is encrypted anew meanwhile is read on with its new key.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    ring : Ring
        Keys.

    Raises
    ------
    OSError
        If it cannot be read.
    MarketDataError
        If it is not what was written there, as far as is seen; so does reading.
    ConfigError
        If the ring lacks its key.
    """

    def __init__(self, path: Path, ring: Ring) -> None:
        super().__init__()
        self._path, self._ring = path, ring
        self._header = b""
        self._kept: tuple[int, bytes] = (-1, b"")
        self._at = 0
        self._size = self._chunk = self._count = 0
        with path.open("rb") as file:
            self._begin(file)

    def size(self) -> int:
        """Say how many bytes the content has."""
        return self._size

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from anywhere."""
        return True

    def tell(self) -> int:
        """Say where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to where the next read begins."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Read so many bytes; fewer only at the end."""
        left = self._size - self._at
        end = self._at + (left if size is None or size < 0 else min(size, left))
        pieces = []
        with self._path.open("rb") as file:
            self._begin(file)
            while self._at < end:
                number, offset = divmod(self._at, self._chunk)
                piece = self._open_chunk(file, number)[offset : offset + end - self._at]
                pieces.append(piece)
                self._at += len(piece)
            if not self._size:
                self._open_chunk(file, 0)
        return b"".join(pieces)

    def _begin(self, file: io.BufferedReader) -> None:
        """Read the header, unless it is the one that is known."""
        header = file.read(_HEADER.size)
        if self._header and header == self._header:
            return
        if len(header) < _HEADER.size or not header.startswith(MAGIC):
            raise self._damaged()
        _, version, chunk, key, salt = _HEADER.unpack(header)
        if version != _VERSION:
            raise MarketDataError(
                f"{self._path}: must have format {_VERSION}; found {version}, use a newer "
                "QuantVista"
            )
        ids = _ids(self._ring.keys)
        if key.hex() not in ids:  # it may have been added since this process read the ring
            self._ring = lake_ring(self._path.parent)
            ids = _ids(self._ring.keys)
        if key.hex() not in ids:
            raise ConfigError(
                f"{self._path} is encrypted with key {key.hex()}, which is not among the "
                f"{len(ids)} that were given; name its ring with `--key-ring` or QV_KEY_RING "
                "(`qv keys show FILE` prints the names of its keys)"
            )
        body = os.fstat(file.fileno()).st_size - _HEADER.size
        if not 0 < chunk <= _CHUNK_MAX or body < TAG_BYTES:
            raise self._damaged()
        self._count = -(-body // (chunk + TAG_BYTES))
        self._size = body - self._count * TAG_BYTES
        self._cipher = ChunkCipher(self._ring.keys[ids.index(key.hex())], salt, _INFO)
        self._header, self._chunk = header, chunk

    def _open_chunk(self, file: io.BufferedReader, number: int) -> bytes:
        kept, content = self._kept
        if kept == number:  # as good as before: the content under a name never changes
            return content
        file.seek(_HEADER.size + number * (self._chunk + TAG_BYTES))
        sealed = file.read(self._chunk + TAG_BYTES)
        beside = self._header + self._path.name.encode()
        try:
            found = self._cipher.decrypt(number, sealed, beside, is_last=number == self._count - 1)
        except (InvalidTag, ValueError):
            raise self._damaged() from None
        self._kept = (number, found)
        return found

    def _damaged(self) -> MarketDataError:
        return MarketDataError(
            f"{self._path}: is not what was encrypted under this name; found other bytes: restore "
            "the file, or go back to another commit"
        )
