"""Which files strategies and features open while they are at work."""

import importlib
import inspect
import os
import re
import sys
import sysconfig
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO, StringIO
from pathlib import Path
from types import CodeType, FrameType

from quantvista.features.causality._inputs import call

__all__ = ["files_opened"]

_QUIET = (".py", ".pyc", ".so", ".toml", ".pyd")
_INSTALLED = (
    *(sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib")),
    *zoneinfo.TZPATH,
    *("/dev/null", "/dev/random", "/dev/urandom", "/proc/", "/sys/"),
)
"""Where packages keep what they load as they are used, and the system its time zones."""
_CACHED = "__pycache__"
_LOADED = ("pyarrow.parquet", "pyarrow.dataset", "pyarrow.csv", "duckdb", "pandas")
_READERS = ("polars.io", "pyarrow", "duckdb", "_duckdb")
"""Packages that open files below Python, where no audit event tells."""
_VERBS = re.compile(
    r"(module_|_connection_)?(read_|scan_|open|dataset|connect$|query|sql|execute|memory_map|OSFile)"
)
_QUERIES = re.compile(r"(module_|_connection_)?(query|sql|execute)")
_NAMES_FILE = re.compile(r"\b(read|scan)_\w+\s*\(|\.\w+'|attach\b", re.IGNORECASE)
"""What a query says that reads files, not just tables that it is given."""
_TOOL = 4  # free for anyone's use, as 3 is


@contextmanager
def files_opened(files: Mapping[str, str]) -> Iterator[dict[str, tuple[str, int]]]:
    """Note what is opened while code of some files is at work.

    Parameters
    ----------
    files : mapping of str to str
        What to call the code of a file, by its resolved path.

    Yields
    ------
    dict of str to (str, int)
        What was opened first, by those names, and the line that did so. It fills while it is
        watched.

    Notes
    -----
    Python tells of what it opens itself, and so of what pandas and NumPy open. Of what the
    functions of Polars, PyArrow and DuckDB open, which are written in Python around compiled
    readers, their calls tell; and calls of compiled readers of PyArrow and DuckDB where those
    files make them. Other compiled code goes unseen.
    """
    opened: dict[str, tuple[str, int]] = {}

    def note(path: str, frame: FrameType | None) -> None:
        # Whoever asks for the check may stand in the same file as what is checked.
        while frame is not None and frame.f_code is not call.__code__:
            name = files.get(frame.f_code.co_filename)
            if name is not None:
                opened.setdefault(name, (path, frame.f_lineno))
                return
            frame = frame.f_back

    def audited(event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.fsdecode(arguments[0])
        quiet = path.endswith(_QUIET) or path.startswith(_INSTALLED) or _CACHED in path
        if not quiet and path not in sys.path:  # imports look into archives that are on it
            note(path, sys._getframe(2))

    _hook()
    _notes.append(audited)
    try:
        with _calls_of(_reader_codes(), files, note):
            yield opened
    finally:
        _notes.remove(audited)


@contextmanager
def _calls_of(
    codes: list[CodeType], files: Mapping[str, str], note: Callable[[str, FrameType | None], None]
) -> Iterator[None]:
    monitoring, events = sys.monitoring, sys.monitoring.events
    if monitoring.get_tool(_TOOL) is not None:
        yield  # a profiler of the user's has it, and keeps it
        return

    def started(code: CodeType, offset: int) -> None:
        frame = sys._getframe(1)
        given = [frame.f_locals.get(each) for each in code.co_varnames[: code.co_argcount]]
        texts = [each for each in given if isinstance(each, str | Path)]
        if _QUERIES.match(code.co_name):
            if any(_NAMES_FILE.search(str(each)) for each in texts):
                note(str(texts[0]), frame.f_back)
        elif not (given and isinstance(given[0], bytes | BytesIO | StringIO)):
            note(str(texts[0]) if texts else code.co_name, frame.f_back)

    def called(code: CodeType, offset: int, callee: object, argument: object) -> object:
        if code.co_filename not in files:
            return monitoring.DISABLE
        module, name = getattr(callee, "__module__", None), getattr(callee, "__name__", "")
        compiled = not inspect.isfunction(callee) and not inspect.ismethod(callee)
        if compiled and str(module).startswith(_READERS) and _VERBS.match(name):
            asked = isinstance(argument, str | Path) and argument != ":memory:"
            if asked or (argument is monitoring.MISSING and name != "connect"):
                note(str(argument) if asked else name, sys._getframe(1))
        return None

    monitoring.use_tool_id(_TOOL, "quantvista")
    try:
        monitoring.register_callback(_TOOL, events.PY_START, started)
        monitoring.register_callback(_TOOL, events.CALL, called)
        for code in codes:
            monitoring.set_local_events(_TOOL, code, events.PY_START)
        monitoring.restart_events()
        monitoring.set_events(_TOOL, events.CALL)
        yield
    finally:
        monitoring.set_events(_TOOL, 0)
        for code in codes:
            monitoring.set_local_events(_TOOL, code, 0)
        monitoring.register_callback(_TOOL, events.PY_START, None)
        monitoring.register_callback(_TOOL, events.CALL, None)
        monitoring.free_tool_id(_TOOL)


def _reader_codes() -> list[CodeType]:
    """List the code of functions that open files; packages are loaded where they are installed."""
    for name in _LOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    codes: dict[CodeType, None] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith(_READERS):
            continue
        for value in list(vars(module).values()):
            function = inspect.unwrap(value) if callable(value) else None
            if inspect.isfunction(function) and _VERBS.match(function.__name__):
                codes[function.__code__] = None
    return list(codes)


# An audit hook cannot be taken off again, so there is one, which does nothing unless told to.
_notes: list[Callable[[str, tuple[object, ...]], None]] = []
_hooked: list[bool] = []


def _hook() -> None:
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(lambda event, arguments: [n(event, arguments) for n in _notes] and None)
