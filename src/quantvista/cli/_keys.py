"""What ``qv keys`` makes and shows; never a key."""

import shlex
from pathlib import Path

from quantvista.cli._print import next_steps, print_json, say
from quantvista.journal import ring_of
from quantvista.keyring import KEY_RING_VARIABLE, add_key, make_ring, read_ring

__all__ = ["make_keys", "rotate_keys", "show_keys"]


def make_keys(out: Path, *, as_json: bool) -> None:
    """Make a ring."""
    make_ring(out)
    ids = _ids(out)
    if as_json:
        print_json({"ring": str(out), "keys": ids})
        return
    say(f"wrote {out}, for you alone: who has it can read what it encrypts")
    say("Keep a copy elsewhere: without it all of that is lost.")
    say("In the fund file, to encrypt the journals of a new fund:")
    say("")
    say(f'[storage]\nencrypted = true\nkey_ring = "{out}"')
    next_steps(
        [f"export {KEY_RING_VARIABLE}={shlex.quote(str(out.absolute()))}", "qv up fund.toml"]
    )


def rotate_keys(path: Path, *, as_json: bool) -> None:
    """Add a key to a ring."""
    add_key(path)
    ids = _ids(path)
    if as_json:
        print_json({"ring": str(path), "keys": ids})
        return
    say(f"{path}: key {ids[-1]} encrypts from now on; {len(ids)} keys")
    say("Copy the ring again to where its copy is kept. Journals take the key when they start")
    say("next, lakes with what is written next; `qv data encrypt` encrypts a lake anew.")


def show_keys(path: Path | None, *, as_json: bool) -> None:
    """Print names of keys."""
    ids = _ids(path)
    if as_json:
        print_json({"keys": ids})
        return
    for each in ids[:-1]:
        say(f"{each}  reads what was encrypted with it")
    say(f"{ids[-1]}  encrypts")


def _ids(path: Path | None) -> list[str]:
    return ring_of(read_ring(path)).ids
