"""What a file is taken for, in data and in words."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quantvista.data.importing._time import Time

__all__ = ["Understanding"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Understanding:
    """How a file is read.

    Parameters
    ----------
    where, format : str
        The file, and its format in words.
    kind : str
        Of the table that it becomes.
    layout : {"rows", "wide", "fields", "reader"}
        Rows of the kind; a column for each instrument; a column for each field of a series; or a
        vendor's own, which ``reader`` decodes.
    columns : mapping of str to str
        Our column to the file's.
    values : mapping of str to str
        Instrument or field to the file's column, of the layouts "wide" and "fields".
    kept : mapping of str to str
        Columns that are none of ours, under the name by which they are stored.
    numbers : frozenset of str
        Those of ``kept`` that hold numbers.
    time : Time or None
        None for tables without times.
    times : mapping of str to Time
        Of ``ts_received`` and ``known_at``, where the file has them.
    instrument, venue : str or None
        Whose rows these are, and what is appended to bare symbols.
    called : str
        Name of the file that ``instrument`` is made of; empty where it was said.
    calendar : str
        Of the dates of bars; empty where there are none.
    span : str
        What a time of a series begins, such as ``1mo``: it is known at its end.
    stamp, period_s : str, int
        Which end of a bar its time is, and its length; empty and 0 where there are no bars.
    scale : float
        Prices are divided by it.
    decimal : str
        Decimal mark of numbers as text; empty if none was said, which is a point.
    delay_s, known_at : int, int or None
        As of `ImportOptions`.
    reader : str
        Format of ``[[data.events]]`` that decodes it, ``factors``, or empty.
    use : tuple of str
        Streams of a recording.
    renamed : mapping of str to str
        Names for the columns of a file without a header.
    constants : mapping of str to datetime.date
        Columns that the name of the file stands for.
    guessed : tuple of str
        What was not clear, with what to say instead.
    """

    where: str
    format: str
    kind: str
    layout: str = "rows"
    columns: Mapping[str, str] = field(default=_NOTHING)
    values: Mapping[str, str] = field(default=_NOTHING)
    kept: Mapping[str, str] = field(default=_NOTHING)
    numbers: frozenset[str] = frozenset()
    time: Time | None = None
    times: Mapping[str, Time] = field(default=MappingProxyType({}))
    instrument: str | None = None
    venue: str | None = None
    called: str = ""
    calendar: str = ""
    span: str = ""
    stamp: str = ""
    period_s: int = 0
    scale: float = 1.0
    decimal: str = ""
    delay_s: int = 0
    known_at: int | None = None
    reader: str = ""
    use: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default=_NOTHING)
    constants: Mapping[str, dt.date] = field(default=MappingProxyType({}))
    guessed: tuple[str, ...] = ()

    def words(self) -> list[tuple[str, str]]:
        """Say it: what, and how it is read."""
        said = [("file", f"{self.where}: {self.format}"), ("kind", self._kind())]
        if self.columns:
            pairs = (f"{ours} = {theirs}" for ours, theirs in self.columns.items())
            said.append(("columns", ", ".join(pairs)))
        if self.values:
            names = list(self.values)
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            what = "instruments" if self.layout == "wide" else "fields"
            said.append((what, ", ".join(names[:6]) + more))
        if self.kept:
            said.append(("kept as they are", ", ".join(self.kept)))
        said.append(("time", self._time()))
        if self.instrument:
            said.append(("instrument", self.instrument))
        elif self.venue:
            said.append(("venue", self.venue))
        if self.scale != 1.0:
            said.append(("prices", f"divided by {self.scale:g}"))
        if self.decimal:
            said.append(("decimal mark", repr(self.decimal)))
        said += [("guessed", each) for each in self.guessed]
        return said

    def _kind(self) -> str:
        layout = {
            "rows": "a row for each",
            "wide": "a column for each instrument",
            "fields": "a column for each field",
            "reader": f"as {self.reader} has them",
        }[self.layout]
        return f"{self.kind}, {layout}"

    def _time(self) -> str:
        if self.time is None:
            return "none; all rows became known at one time" if not self.reader else "as recorded"
        text = self.time.words()
        if self.calendar:
            text += f"; known at the close of that session of {self.calendar}"
        if self.stamp == "open":
            text += f"; the open of a bar, known {self.period_s} s later"
        elif self.stamp:
            text += "; the close of a bar"
        if self.span:
            text += f"; known {self.span} later"
        if self.delay_s:
            text += f"; {self.delay_s} s of delay"
        return text
