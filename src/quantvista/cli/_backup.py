"""What ``qv backup`` and ``qv restore`` do and say."""

import os
import shlex
import time
from pathlib import Path
from typing import Any

from rich.text import Text

from quantvista.cli._print import console, next_steps, number, print_json, say
from quantvista.cli._progress import progress_bar
from quantvista.fund import load_fund
from quantvista.keyring import KEY_RING_VARIABLE, use_ring
from quantvista.operations.backup import (
    KEY_VARIABLE,
    Manifest,
    make_backup,
    make_backup_key,
    read_backup_key,
    restore_backup,
    verify_backup,
)
from quantvista.trading.control import Place

__all__ = ["back_up", "check_backup", "get_back", "new_key"]

_SHORT = 16
_MB = 1_000_000


def back_up(
    fund: Path,
    state: Path | None,
    out: Path | None,
    key: Path | None,
    *,
    with_keys: bool,
    with_lake: bool,
    as_json: bool,
) -> None:
    """Make a backup.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file.
    state : pathlib.Path or None
        Its state folder; beside the fund file by default.
    out : pathlib.Path or None
        Where to; named after the fund and the time by default.
    key : pathlib.Path or None
        File of the key; where the environment says by default.
    with_keys : bool
        Take API keys.
    with_lake : bool
        Take the lake beside the fund file.
    as_json : bool
        Print JSON, nothing else.
    """
    is_named = any(map(os.environ.get, (KEY_VARIABLE, KEY_RING_VARIABLE)))
    loaded = load_fund(fund)
    loaded.must_encrypt()  # which names the ring of its journals
    secret = read_backup_key(key)
    storage = loaded.fund.storage
    if key is None and not is_named and storage is not None and storage.key_ring is not None:
        key = loaded.base / Path(storage.key_ring).expanduser()  # as the next commands need it
    now = time.time_ns()
    if out is None:
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now // 10**9))
        out = Path(f"{loaded.fund.fund.name}-{when}.qvb")
    place = Place.beside(fund, state)
    with progress_bar(enabled=not as_json) as advance:
        made = make_backup(
            fund,
            place,
            out,
            secret.newest,
            now_ns=now,
            with_keys=with_keys,
            with_lake=with_lake,
            progress=advance,
        )
    if as_json:
        print_json({"backup": str(made.path), "bytes": made.size, **_plain(made.manifest)})
        return
    console().print(Text(f"{made.manifest.fund}: backed up to {made.path}", style="bold"))
    _show(made.manifest)
    given = "" if key is None else f" --key {shlex.quote(str(key))}"
    path = shlex.quote(str(made.path))
    next_steps([f"qv backup verify {path}{given}", f"qv restore {path} --to FOLDER{given}"])


def new_key(out: Path, *, as_json: bool) -> None:
    """Make a key; nothing of it is printed."""
    make_backup_key(out)
    if as_json:
        print_json({"key": str(out)})
        return
    say(f"wrote {out}, for you alone: who has it can read your backups")
    say("Keep a copy where neither the fund nor its backups are: without the key a backup is lost.")
    next_steps([f"export {KEY_VARIABLE}={shlex.quote(str(out.absolute()))}", "qv backup"])


def check_backup(path: Path, key: Path | None, *, as_json: bool) -> None:
    """Check every byte of a backup."""
    secret = read_backup_key(key)
    with progress_bar(enabled=not as_json) as advance:
        found = verify_backup(path, secret, advance)
    if as_json:
        print_json({"backup": str(path), "verified": True, **_plain(found)})
        return
    console().print(Text(f"{found.fund}: the backup is whole, every byte", style="bold"))
    _show(found)


def get_back(path: Path, to: Path, key: Path | None, *, quick: bool, as_json: bool) -> None:
    """Restore a backup, and say what to do next."""
    secret = read_backup_key(key)
    if key is not None:
        use_ring(key)  # the journals may be encrypted with it, too
    with progress_bar(enabled=not as_json) as advance:
        found = restore_backup(
            path, to, secret, now_ns=time.time_ns(), quick=quick, progress=advance
        )
    if as_json:
        facts = {"folder": str(to), "level": found.level, "verified": True}
        facts |= {"lake_files": found.lake_files}
        print_json({**_plain(found.manifest), **facts, "state_hash": found.state_hash})
        return
    console().print(Text(f"{found.manifest.fund}: restored to {to}", style="bold"))
    _show(found.manifest)
    how = "all recorded inputs" if found.level == "R1" else "the newest snapshot"
    say(f"The journals verify, and the state of {how} is that of the backup.")
    if found.lake_files:
        say(f"The lake has {found.lake_files:,} files, each of them as its commits name it.")
    say("")
    say(
        "Before you start it, be sure that the fund runs nowhere else: two of it would trade twice."
    )
    if not found.manifest.with_keys:
        say("API keys are not in the backup; `qv up` makes those of a paper venue anew.")
    fund = shlex.quote(found.manifest.fund_file)
    next_steps([f"cd {shlex.quote(str(to))}", f"qv up {fund}", "qv status"])


def _plain(found: Manifest) -> dict[str, Any]:
    return {
        "fund": found.fund,
        "fund_file": found.fund_file,
        "created_ns": found.created_ns,
        "version": found.version,
        "with_keys": found.with_keys,
        "left_out": found.left_out,
        "journals": found.journals,
        "files": [
            {"path": path, "bytes": size, "sha256": digest} for path, size, digest in found.members
        ],
    }


def _show(found: Manifest) -> None:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(found.created_ns // 10**9))
    size = f"{number(len(found.members), 0)} files, {number(found.size / _MB, 1)} MB"
    rows = [("Made", f"{when} UTC, by version {found.version}"), ("Holds", size)]
    for name, facts in found.journals.items():
        ends = f"{number(facts['sequence'], 0)} records, chain {facts['chain'][:_SHORT]}"
        rows.append((f"{name.capitalize()}'s journal", ends))
    rows.append(("State", found.journals["node"]["state_hash"][:_SHORT]))
    rows.append(("API keys", "in it" if found.with_keys else "not in it"))
    rows += [("Left out", text) for text in found.left_out]
    for name, value in rows:
        console().print(Text.assemble((f"{name:<16}", "dim"), value), soft_wrap=True)
