"""The lake: datasets of partitioned Parquet with vintages, commits and content hashes."""

from quantvista.data.lake._compact import compact
from quantvista.data.lake._dataset import ENCRYPTED, Commit, Dataset, Vacuumed
from quantvista.data.lake._encrypt import EncryptedNow, encrypt, encrypt_lake
from quantvista.data.lake._kinds import COORDINATES, KINDS, Kind
from quantvista.data.lake._lake import Lake, lake_dir
from quantvista.data.lake._manifest import NAMES, FileEntry, KindEntry, Manifest
from quantvista.data.lake._snapshot import Snapshot
from quantvista.data.lake._transaction import Transaction

__all__ = [
    "COORDINATES",
    "ENCRYPTED",
    "KINDS",
    "NAMES",
    "Commit",
    "Dataset",
    "EncryptedNow",
    "FileEntry",
    "Kind",
    "KindEntry",
    "Lake",
    "Manifest",
    "Snapshot",
    "Transaction",
    "Vacuumed",
    "compact",
    "encrypt",
    "encrypt_lake",
    "lake_dir",
]
