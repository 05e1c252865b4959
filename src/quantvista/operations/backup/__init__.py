"""Backups of a fund: made while it trades, encrypted, and proven when they are restored.

What is in one, and which of its parts may be newer than others, is in ``docs/guide/backup.md``.
"""

from quantvista.operations.backup._archive import Manifest
from quantvista.operations.backup._backup import Backup, make_backup
from quantvista.operations.backup._keys import KEY_VARIABLE, make_backup_key, read_backup_key
from quantvista.operations.backup._restore import Restored, restore_backup, verify_backup

__all__ = [
    "KEY_VARIABLE",
    "Backup",
    "Manifest",
    "Restored",
    "make_backup",
    "make_backup_key",
    "read_backup_key",
    "restore_backup",
    "verify_backup",
]
