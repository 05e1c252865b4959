"""Errors end a command once, in words, with the exit code of their kind."""

import errno
import functools
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

import typer

from quantvista.errors import (
    BackupError,
    ConfigError,
    MarketDataError,
    OutputError,
    QuantVistaError,
    RunInterruptedError,
    StrategyError,
    printable,
)

__all__ = ["guarded", "set_debug"]

_HINTS: tuple[tuple[type[QuantVistaError], str], ...] = (
    (ConfigError, "Correct the fund file or the option; `qv schema` describes every key."),
    (MarketDataError, "Correct the data or the [data] section; nothing was run."),
    (StrategyError, "Correct the strategy; --debug shows the whole traceback."),
    (RunInterruptedError, "What was written is marked incomplete; run it again for the whole."),
)

_PLACES = ("out", "output", "lake")  # options that say where a command writes
_debug = False


def set_debug(on: bool) -> None:
    """Show tracebacks from now on, or not."""
    global _debug
    _debug = on


def guarded[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn errors of a command into a message and an exit code.

    Parameters
    ----------
    command : callable
        The command.

    Returns
    -------
    callable
        The same with the same signature, which is what Typer reads its options from.
    """

    @functools.wraps(command)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except typer.Exit:
            raise
        except SystemExit as error:  # nothing of ours raises it in a command
            if isinstance(error.__context__, BrokenPipeError):  # Rich does, and has cleaned up
                raise typer.Exit(1) from None
            what = f"code of yours ended the program: SystemExit: {printable(error)}"
            raise _fail(what, _hint(StrategyError()), StrategyError.exit_code) from None
        except BrokenPipeError:  # as in `qv schema | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except QuantVistaError as error:
            raise _fail(str(error), _hint(error, kwargs), error.exit_code) from None
        except KeyboardInterrupt:
            raise _fail("stopped", "", RunInterruptedError.exit_code) from None
        except OSError as error:
            raise _fail(_os_error(error), _hint(OutputError(), kwargs), 1) from None
        except BaseException as error:
            what = f"internal error: {type(error).__name__}: {printable(error)}"
            hint = "This is a mistake of QuantVista; --debug shows where. Please report it."
            raise _fail(what, hint, 1) from None

    return inner


def _fail(message: str, hint: str, code: int) -> typer.Exit:
    from rich.console import Console
    from rich.text import Text

    if _debug:
        import traceback

        traceback.print_exc()
    console = Console(stderr=True, highlight=False)
    console.print(Text(f"error: {message}", style="red"), soft_wrap=True)
    if hint and not ("another folder" in hint and "--out" in message):  # some say it themselves
        console.print(Text(hint), soft_wrap=True)
    return typer.Exit(code)


def _hint(error: QuantVistaError, options: Mapping[str, object] = MappingProxyType({})) -> str:
    if isinstance(error, OutputError):
        places = " or ".join(f"--{name}" for name in _PLACES if name in options)
        return f"Free some space, or choose another folder{f' with {places}' if places else ''}."
    if str(error).startswith(("`--yes`", "stopped; ")):
        return ""  # it says itself what to do
    if str(error).startswith("`run_dir`"):
        return "Name a folder that `qv run` wrote, such as out/demo."
    if isinstance(error, BackupError) or str(error).startswith("`backup`"):
        return ""  # it says itself what to do
    if str(error).startswith(("`folder`", "`journal`", "`SEQ`", "the journal ")):
        return ""  # it says itself what to do
    if str(error).startswith(("`python`", "`--")):
        return "Correct the option; --help shows them all."
    if isinstance(error, MarketDataError) and ("--" in str(error) or "`dataset`" in str(error)):
        return ""  # it says itself what to do
    return next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")


def _os_error(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {error.filename or 'the output cannot be written'}"
    reason = (error.strerror or type(error).__name__).lower()
    return f"{reason}: {error.filename}" if error.filename else reason
