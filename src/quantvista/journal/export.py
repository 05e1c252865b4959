"""Copies of a journal: tables for analysis, and a proof for whoever has the public key."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from quantvista._native import Record, Seal
from quantvista.errors import ConfigError, OutputError
from quantvista.journal._records import Entry, Kinds
from quantvista.journal._stream import segments
from quantvista.journal._verify import seals_of, verify

__all__ = ["write_jsonl", "write_parquet", "write_proof"]

_ROWS = 20_000  # of a row group
_NAME_OF_TEXT = "CHECK.txt"
_SCHEMA = pa.schema(
    [
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("ts", pa.timestamp("ns", "UTC"), nullable=False),
        pa.field("number", pa.uint16(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("version", pa.uint16(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("problem", pa.string()),
        pa.field("payload", pa.binary(), nullable=False),
    ]
)


def write_jsonl(
    found: Iterable[Record], out: Path, kinds: Kinds, told: Callable[[int], object]
) -> int:
    """Write a line of JSON for each record.

    Parameters
    ----------
    found : iterable of Record
        What to write.
    out : Path
        The file; it is there as a whole or not at all.
    kinds : Kinds
        What can be decoded.
    told : callable
        Told the sequence of the last record that was written, now and then.

    Returns
    -------
    int
        How many were written.
    """
    count = 0
    with _whole(out) as part, part.open("w", encoding="utf-8") as file:
        for block in _blocks(found):
            lines = (json.dumps(kinds.entry(each).to_dict(), ensure_ascii=False) for each in block)
            file.writelines(f"{line}\n" for line in lines)
            count += len(block)
            told(block[-1].sequence)
    return count


def write_parquet(
    found: Iterable[Record], out: Path, kinds: Kinds, told: Callable[[int], object]
) -> int:
    """Write a table with a row for each record, the payload's bytes beside its decoded value.

    Parameters
    ----------
    found : iterable of Record
        What to write.
    out : Path
        The file; it is there as a whole or not at all.
    kinds : Kinds
        What can be decoded.
    told : callable
        Told the sequence of the last record that was written, now and then.

    Returns
    -------
    int
        How many were written.
    """
    count = 0
    with _whole(out) as part, pq.ParquetWriter(part, _SCHEMA, compression="zstd") as writer:
        for block in _blocks(found):
            writer.write_table(_table(block, [kinds.entry(each) for each in block]))
            count += len(block)
            told(block[-1].sequence)
    return count


def write_proof(folder: Path, out: Path) -> Seal:
    """Copy what the newest seal covers, all seals, and a text that says how to check them.

    The copy is verified, so that a proof that was written is one.

    Parameters
    ----------
    folder : Path
        The journal.
    out : Path
        A folder that is not there yet, or empty.

    Returns
    -------
    Seal
        The newest one.

    Raises
    ------
    ConfigError
        If there is no seal.
    OutputError
        If the folder holds something.
    JournalDamagedError
        If the journal does not verify.
    """
    seals = seals_of(folder)
    if not seals:
        raise ConfigError(
            f"`folder` must hold a sealed journal; found no seal (*.seal): {folder}; "
            f"`qv journal seal {folder}` makes one"
        )
    newest = seals[-1]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"`--proof` must name a folder that is new or empty; found {out}")
    out.mkdir(parents=True, exist_ok=True)
    covered = [path for path in segments(folder) if int(path.stem) <= newest.sequence]
    for path in covered:
        shutil.copyfile(path, out / path.name)
    for seal in seals:
        (out / seal.file_name).write_text(seal.text, "ascii")
    (out / _NAME_OF_TEXT).write_text(_text(newest), "utf-8")
    verify(out, key=newest.key)
    return newest


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Give the name of a file that becomes ``out`` when all of it was written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    try:
        yield part
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _blocks(found: Iterable[Record]) -> Iterator[list[Record]]:
    block: list[Record] = []
    for record in found:
        block.append(record)
        if len(block) == _ROWS:
            yield block
            block = []
    if block:
        yield block


def _table(block: list[Record], decoded: list[Entry]) -> pa.Table:
    columns = {
        "sequence": [each.sequence for each in block],
        "ts": [each.ts for each in block],
        "number": [each.kind for each in block],
        "kind": [each.kind for each in decoded],
        "version": [each.version for each in block],
        "value": [json.dumps(each.value, ensure_ascii=False) for each in decoded],
        "problem": [each.problem or None for each in decoded],
        "payload": [each.payload for each in block],
    }
    return pa.table(columns, schema=_SCHEMA)


def _text(seal: Seal) -> str:
    return f"""\
A journal of QuantVista and its seals: proof of what was recorded, and when it was
said to be so.

stream      {seal.stream}
records     1 to {seal.sequence}
chain       {seal.chain.hex()}
sealed      {seal.ts} ns since 1970 UTC, by the clock of who sealed
public key  {seal.key.hex()}

First compare the public key with the one that you were given by other means. The
one here proves nothing by itself: whoever writes a journal anew can sign it anew.

Then check, with QuantVista installed:

    qv journal verify . --key {seal.key.hex()}

It goes through every bit of every segment (*.qvj) and every seal (*.seal), and
ends with 0 if the journal is the one that was signed, else with 3 and the place.

Without QuantVista: the last line of a seal is an Ed25519 signature (RFC 8032), in
hexadecimal digits, over the lines before it with their line ends. Its `chain` must
come out of the segments, in the order of their names, numbers little-endian:

    chain = 32 zero bytes
    for each segment, behind its header of 128 bytes, until its end:
        a frame has a head of 28 bytes and a payload, whose length is
        in bytes 4 to 8 of the head; its kind is in bytes 24 to 26
        if the kind is 65535, it closes a batch:
            chain = BLAKE3(chain, then all frames since the last such frame)
            bytes 12 to 44 of its payload are this chain

Bytes 8 to 16 of a head are the record's sequence, 16 to 24 its time, 26 to 28 the
version of its payload, which is MessagePack unless its kind is 1 or 2, an input or
an output of the engine (MessagePack, too, behind a head of 12 bytes). A kind of
65534 is a piece of what was encrypted: the check needs no key, reading does.
"""
