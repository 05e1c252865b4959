"""The command ``qv``. Commands load what they need, so that ``qv --help`` is quick."""

import io
import os
import sys

__all__ = ["main"]

_AT_ONCE = ("halt", "reduce", "resume", "flatten")


def main() -> None:
    """Run ``qv`` with the arguments of the process."""
    try:
        # Whoever closed a stream wants nothing on it; a file must not be opened in its place.
        for name in ("stdin", "stdout", "stderr"):
            if getattr(sys, name) is None:
                mode = "r" if name == "stdin" else "w"
                setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - stays open
        # A terminal that cannot show a sign shows a question mark, not a traceback.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        words = sys.argv[1:]
        # Halting cannot wait for what the other commands load. The shell's completion goes by an
        # environment variable, and is Typer's.
        if words and words[0] in _AT_ONCE and "_QV_COMPLETE" not in os.environ:
            from quantvista.cli._operator import at_once

            code = at_once(words)
            if code is not None:
                sys.exit(code)
        from quantvista.cli._app import app

        app(prog_name="qv")
    except KeyboardInterrupt:  # while libraries are still being loaded
        sys.exit(130)
