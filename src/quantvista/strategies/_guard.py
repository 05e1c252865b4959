"""Calling users' code: what it raises becomes a `StrategyError` that says where."""

import linecache
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType

from quantvista.errors import (
    EngineError,
    OutputError,
    RunInterruptedError,
    StrategyError,
    printable,
)
from quantvista.strategies._base import EventStrategy, PortfolioStrategy, Strategy

__all__ = ["iso_utc", "raised_error", "run_guarded", "strategy_error"]

_BASES = (EventStrategy, PortfolioStrategy, Strategy)
_NS = 1_000_000_000


def run_guarded[**P, T](
    strategy: Strategy,
    handler: str,
    function: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call ``function``, part of a strategy; an exception of it becomes a `StrategyError`.

    Where the instrument or the time is known, catch and use `strategy_error` instead.
    """
    try:
        return function(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise strategy_error(error, strategy, handler) from error


def strategy_error(
    error: BaseException,
    strategy: Strategy,
    handler: str,
    *,
    instrument: str | None = None,
    ts: int | None = None,
    sleeve: str | None = None,
) -> BaseException:
    """Make the error to raise for what a handler of a strategy raised.

    Parameters
    ----------
    error : BaseException
        What was caught, of whatever kind but `KeyboardInterrupt`.
    strategy : Strategy
        Whose code ran.
    handler : str
        ``"forecast"``, ``"on_bar"``, ...
    instrument : str, optional
        Id, where the event has one.
    ts : int, optional
        Time of the event, UTC ns.
    sleeve : str, optional
        Id of the sleeve.

    Returns
    -------
    BaseException
        A `StrategyError` with the source line of the deepest frame in the user's file; or
        ``error`` itself where the strategy is not to blame (the engine stopped, the disk is
        full, the user pressed Ctrl-C).
    """
    if isinstance(error, EngineError | OutputError | RunInterruptedError | KeyboardInterrupt):
        return error
    what = f"strategy {type(strategy).__name__!r}"
    if sleeve is not None:
        what += f" of sleeve {sleeve!r}"
    where = f"`{handler}`"
    if instrument is not None:
        where += f" for instrument {instrument!r}"
    if ts is not None:
        where += f" at {iso_utc(ts)}"
    codes = _codes(type(strategy))
    return raised_error(error, f"{what} failed in {where}", codes, codes.get(handler))


def raised_error(
    error: BaseException,
    what: str,
    codes: dict[str, CodeType],
    fallback: CodeType | None = None,
    files: Iterable[str] = (),
) -> StrategyError:
    """Describe an exception of user code with its place.

    Parameters
    ----------
    error : BaseException
        What was raised.
    what : str
        The start of the message.
    codes : dict
        The user's functions; their files are the user's files.
    fallback : CodeType, optional
        The function to name if no frame lies in these files (a wrong signature, say).
    files : iterable of str
        More files of the user.
    """
    own = {code.co_filename for code in codes.values()} | set(files)
    message = f"{what}: {type(error).__name__}"
    text = printable(error)
    if text:
        message += f": {text}"
    frames = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__, limit=None)
        if frame.filename in own and frame.lineno is not None
    ]
    if frames:
        message += "\n" + _source_line(*frames[-1])
    elif fallback is not None:
        message += "\n" + _source_line(fallback.co_filename, fallback.co_firstlineno)
    return StrategyError(printable(message))


def iso_utc(ts: int) -> str:
    """Write UTC nanoseconds as ISO 8601.

    Examples
    --------
    >>> iso_utc(1_577_912_400_000_000_000)
    '2020-01-01T21:00:00Z'
    >>> iso_utc(1_577_912_400_000_000_001)
    '2020-01-01T21:00:00.000000001Z'
    """
    seconds, fraction = divmod(int(ts), _NS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}Z" if fraction else f"{text}Z"


def _codes(cls: type[Strategy]) -> dict[str, CodeType]:
    """Functions that the user wrote, by name, the most derived class first."""
    codes: dict[str, CodeType] = {}
    for each in cls.__mro__:
        if each in _BASES or not issubclass(each, Strategy):
            continue
        for name, value in vars(each).items():
            function = value.fget if isinstance(value, property) else value
            code = getattr(function, "__code__", None)
            if isinstance(code, CodeType):
                codes.setdefault(name, code)
    return codes


def _source_line(filename: str, line: int) -> str:
    path = Path(filename)
    try:
        if path.is_absolute() and path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
    except OSError:  # the working folder is gone
        pass
    text = linecache.getline(filename, line).strip()
    return f"  {path}:{line}: {text}" if text else f"  {path}:{line}"
