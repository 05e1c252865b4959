"""Records on the terminal: one a line, or in full."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from quantvista.cli._journal import kind_numbers, known_kinds, utc
from quantvista.cli._print import MINUS, console, number, print_json, say
from quantvista.errors import ConfigError
from quantvista.journal import Entry, Reader, Record, Selection, records, require_journal, tail

__all__ = ["range_of", "show_records", "tail_journal"]


# -- tail ------------------------------------------------------------------------------------
def tail_journal(
    folder: Path, count: int, *, follow: bool, kinds: list[str], as_json: bool
) -> None:
    """Print the last records, and those that come."""
    require_journal(folder)
    chosen = Selection(kinds=kind_numbers(kinds))
    printer = _Lines(as_json=as_json)
    # Where to go on is decided before, so that what comes meanwhile is printed once.
    newest = tail(folder, 1)
    end = newest[-1].sequence if newest else 0
    printer.print(record for record in tail(folder, count, chosen.takes) if record.sequence <= end)
    if not follow:
        if not newest and not as_json:
            say("No record is durable yet.")
        return
    try:
        for batch in Reader(folder, end + 1).follow():
            printer.print(record for record in batch if chosen.takes(record))
    except KeyboardInterrupt:  # how one leaves
        raise typer.Exit(130) from None


class _Lines:
    """A line a record; the date stands above where it changes."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._kinds = known_kinds()
        self._console = console()
        self._date = ""

    def print(self, found: Iterable[Record]) -> None:
        """Print records, now."""
        for record in found:
            entry = self._kinds.entry(record)
            if self._as_json:
                sys.stdout.write(json.dumps(entry.to_dict(), ensure_ascii=False) + "\n")
            else:
                self._line(entry)
        sys.stdout.flush()

    def _line(self, entry: Entry) -> None:
        date, clock = utc(entry.ts, 6).split(" ")
        if date != self._date:
            self._date = date
            self._console.print(Text(f"{date} UTC", style="bold"))
        line = Text.assemble(
            (f"{entry.sequence:>9}  ", "dim"),
            f"{clock}  ",
            (f"{entry.kind:<8} ", "yellow" if entry.problem else "cyan"),
            summary(entry.value),
        )
        self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def summary(value: Any) -> str:  # noqa: ANN401 - plain values of any kind
    """Write a value on one line: what it is, then its fields; what is empty is left out.

    Examples
    --------
    >>> summary({"text": "node started", "by": "node"})
    'text=node started by=node'
    >>> summary({"ts_event": 1, "source": 0, "event": {"cancel_order": {"order": 4}}})
    'cancel_order order=4'
    >>> summary({"verdict": {"ts": 1, "figure": {"money": 5}, "limits": [1, 2], "x": None}})
    'verdict figure.money=5 limits=[2]'
    """
    if isinstance(value, dict) and isinstance(value.get("event"), dict | str):
        value = value["event"]
    words = []
    while isinstance(value, dict) and len(value) == 1:
        [(name, inside)] = value.items()
        if not isinstance(inside, dict):
            break
        words.append(str(name))
        value = inside
    if not isinstance(value, dict):
        return " ".join([*words, _word(value)])
    return " ".join([*words, *_fields(value, "")])


def _fields(value: dict[Any, Any], prefix: str) -> list[str]:
    found = []
    for name, inside in value.items():
        if isinstance(inside, dict):
            found += _fields(inside, f"{prefix}{name}.")
        elif inside is not None and name != "ts":
            found.append(f"{prefix}{name}={_word(inside)}")
    return found


def _word(value: object) -> str:
    if isinstance(value, list):
        return f"[{len(value)}]"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return " ".join(str(value).split())
    return str(value).replace("-", MINUS)


# -- show ------------------------------------------------------------------------------------
def show_records(folder: Path, sequences: str, *, kinds: list[str], as_json: bool) -> None:
    """Print records in full."""
    require_journal(folder)
    first, last = range_of(sequences, option="SEQ")
    chosen = Selection(first, last, kind_numbers(kinds))
    known = known_kinds()
    count = 0
    listed: list[dict[str, Any]] = []
    for record in records(folder, chosen):
        entry = known.entry(record)
        count += 1
        if as_json:
            listed.append(entry.to_dict())
        else:
            _show(entry, is_first=count == 1)
    if not count:
        raise ConfigError(_nothing(folder, sequences, has_filter=bool(kinds)))
    if as_json:
        print_json(listed)


def _show(entry: Entry, *, is_first: bool) -> None:
    out = console()
    if not is_first:
        say("")
    head = f"record {number(entry.sequence, 0)}"
    when = f"{utc(entry.ts, 9)} UTC"
    name = entry.kind if entry.kind.isdecimal() else f"{entry.kind} ({entry.number})"
    out.print(
        Text.assemble((head, "bold"), f"  {when}  ", (name, "cyan"), f", version {entry.version}")
    )
    if entry.problem:
        out.print(Text(entry.problem, style="yellow"), soft_wrap=True)
    text = json.dumps(entry.value, indent=2, ensure_ascii=False)
    out.print(Text(text), soft_wrap=True)


def _nothing(folder: Path, sequences: str, *, has_filter: bool) -> str:
    newest = tail(folder, 1)
    end = newest[-1].sequence if newest else 0
    known = f"records 1 to {number(end, 0)}" if end else "no record yet"
    what = f"{sequences} of these kinds" if has_filter else sequences
    return f"`SEQ` must name records that are there; found {what}; {folder} has {known}"


def range_of(text: str, *, option: str) -> tuple[int, int | None]:
    """Read ``5``, ``5..9``, ``5..`` or ``..9``.

    Examples
    --------
    >>> range_of("5", option="SEQ"), range_of("5..", option="SEQ"), range_of("..9", option="SEQ")
    ((5, 5), (5, None), (1, 9))

    Raises
    ------
    ConfigError
        If it is something else, or ends before it begins.
    """
    start, dots, end = text.replace(",", "").partition("..")
    parts = [part for part in (start, end) if part]
    if not parts or not all(part.isdecimal() for part in parts):
        raise ConfigError(f"`{option}` must be SEQ, SEQ..SEQ, SEQ.. or ..SEQ; found {text!r}")
    first = int(start or 1)
    last = int(end) if end else None if dots else first
    if first < 1 or (last is not None and last < first):
        raise ConfigError(f"`{option}` must begin at 1 or later and not end before; found {text!r}")
    return first, last
