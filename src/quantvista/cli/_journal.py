"""What ``qv journal`` checks and signs, and how it says so."""

import datetime as dt
import time
from pathlib import Path
from typing import Any

from rich.text import Text

from quantvista.cli._print import NONE, console, next_steps, number, print_json, say
from quantvista.cli._progress import progress_bar
from quantvista.errors import ConfigError, JournalDamagedError
from quantvista.journal import (
    KEY_VARIABLE,
    Journal,
    Kinds,
    Reader,
    Seal,
    Verified,
    make_key,
    read_public_key,
    read_secret_key,
    require_journal,
    seals_of,
    verify,
)

__all__ = [
    "kind_numbers",
    "known_kinds",
    "new_key",
    "seal_journal",
    "utc",
    "verify_journal",
]

_SHORT = 16  # digits of a key that are printed


def known_kinds() -> Kinds:
    """Give the kinds that the commands decode: those of every part that writes a journal."""
    from quantvista.trading.guard import KINDS as GUARD_KINDS
    from quantvista.trading.node import NODE_KINDS

    return NODE_KINDS | GUARD_KINDS


def kind_numbers(names: list[str]) -> frozenset[int]:
    """Numbers of kinds that options name; a number may be one that nobody knows.

    Raises
    ------
    ConfigError
        If a name is not known.
    """
    kinds = known_kinds()
    found = set()
    for name in names:
        number_ = int(name) if name.isdecimal() else kinds.number(name)
        if number_ is None:
            known = ", ".join(kinds.names)
            raise ConfigError(f"`--kind` must be a number or one of {known}; found {name!r}")
        found.add(number_)
    return frozenset(found)


def utc(ts: int | None, digits: int = 3) -> str:
    """Write UTC nanoseconds as date and time, cut to so many digits of a second.

    Examples
    --------
    >>> utc(1_795_332_143_425_614_874)
    '2026-11-22 07:22:23.425'
    >>> utc(-1, 9)
    '1969-12-31 23:59:59.999999999'
    """
    if ts is None:
        return NONE
    seconds, rest = divmod(ts, 1_000_000_000)
    whole = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    return f"{whole:%Y-%m-%d %H:%M:%S}.{rest:09d}"[: 20 + digits]


# -- verify ----------------------------------------------------------------------------------
def verify_journal(folder: Path, *, key: str | None, as_json: bool) -> None:
    """Check a journal and print what it is; damage raises, after it was printed as JSON."""
    require_journal(folder)
    public = None if key is None else read_public_key(key)
    try:
        with progress_bar(enabled=not as_json) as advance:
            found = verify(
                folder,
                key=public,
                progress=lambda done, total: advance(done, total, "checking"),
            )
    except JournalDamagedError as error:
        if as_json:
            print_json({"verified": False, "journal": str(folder), **_damage(error)})
        raise
    if as_json:
        print_json({"verified": True, "journal": str(folder), **_facts(found, public)})
    else:
        _print_verified(folder, found, public)


def _damage(error: JournalDamagedError) -> dict[str, Any]:
    return {
        "file": error.file,
        "offset": error.offset,
        "after": error.after,
        "problem": error.problem,
        "message": str(error),
    }


def _facts(found: Verified, public: bytes | None) -> dict[str, Any]:
    return {
        "stream": found.stream,
        "segments": found.segments,
        "records": found.records,
        "batches": found.batches,
        "bytes": found.bytes,
        "first_ts": found.first_ts,
        "last_ts": found.last_ts,
        "head": {"sequence": found.head.sequence, "chain": found.head.chain.hex()},
        "seals": [_seal_facts(seal) for seal in found.seals],
        "key_checked": public is not None,
        "torn_bytes": found.torn_bytes,
        "keys": list(found.keys),
        "opened": found.opened,
    }


def _seal_facts(seal: Seal) -> dict[str, Any]:
    return {"last": seal.sequence, "ts": seal.ts, "key": seal.key.hex(), "file": seal.file_name}


