"""What is wrong with a fund file, in words, with the line where it stands."""

import difflib
import re
from decimal import Decimal

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from quantvista.fund._model import field_names

__all__ = ["explain"]

_TABLE = re.compile(r"\s*(\[\[?)\s*([\w.\" -]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*\"?([\w-]+)\"?\s*[=.]")

Location = tuple[int | str, ...]


def explain(error: ValidationError, where: str, text: str = "") -> str:
    """Describe every problem on a line of its own.

    Parameters
    ----------
    error : pydantic.ValidationError
        From validating the fund.
    where : str
        The file, as messages name it; empty for none.
    text : str
        Its content, to find lines in.

    Returns
    -------
    str
        Lines such as ``fund.toml:7: `risk.weight_max` must be ...; found 1.5``.
    """
    lines = []
    problems = error.errors(include_url=False)
    wrong = {each["loc"][:depth] for each in problems for depth in range(1, len(each["loc"]))}
    for details in _fold(problems):
        # A table that is wrong inside is not counted, and would be said to be missing besides.
        if details["type"] == "too_short" and details["loc"] in wrong:
            continue
        location, message = _describe(details)
        number = _line(text, location)
        place = f"{where}:{number}: " if where and number else f"{where}: " if where else ""
        if (line := place + message) not in lines:
            lines.append(line)
    return "\n".join(lines)


def _fold(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """Make one problem of all the ids of a list or table that are written in the same wrong way."""
    folded: list[ErrorDetails] = []
    groups: dict[Location, list[str]] = {}
    for details in problems:
        where = details["loc"][:2]
        if details["type"] != _PATTERN or where not in _IDS or len(details["loc"]) == 2:
            folded.append(details)
            continue
        if where not in groups:
            groups[where] = []
            folded.append({**details, "input": groups[where], "loc": where})
        groups[where].append(details["input"])
    return folded


def _describe(details: ErrorDetails) -> tuple[Location, str]:
    # Unions add the name of the branch; only keys and positions of the file count.
    location = tuple(
        part for part in details["loc"] if isinstance(part, int) or re.fullmatch(r"[\w.-]+", part)
    )
    name, kind, message = _dotted(location), details["type"], details["msg"]
    if kind == "extra_forbidden":
        known = field_names(location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known)}"
        return location, f"`{name}` is unknown; {hint}"
    if kind == "missing":
        return location[:-1], f"`{name}` is required"
    if kind == "value_error":
        message = str(details["ctx"]["error"]) if "ctx" in details else message
        if message.startswith("`"):
            return _named(message) or location, message
    elif kind in ("model_type", "dict_type"):
        message = "must be a table"
    elif kind == "tuple_type":
        tables = location in _TABLES
        message = f"must be tables, written [[{name}]]" if tables else "must be a list"
    elif kind == _PATTERN and location in _IDS:
        names = details["input"] if isinstance(details["input"], list) else [details["input"]]
        shown = ", ".join(_shown(each) for each in names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        bare = not any("." in each for each in names)
        hint = '; set data.venue = "XNAS" to append a venue to bare symbols' if bare else ""
        return location, f"`{name}` must be written like AAPL.XNAS; found {shown}{more}{hint}"
    elif kind == _PATTERN:
        message = f"must be written like {_PATTERNS.get(str(location[-1]), 'AAPL.XNAS')}"
    elif kind in ("too_short", "too_long") and location == ("venue",):
        return location, f"`venue` must be there 1 to 64 times; found {len(details['input'])}"
    message = message.removeprefix("Value error, ")
    message = re.sub(r" after validation, not \d+$", "", message)
    message = re.sub(r"^(Input|Decimal input|String|Tuple) should ", "must ", message)
    return location, f"`{name}` {message}; found {_shown(details['input'])}"


_TABLES = (
    ("sleeve",),
    ("venue",),
    ("venue", "tiers"),
    ("instrument",),
    ("cash_flow",),
    ("data", "events"),
    ("data", "actions"),
)
_PATTERN = "string_pattern_mismatch"
_IDS = (("data", "instruments"), ("data", "sectors"), ("data", "benchmark"))
_PATTERNS = {"name": "my-fund", "id": "my-sleeve", "venue": "XNAS"}


def _dotted(location: Location) -> str:
    name = ""
    for part in location:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def _named(message: str) -> Location | None:
    """Find the place that a message of a whole section speaks of."""
    found = re.match(r"`\[?([\w.]+)\]?`", message)
    return tuple(found[1].split(".")) if found else None


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _line(text: str, location: Location) -> int | None:
    """Line of a key, else of its section; None if neither is written as such."""
    table: Location = ()
    counts: dict[str, int] = {}
    best: int | None = None
    depth = 0  # of the table that is nearest so far
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = tuple(part.strip(' "') for part in header[2].split("."))
            if header[1] == "[[":
                counts[header[2]] = counts.get(header[2], -1) + 1
                table = (*table, counts[header[2]])
            if location[: len(table)] == table and len(table) > depth:
                best, depth = number, len(table)
        elif (key := _KEY.match(line)) and location[: len(table) + 1] == (*table, key[1]):
            return number
    return best
