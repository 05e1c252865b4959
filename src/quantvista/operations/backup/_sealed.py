"""A stream of bytes that is encrypted in chunks, so that no chunk can be changed, moved or cut off.

The file begins with a header: magic, version, size of chunks, salt, and a check that tells another
key from damage. A key of its own is derived from the salt, so that the nonces, which only count,
are never used twice with one key. Each chunk's number and whether it is the last are in its nonce
and, with the header, in what is authenticated beside it.
"""

import secrets
import struct
from collections.abc import Callable
from typing import BinaryIO

from cryptography.exceptions import InvalidTag

from quantvista.chunkcipher import TAG_BYTES, ChunkCipher
from quantvista.errors import BackupError
from quantvista.keyring import Ring

__all__ = ["CHUNK", "HEADER_BYTES", "SealedReader", "SealedWriter"]

CHUNK = 1 << 20
_MAGIC = b"QVBACKUP"
_VERSION = 1
_HEADER = struct.Struct("<8sHxxI32s16s")
HEADER_BYTES = _HEADER.size
_CHUNK_MAX = 64 << 20


def _derive(key: bytes, salt: bytes, size: int) -> ChunkCipher:
    return ChunkCipher(key, salt, b"quantvista backup 1" + struct.pack("<I", size))


class SealedWriter:
    """Encrypts what is written.

    Parameters
    ----------
    file : file
        Open for writing bytes.
    key : bytes
        32 secret ones.
    chunk : int
        Size of a chunk.
    """

    def __init__(self, file: BinaryIO, key: bytes, chunk: int = CHUNK) -> None:
        salt = secrets.token_bytes(32)
        self._cipher = _derive(key, salt, chunk)
        self._header = _HEADER.pack(_MAGIC, _VERSION, chunk, salt, self._cipher.check)
        self._file, self._chunk = file, chunk
        self._buffer = bytearray()
        self._number = 0
        file.write(self._header)

    def write(self, content: bytes) -> None:
        """Add bytes."""
        self._buffer += content
        # One is held back, since the last one must say that it is.
        while len(self._buffer) > self._chunk:
            self._seal(bytes(self._buffer[: self._chunk]), is_last=False)
            del self._buffer[: self._chunk]

    def finish(self) -> None:
        """Write the last chunk; the file is whole only with it."""
        self._seal(bytes(self._buffer), is_last=True)
        self._buffer.clear()

    def _seal(self, content: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(self._number, content, self._header, is_last=is_last)
        self._file.write(sealed)
        self._number += 1


class SealedReader:
    """Decrypts what a `SealedWriter` wrote; nothing is given out that was not authenticated.

    Parameters
    ----------
    file : file
        Open for reading bytes.
    key : bytes or Ring
        32 secret ones, or several of which one must fit.
    progress : callable, optional
        Told the bytes of the file that were read so far.

    Raises
    ------
    BackupError
        If it is no backup, or the key is another one. Reading raises it at the first chunk that is
        not what was written.
    """

    def __init__(
        self, file: BinaryIO, key: bytes | Ring, progress: Callable[[int], object] | None = None
    ) -> None:
        self._file, self._progress = file, progress
        self._header = file.read(HEADER_BYTES)
        if len(self._header) < HEADER_BYTES or not self._header.startswith(_MAGIC):
            raise BackupError(
                "the file is no backup, or its beginning is damaged; name a file of `qv backup`, "
                "or take another copy of it"
            )
        _, version, chunk, salt, check = _HEADER.unpack(self._header)
        if version != _VERSION:
            raise BackupError(
                f"the backup has format {version}, and this version reads {_VERSION}; restore it "
                "with the version that wrote it"
            )
        if not 0 < chunk <= _CHUNK_MAX:
            raise _damaged(0)
        for each in reversed(key.keys if isinstance(key, Ring) else (key,)):
            self._cipher = _derive(each, salt, chunk)
            if secrets.compare_digest(check, self._cipher.check):
                break
        else:
            raise BackupError(
                "the key is not that of the backup, or the backup's beginning is damaged; give the "
                "key that it was made with. Without that nobody can read it"
            )
        self._size = chunk + TAG_BYTES
        self._ahead = file.read(self._size)
        self._number = 0
        self._is_over = False
        self._buffer = bytearray()

    def read(self, size: int) -> bytes:
        """Read as many bytes; fewer only at the end."""
        while len(self._buffer) < size and not self._is_over:
            self._open_next()
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _open_next(self) -> None:
        sealed, self._ahead = self._ahead, self._file.read(self._size)
        is_last = not self._ahead
        try:
            self._buffer += self._cipher.decrypt(
                self._number, sealed, self._header, is_last=is_last
            )
        except (InvalidTag, ValueError):
            raise _damaged(HEADER_BYTES + self._number * self._size) from None
        self._number += 1
        self._is_over = is_last
        if self._progress is not None:
            self._progress(HEADER_BYTES + self._number * self._size)


def _damaged(offset: int) -> BackupError:
    return BackupError(
        f"the backup is damaged, or not whole, from byte {offset:,} on: what is there is not what "
        "was written; take another copy of it, or an older backup"
    )
