"""What is inside of the encryption: files one after the other, and a manifest at the end."""

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import msgspec

from quantvista.errors import BackupError
from quantvista.operations.backup._members import Member
from quantvista.operations.backup._sealed import SealedReader, SealedWriter

__all__ = ["Manifest", "finish_archive", "read_archive", "write_members"]

_LENGTH = struct.Struct("<I")
_HEAD_MAX = 64 << 20
_PIECE = 1 << 20


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds.

    Parameters
    ----------
    fund : str
        Name of the fund.
    fund_file : str
        Path of its file.
    created_ns : int
        When the backup was made, UTC.
    version : str
        Of the package that made it.
    members : list of (str, int, str)
        Path, bytes and SHA-256 of each file.
    journals : dict
        Stream, last record (``sequence``) and chain of ``node`` and ``guard``; of the node besides
        ``state_hash`` of its engine there, and the same at its newest snapshot.
    with_keys : bool
        Whether API keys are in it.
    left_out : list of str
        What was named and could not be taken.
    """

    fund: str
    fund_file: str
    created_ns: int
    version: str
    members: list[tuple[str, int, str]]
    journals: dict[str, dict[str, Any]]
    with_keys: bool
    left_out: list[str]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size, _ in self.members)

    def encode(self) -> bytes:
        """Write it as JSON."""
        return msgspec.json.encode({"manifest": self})


def write_members(
    writer: SealedWriter, members: Iterable[Member], tell: Callable[[int], object]
) -> list[tuple[str, int, str]]:
    """Write files, and say what they were.

    Parameters
    ----------
    writer : SealedWriter
        Takes them.
    members : iterable of Member
        In order.
    tell : callable
        Told the bytes written, after each piece.

    Returns
    -------
    list of (str, int, str)
        As the manifest has them.
    """
    found = []
    for member in members:
        _head(writer, json.dumps({"path": member.path, "size": member.size}).encode())
        digest = hashlib.sha256()
        for piece in member.read():
            digest.update(piece)
            writer.write(piece)
            tell(len(piece))
        found.append((member.path, member.size, digest.hexdigest()))
    return found


def finish_archive(writer: SealedWriter, manifest: Manifest) -> None:
    """Write the manifest and the end."""
    _head(writer, manifest.encode())
    writer.finish()


def _head(writer: SealedWriter, content: bytes) -> None:
    writer.write(_LENGTH.pack(len(content)) + content)


def read_archive(
    reader: SealedReader, make: Callable[[str, int], BinaryIO] | None = None
) -> Manifest:
    """Read all of a backup and hold it against its manifest.

    Parameters
    ----------
    reader : SealedReader
        At its beginning.
    make : callable, optional
        Given path and size of a file, opens where its bytes go; None writes nothing.

    Returns
    -------
    Manifest
        All of which was checked.

    Raises
    ------
    BackupError
        At the first thing that is not what was written.
    """
    found: list[tuple[str, int, str]] = []
    while "manifest" not in (head := _read_head(reader)):
        path, size = str(head["path"]), int(head["size"])
        _require_inside(path)
        digest = hashlib.sha256()
        if make is None:
            for piece in _pieces(reader, size):
                digest.update(piece)
        else:
            with make(path, size) as file:
                for piece in _pieces(reader, size):
                    digest.update(piece)
                    file.write(piece)
        found.append((path, size, digest.hexdigest()))
    if reader.read(1):
        raise BackupError("the backup goes on behind its manifest; take another copy of it")
    manifest = msgspec.convert(head["manifest"], Manifest)
    if found != manifest.members:
        raise BackupError("the files of the backup are not those of its manifest; take another one")
    return manifest


def _read_head(reader: SealedReader) -> dict[str, Any]:
    length = reader.read(_LENGTH.size)
    if len(length) < _LENGTH.size or (size := _LENGTH.unpack(length)[0]) > _HEAD_MAX:
        raise BackupError("the backup ends before its manifest; take another copy of it")
    value = json.loads(reader.read(size))
    assert isinstance(value, dict), "what was authenticated is what we wrote"
    return value


def _pieces(reader: SealedReader, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = reader.read(min(left, _PIECE))
        if not piece:
            raise BackupError("the backup ends within a file; take another copy of it")
        left -= len(piece)
        yield piece


def _require_inside(path: str) -> None:
    """Refuse a path that leads out of the folder, whoever made the backup."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or Path(path).is_absolute():
        raise BackupError(f"the backup holds a path that leads out of its folder: {path}")
