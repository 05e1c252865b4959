"""``qv keys``: the ring of keys that journals, lakes and backups are encrypted with."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["keys_app"]

keys_app = typer.Typer(
    help="Key rings: the keys of what is encrypted on this machine.",
    epilog="Start with: qv keys make coins.keys    then: export QV_KEY_RING=$PWD/coins.keys",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@keys_app.command(epilog="Example: qv keys make coins.keys")
@guarded
def make(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")], json: Json = False
) -> None:
    """Make a key ring, in a file that only you can read.

    Its one key is 32 random bytes. Keep a copy where neither the fund nor its backups are: without
    it nobody can read what it encrypts.
    """
    from quantvista.cli._keys import make_keys

    make_keys(out, as_json=json)


@keys_app.command(epilog="Example: qv keys rotate coins.keys")
@guarded
def rotate(
    ring: Annotated[Path, typer.Argument(metavar="FILE", help="A key ring.")], json: Json = False
) -> None:
    """Add a new key to a ring; it encrypts from now on, and the others stay to read with.

    A journal takes it with its next start, a lake with what is written next; what they hold stays
    as it is. Copy the ring again to where its copy is kept.
    """
    from quantvista.cli._keys import rotate_keys

    rotate_keys(ring, as_json=json)


@keys_app.command(epilog="Examples: qv keys show coins.keys    qv keys show")
@guarded
def show(
    ring: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A key ring; as $QV_KEY_RING says.")
    ] = None,
    json: Json = False,
) -> None:
    """Print what the keys of a ring are called, as journals call them; never the keys."""
    from quantvista.cli._keys import show_keys

    show_keys(ring, as_json=json)
