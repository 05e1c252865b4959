"""A dataset of which the disk shows sizes and times, and nothing else.

Every file is encrypted, commits and ``HEAD`` too, and lies under a name that is made of its path
with a secret of the dataset: a hash of the content, as files in the clear have it for their name,
would tell whoever has the same data that they are here. ``HEAD`` holds that secret.
"""

import hashlib
import hmac
import io
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from polars.io.plugins import register_io_source

from quantvista.data.lake._cipher import (
    MAGIC,
    PartReader,
    decrypted,
    encrypted,
    encrypted_size,
    lake_ring,
)
from quantvista.data.lake._files import TEMPORARY, write_whole
from quantvista.data.lake._storage import PathOf, commit_path, write_parquet
from quantvista.errors import MarketDataError
from quantvista.keyring import Ring

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import dataset as pa_dataset

__all__ = ["Encrypted", "clear_files", "encrypted_files", "is_encrypted_head", "open_encrypted"]

_SUFFIX = ".encrypted"
_SECRET_BYTES = 32


def is_encrypted_head(content: bytes) -> bool:
    """Say whether what is in ``HEAD`` is of an encrypted dataset."""
    return content.startswith(MAGIC)


def open_encrypted(folder: Path) -> tuple[str, "Encrypted"]:
    """Open a dataset that is encrypted.

    Returns
    -------
    (str, Encrypted)
        Id of the newest commit, and the files.

    Raises
    ------
    ConfigError
        If the keys are not at hand.
    MarketDataError
        If ``HEAD`` is damaged, or that of another dataset.
    """
    ring = lake_ring(folder)
    path = folder / "HEAD"
    said = json.loads(decrypted(path, ring))
    if said["dataset"] != folder.name:
        raise MarketDataError(
            f"{path}: must be of the dataset {folder.name!r}; found that of {said['dataset']!r}: "
            "an encrypted dataset keeps its name, rename its folder back"
        )
    return said["commit"], Encrypted(folder, ring, bytes.fromhex(said["secret"]))


class Encrypted:
    """Files that are encrypted with a key of the ring.

    Parameters
    ----------
    folder : pathlib.Path
        Of the dataset.
    ring : Ring
        Of which the newest key encrypts.
    secret : bytes or None
        What names are made with; ``None`` makes one for a dataset that is not there yet.
    """

    is_encrypted = True

    def __init__(self, folder: Path, ring: Ring, secret: bytes | None = None) -> None:
        self.folder = folder
        self.ring = ring
        self._secret = secrets.token_bytes(_SECRET_BYTES) if secret is None else secret

    def place(self, path: str) -> Path:
        """Find where a file lies."""
        digest = hmac.new(self._secret, path.encode(), hashlib.sha256).hexdigest()
        return self.folder / path.partition("/")[0] / f"{digest[:32]}{_SUFFIX}"

    def size(self, content: int) -> int:
        """Say how many bytes lie there of so many of content."""
        return encrypted_size(content)

    def read(self, path: str) -> bytes:
        """Read a file."""
        return decrypted(self.place(path), self.ring)

    def digest(self, path: str) -> str:
        """Hash the content of a file; what is not as it was written has another hash."""
        digest = hashlib.sha256()
        reader = PartReader(self.place(path), self.ring)
        while piece := reader.read(1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    def write(self, path: str, content: bytes) -> None:
        """Let a file be there, whole."""
        self.put(self.place(path), content)

    def put(self, place: Path, content: bytes) -> None:
        """Encrypt a file to where it lies."""
        write_whole(place, lambda aside: _put(aside, encrypted(content, self.ring, place.name)))

    def write_table(self, frame: pl.DataFrame, path_of: PathOf) -> tuple[str, str, int]:
        """Write Parquet under the name of its content."""
        made = io.BytesIO()
        write_parquet(frame, made)
        content = made.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        self.write(path_of(digest), content)
        return path_of(digest), digest, len(content)

    def head(self, name: str) -> bytes:
        """Write down which commit is the newest."""
        said = {"dataset": self.folder.name, "commit": name, "secret": self._secret.hex()}
        return b"".join(encrypted(json.dumps(said).encode(), self.ring, "HEAD"))

    def commits(self) -> list[str]:
        """Ids of the commits that are there, ascending."""
        found = self._read_commits()
        return sorted(name for name, path in found if self.place(commit_path(name)) == path)

    def _read_commits(self) -> list[tuple[str, Path]]:
        paths = encrypted_files(self.folder, "commits")
        return [(hashlib.sha256(decrypted(each, self.ring)).hexdigest(), each) for each in paths]

    def tables(self) -> Iterable[Path]:
        """Parquet files that are there, and what else no commit can name.

        That is what was left in the clear when the dataset was encrypted, and commits of a writer
        that was killed before the first ``HEAD``, whose secret nobody knows.
        """
        foreign = [
            path for name, path in self._read_commits() if self.place(commit_path(name)) != path
        ]
        return [*encrypted_files(self.folder, "data"), *foreign, *clear_files(self.folder)]

    def scan(self, paths: Sequence[str], schema: pl.Schema) -> pl.LazyFrame:
        """Read Parquet files lazily, one after the other, each decrypted in memory."""

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
        ) -> Iterator[pl.DataFrame]:
            for path in paths:
                frame = _lazy(self.read(path), schema)
                if rows is not None:  # of those that the predicate has not seen yet
                    first = frame.head(rows).collect()
                    rows -= first.height
                    frame = first.lazy()
                if predicate is not None:
                    frame = frame.filter(predicate)
                yield (frame if columns is None else frame.select(columns)).collect()
                if rows == 0:
                    return

        return register_io_source(source, schema=schema, is_pure=True)

    def columns(self, path: str, names: Sequence[str]) -> pl.DataFrame:
        """Read columns of a Parquet file."""
        return pl.read_parquet(io.BytesIO(self.read(path)), columns=list(names))

    def arrow(self, paths: Sequence[str], schema: "pa.Schema") -> "pa_dataset.Dataset":
        """Open Parquet files with Arrow, which decrypts what it reads of them."""
        import pyarrow as pa
        from pyarrow import dataset as pa_dataset

        form = pa_dataset.ParquetFileFormat()
        readers = (PartReader(self.place(each), self.ring) for each in paths)
        fragments = [form.make_fragment(pa.PythonFile(each, mode="r")) for each in readers]
        return pa_dataset.FileSystemDataset(fragments, schema, form)


def encrypted_files(folder: Path, below: str) -> list[Path]:
    """List what lies in a dataset encrypted, below ``data`` or ``commits``."""
    found = (folder / below).glob(f"*{_SUFFIX}")
    return sorted(path for path in found if not path.name.startswith(TEMPORARY))


def clear_files(folder: Path) -> list[Path]:
    """List what lies in a dataset in the clear."""
    data, commits = (folder / "data").rglob("*.parquet"), (folder / "commits").glob("*.json")
    return sorted(path for path in (*data, *commits) if not path.name.startswith(TEMPORARY))


def _lazy(content: bytes, schema: pl.Schema) -> pl.LazyFrame:
    return pl.scan_parquet(
        io.BytesIO(content), schema=schema, missing_columns="insert", hive_partitioning=False
    )


def _put(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