def _print_verified(folder: Path, found: Verified, public: bytes | None) -> None:
    out = console()
    out.print(Text(_verdict(found, public)))
    rows = [
        ("Stream", found.stream),
        ("Segments", number(found.segments, 0)),
        ("Batches", number(found.batches, 0)),
        ("Bytes", number(found.bytes, 0)),
        ("First record", _at(found.first_ts)),
        ("Last record", _at(found.last_ts)),
        ("Head", f"record {number(found.head.sequence, 0)}, chain"),
        ("", found.head.chain.hex()),
    ]
    if found.keys:
        rows.append(("Encrypted", f"AES-256-GCM, key {', '.join(found.keys)}"))
    rows += [
        (
            "Sealed" if place == 0 else "",
            f"to {number(seal.sequence, 0)} at {_at(seal.ts)}, key {seal.key.hex()[:_SHORT]}…",
        )
        for place, seal in enumerate(found.seals)
    ]
    say("")
    for name, value in rows:
        out.print(Text.assemble((f"{name:<14}", "dim"), value), soft_wrap=True)
    steps = [f"qv journal tail {folder}"]
    if found.seals and public is None:
        steps.insert(0, f"qv journal verify {folder} --key KEY")
    elif not found.seals and found.records:
        steps.insert(0, f"qv journal seal {folder} --key FILE")
    next_steps(steps)


def _verdict(found: Verified, public: bytes | None) -> str:
    words = [f"All of it verifies: {_count(found.records, 'record')}, every byte."]
    if found.seals:
        sealed = found.seals[-1].sequence
        upto = "all of them" if sealed == found.records else f"those to {number(sealed, 0)}"
        words.append(f"A signature covers {upto}.")
        if public is None:
            words.append("Whose it is was not checked: give the public key with --key.")
        else:
            words.append("It was made with the key that you gave.")
    else:
        words.append("It is not sealed, so a journal that was written anew would pass, too.")
    if found.keys and found.opened == found.records:
        words.append("It is encrypted; all of it was decrypted, too.")
    elif found.keys:
        opened = f"{number(found.opened, 0)} of its records were decrypted"
        words.append(f"It is encrypted, and {opened} with the keys that are at hand.")
    if found.torn_bytes:
        words.append(
            f"Behind the end an interrupted write left {_count(found.torn_bytes, 'byte')}, never "
            "said to be durable; the next writer sets them aside."
        )
    return " ".join(words)


def _count(value: int, what: str) -> str:
    return f"{number(value, 0)} {what}{'' if value == 1 else 's'}"


def _at(ts: int | None) -> str:
    return NONE if ts is None else f"{utc(ts)} UTC"


# -- seal and key ----------------------------------------------------------------------------
def seal_journal(folder: Path, key: Path | None, *, as_json: bool) -> None:
    """Sign where a journal ends."""
    require_journal(folder)
    secret = read_secret_key(key)
    reader = Reader(folder)
    reader.read()
    with Journal(folder, reader.stream or "") as journal:
        earlier = seals_of(folder)
        is_new = not earlier or earlier[-1].sequence < journal.head.sequence
        seal = journal.seal(secret, time.time_ns()) if is_new else earlier[-1]
    if as_json:
        print_json({"stream": seal.stream, "new": is_new, **_seal_facts(seal)})
        return
    sealed = f"{seal.stream}, records 1 to {number(seal.sequence, 0)}"
    if is_new:
        say(f"Sealed {sealed}; wrote {folder / seal.file_name}")
        say("Keep a copy of that file elsewhere: only it shows that all of this was removed.")
    else:
        say(f"Nothing to do: {sealed}, are sealed since {_at(seal.ts)}.")
    next_steps(
        [
            f"qv journal verify {folder} --key {seal.key.hex()}",
            f"qv journal export {folder} --proof FOLDER",
        ]
    )


def new_key(out: Path, *, as_json: bool) -> None:
    """Make a key that seals; only its public half is printed."""
    public = make_key(out)
    beside = out.with_name(f"{out.name}.pub")
    if as_json:
        print_json({"secret": str(out), "public": str(beside), "key": public.hex()})
        return
    say(f"wrote {out}, for you alone: who has it can sign in your name")
    say(f"wrote {beside}, to be handed to whoever checks")
    say(f"Public key: {public.hex()}")
    next_steps([f"export {KEY_VARIABLE}={out.absolute()}", "qv journal seal FOLDER"])
