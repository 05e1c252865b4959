"""The journal: a durable, hash-chained log of records, and what its records hold.

One folder is one stream with one writer. `Journal` appends and commits, `Reader` follows from
this process or another, `verify` checks every byte and every seal. What is written, and what a
crash leaves, is in ``docs/journal.md``.

Examples
--------
>>> disk = MemoryDisk()
>>> with Journal(disk, "example") as journal:
...     journal.write(Note(text="hello"), ts=1)
1
>>> [KINDS.body(record) for batch in Reader(disk) for record in batch]
[Note(text='hello', by='')]
>>> verify(disk).records
1
"""

from quantvista._native import Head, KeyRing, MemoryDisk, Record, Seal, SecretKey, Snapshot
from quantvista.journal._keys import KEY_VARIABLE, make_key, read_public_key, read_secret_key
from quantvista.journal._records import INPUT, KINDS, OUTPUT, Body, Entry, Kind, Kinds, Note
from quantvista.journal._ring import key_ring, ring_of
from quantvista.journal._selection import Selection, records
from quantvista.journal._stream import Journal, Reader, require_journal, tail
from quantvista.journal._verify import Verified, seals_of, verify

__all__ = [
    "INPUT",
    "KEY_VARIABLE",
    "KINDS",
    "OUTPUT",
    "Body",
    "Entry",
    "Head",
    "Journal",
    "KeyRing",
    "Kind",
    "Kinds",
    "MemoryDisk",
    "Note",
    "Reader",
    "Record",
    "Seal",
    "SecretKey",
    "Selection",
    "Snapshot",
    "Verified",
    "key_ring",
    "make_key",
    "read_public_key",
    "read_secret_key",
    "records",
    "require_journal",
    "ring_of",
    "seals_of",
    "tail",
    "verify",
]
