"""How the files of a dataset lie on the disk: as they are, or encrypted.

All that is above knows files by their path in the dataset, such as ``commits/ID.json``, and by
their content; only what is here knows under which name and in which bytes they lie there.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import polars as pl

from quantvista.data.lake._files import sha256, write_whole

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import dataset as pa_dataset

__all__ = ["Clear", "Storage", "commit_path", "write_parquet"]

_ROW_GROUP = 131_072

type PathOf = Callable[[str], str]
"""Of a file that is named by its content: from the SHA-256 of that to its path."""


def commit_path(name: str) -> str:
    """Path of a commit in its dataset."""
    return f"commits/{name}.json"


class Storage(Protocol):
    """The files of one dataset.

    Attributes
    ----------
    folder : pathlib.Path
        Of the dataset.
    is_encrypted : bool
        Whether the disk shows nothing of what is in them.
    """

    folder: Path
    is_encrypted: bool

    def place(self, path: str) -> Path:
        """Find where a file lies; it need not be there."""
        ...

    def size(self, content: int) -> int:
        """Say how many bytes lie there of so many of content."""
        ...

    def read(self, path: str) -> bytes:
        """Read a file."""
        ...

    def digest(self, path: str) -> str:
        """Hash the content of a file; what is not as it was written has another hash."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Let a file be there, whole."""
        ...

    def write_table(self, frame: pl.DataFrame, path_of: PathOf) -> tuple[str, str, int]:
        """Write Parquet under the name of its content: path, SHA-256 and bytes of that."""
        ...

    def head(self, name: str) -> bytes:
        """Write down which commit is the newest."""
        ...

    def commits(self) -> list[str]:
        """Ids of the commits that are there, ascending."""
        ...

    def tables(self) -> Iterable[Path]:
        """Parquet files that are there, and what else no commit can name."""
        ...

    def scan(self, paths: Sequence[str], schema: pl.Schema) -> pl.LazyFrame:
        """Read Parquet files lazily; columns that one lacks are null."""
        ...

    def columns(self, path: str, names: Sequence[str]) -> pl.DataFrame:
        """Read columns of a Parquet file."""
        ...

    def arrow(self, paths: Sequence[str], schema: "pa.Schema") -> "pa_dataset.Dataset":
        """Open Parquet files with Arrow."""
        ...


class Clear:
    """Files as they are: Parquet and JSON, for every reader.

    Parameters
    ----------
    folder : pathlib.Path
        Of the dataset.
    """

    is_encrypted = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, path: str) -> Path:
        """Find where a file lies."""
        return self.folder / path

    def size(self, content: int) -> int:
        """Say how many bytes lie there."""
        return content

    def read(self, path: str) -> bytes:
        """Read a file."""
        return (self.folder / path).read_bytes()

    def digest(self, path: str) -> str:
        """Hash the content of a file."""
        return sha256(self.folder / path)

    def write(self, path: str, content: bytes) -> None:
        """Let a file be there, whole."""
        write_whole(self.folder / path, lambda aside: _put(aside, content))

    def write_table(self, frame: pl.DataFrame, path_of: PathOf) -> tuple[str, str, int]:
        """Write Parquet under the name of its content."""
        written: list[tuple[str, int]] = []

        def put(aside: Path) -> None:
            write_parquet(frame, aside)
            written.append((sha256(aside), aside.stat().st_size))

        beside = self.folder / path_of("0" * 64)
        write_whole(beside, put, lambda: Path(path_of(written[0][0])).name)
        digest, size = written[0]
        return path_of(digest), digest, size

    def head(self, name: str) -> bytes:
        """Write down which commit is the newest."""
        return f"{name}\n".encode()

    def commits(self) -> list[str]:
        """Ids of the commits that are there, ascending."""
        return sorted(path.stem for path in (self.folder / "commits").glob("*.json"))

    def tables(self) -> Iterable[Path]:
        """Parquet files that are there."""
        return sorted((self.folder / "data").rglob("*.parquet"))

    def scan(self, paths: Sequence[str], schema: pl.Schema) -> pl.LazyFrame:
        """Read Parquet files lazily; columns that one lacks are null."""
        return pl.scan_parquet(
            [self.folder / each for each in paths],
            schema=schema,
            missing_columns="insert",
            hive_partitioning=False,
            glob=False,
        )

    def columns(self, path: str, names: Sequence[str]) -> pl.DataFrame:
        """Read columns of a Parquet file."""
        return pl.read_parquet(self.folder / path, columns=list(names))

    def arrow(self, paths: Sequence[str], schema: "pa.Schema") -> "pa_dataset.Dataset":
        """Open Parquet files with Arrow."""
        from pyarrow import dataset as pa_dataset

        files = [str(self.folder / each) for each in paths]
        return pa_dataset.dataset(files, format="parquet", schema=schema)


def write_parquet(frame: pl.DataFrame, target: Path | BinaryIO) -> None:
    """Write a table in the one way in which tables lie in lakes."""
    frame.write_parquet(target, compression="zstd", statistics=True, row_group_size=_ROW_GROUP)


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
