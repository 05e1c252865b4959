"""Which files strategies open while they decide."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

__all__ = ["files_opened"]

_QUIET = (".py", ".pyc", ".so", ".toml", ".pyd")
_READERS = ("polars.io", "pyarrow", "duckdb")
"""Packages that open files below Python, where no audit event tells."""
_VERBS = ("read_", "scan_", "open", "dataset", "connect", "query", "sql", "memory_map")
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
    readers, their calls tell. A compiled function that is called without one goes unseen.
    """
    opened: dict[str, tuple[str, int]] = {}

    def note(path: str, frame: FrameType | None) -> None:
        while frame is not None:
            name = files.get(frame.f_code.co_filename)
            if name is not None:
                opened.setdefault(name, (path, frame.f_lineno))
                return
            frame = frame.f_back

    def audited(event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not arguments or not isinstance(arguments[0], str):
            return
        if not arguments[0].endswith(_QUIET):
            note(arguments[0], sys._getframe(2))

    _hook()
    _notes.append(audited)
    try:
        with _calls_of(_reader_codes(), note):
            yield opened
    finally:
        _notes.remove(audited)


@contextmanager
def _calls_of(
    codes: list[CodeType], note: Callable[[str, FrameType | None], None]
) -> Iterator[None]:
    monitoring = sys.monitoring
    if monitoring.get_tool(_TOOL) is not None:
        yield  # a profiler of the user's has it, and keeps it
        return

    def started(code: CodeType, offset: int) -> None:
        frame = sys._getframe(1)
        first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        path = first if isinstance(first, str | Path) else code.co_name
        note(str(path), frame.f_back)

    monitoring.use_tool_id(_TOOL, "quantvista")
    try:
        monitoring.register_callback(_TOOL, monitoring.events.PY_START, started)
        for code in codes:
            monitoring.set_local_events(_TOOL, code, monitoring.events.PY_START)
        yield
    finally:
        for code in codes:
            monitoring.set_local_events(_TOOL, code, 0)
        monitoring.register_callback(_TOOL, monitoring.events.PY_START, None)
        monitoring.free_tool_id(_TOOL)


def _reader_codes() -> list[CodeType]:
    """List the code of functions that open files, of packages that are loaded."""
    codes: dict[CodeType, None] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith(_READERS):
            continue
        for value in list(vars(module).values()):
            function = inspect.unwrap(value) if callable(value) else None
            if inspect.isfunction(function) and function.__name__.startswith(_VERBS):
                codes[function.__code__] = None
    return list(codes)


# An audit hook cannot be taken off again, so there is one, which does nothing unless told to.
_notes: list[Callable[[str, tuple[object, ...]], None]] = []
_hooked: list[bool] = []


def _hook() -> None:
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(lambda event, arguments: [n(event, arguments) for n in _notes] and None)
