"""Encrypting a journal, and what is said of it."""

from pathlib import Path

from quantvista.cli._print import next_steps, number, print_json, say
from quantvista.cli._progress import progress_bar
from quantvista.journal.encrypting import encrypt_journal

__all__ = ["encrypt_there"]


def encrypt_there(folder: Path, keep: Path | None, *, as_json: bool) -> None:
    """Put an encrypted copy in the place of a journal."""
    with progress_bar(enabled=not as_json) as advance:
        found = encrypt_journal(folder, keep=keep, progress=advance)
    kept = None if found.kept is None else str(found.kept)
    if as_json:
        facts = {"stream": found.stream, "records": found.records, "key": found.key}
        print_json({"journal": str(folder), **facts, "kept": kept})
        return
    say(f"Encrypted {found.stream} with key {found.key}: {number(found.records, 0)} records, each")
    say("held against the one that it was.")
    if kept is None:
        say("The journal as it was is removed. A disk may still hold what was removed from it.")
    else:
        say(f"The journal as it was is in {kept}, readable as before.")
    next_steps([f"qv journal verify {folder}"])
