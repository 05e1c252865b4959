"""What decides the values of a user's operator: its code, and what that code calls and reads."""

import ast
import functools
import hashlib
import inspect
import textwrap
from collections import deque
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

__all__ = ["MEMORIES", "code_digest", "reached"]

MEMORIES = (list, dict, set, deque)
"""Types of values in which something can be kept."""

_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_WRITTEN_BY_DATACLASS = frozenset(
    {"__init__", "__repr__", "__eq__", "__hash__", "__lt__", "__le__", "__gt__", "__ge__"}
)


def code_digest(own: type, base: type) -> str:
    """Hash a class: the same while it computes the same, whatever its comments say.

    Parameters
    ----------
    own, base : type
        The class, and the one that it extends; what ``base`` does is not looked at.

    Returns
    -------
    str
        SHA-256 in hexadecimal of its methods and constants, of the classes between it and
        ``base``, and of the functions, classes and plain values of its own modules that they name.
    """
    parts: list[str] = []
    done: set[int] = set()
    for name, found in reached(own, base):
        value = _unwrapped(found)
        if _plain(value):
            parts.append(f"{name} = {value!r}")
        elif isinstance(value, FunctionType) and id(value) not in done:
            done.add(id(value))
            parts.append(f"{name}: {_written(value)}")
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


def reached(own: type, base: type) -> Iterator[tuple[str, object]]:
    """List what a class is made of and what its code names, as far as that is of its own modules.

    Parameters
    ----------
    own, base : type
        As of `code_digest`.

    Yields
    ------
    tuple of (str, object)
        Functions, with what wraps them, classes, and values of any module.
    """
    modules = {each.__module__ for each in _between(own, base)}
    done: set[int] = set()
    waiting: list[tuple[str, object]] = [("", own)]
    while waiting:
        name, found = waiting.pop()
        value = _unwrapped(found)
        code = isinstance(value, FunctionType | type)
        if code and value.__module__ not in modules:
            continue
        yield name, found
        if not code or id(value) in done:
            continue
        done.add(id(value))
        if isinstance(value, FunctionType):
            waiting += sorted(_named_by(value), key=lambda each: each[0])
        elif isinstance(value, type):
            for each in _between(value, base):
                waiting += _members(each)


def _unwrapped(value: object) -> object:
    """Give the function that a cache or another decorator stands for."""
    if isinstance(value, functools.cached_property):
        return value.func
    return inspect.unwrap(value) if callable(value) and hasattr(value, "__wrapped__") else value


def _between(own: type, base: type) -> list[type]:
    return [each for each in own.__mro__ if each is not object and each not in base.__mro__]


def _plain(value: object) -> bool:
    if isinstance(value, tuple | list | frozenset | set):
        return all(_plain(each) for each in value)
    if isinstance(value, dict):
        return all(_plain(each) for pair in value.items() for each in pair)
    return isinstance(value, _PLAIN)


def _members(own: type) -> Iterator[tuple[str, object]]:
    """Give the methods and constants of a class, but not what every dataclass is given."""
    for name, value in sorted(vars(own).items()):
        place = f"{own.__qualname__}.{name}"
        if isinstance(value, property):
            accessors = (value.fget, value.fset)
            yield from ((place, each) for each in accessors if each is not None)
        elif isinstance(value, staticmethod | classmethod):
            yield place, value.__func__
        elif isinstance(value, functools.cached_property) or hasattr(value, "cache_clear"):
            yield place, value
        elif isinstance(value, FunctionType):
            written = value.__code__.co_filename != "<string>"
            if written or name not in _WRITTEN_BY_DATACLASS:
                yield place, inspect.unwrap(value)
        elif isinstance(value, type) or (
            not name.startswith("__") and (_plain(value) or isinstance(value, MEMORIES))
        ):
            yield place, value


def _named_by(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Give what a function's code refers to: globals, what it closes over, defaults."""
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if value is not None and not isinstance(value, ModuleType):
            yield name, value
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            yield name, cell.cell_contents
        except ValueError:  # it is not filled yet
            continue
    keywords = function.__kwdefaults__ or {}
    for place, value in [*enumerate(function.__defaults__ or ()), *keywords.items()]:
        yield f"{function.__qualname__}({place})", value


def _names(code: CodeType) -> set[str]:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*(_names(each) for each in inner))


def _written(function: FunctionType) -> str:
    """Give the source without comments, layout and docstrings; the bytecode where there is none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return _compiled(function.__code__)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _compiled(code: CodeType) -> str:
    constants = [
        _compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"
