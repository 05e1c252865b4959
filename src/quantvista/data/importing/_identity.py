"""Whose an id was in earlier imports, so that it does not become another's in silence."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from quantvista.data.lake import NAMES, Snapshot
from quantvista.errors import MarketDataError

__all__ = ["DATED", "EVENTS", "Identities", "overlapping", "renamed", "resumed"]

DATED = ("bars", "quote_bars")
"""Kinds in which an instrument that trades has rows all the time."""

EVENTS = ("quotes", "trades", "levels", "orders")
"""Kinds of events, of which nothing tells whether they are there already."""

_BETWEEN = re.compile(r"(?<=[A-Z0-9.&])[-/: ]+(?=[A-Z0-9.&])")
_SILENT_DAYS = 90
_SILENT_NS = _SILENT_DAYS * 86_400 * 10**9
_SHOWN = 5


class Identities:
    """Ids of a dataset, and the names that imports made them of.

    Parameters
    ----------
    snapshot : Snapshot
        The commit before, which says what earlier imports called each id.
    where : str
        What messages call the names of this import.

    Notes
    -----
    Rows that were written by other means than an import have ids and no names: nothing is said of
    them.
    """

    def __init__(self, snapshot: Snapshot, where: str) -> None:
        stored = snapshot.manifest.notes.get(NAMES, {})
        self._names: dict[str, list[str]] = {made: list(names) for made, names in stored.items()}
        self._where = where
        self._told: dict[str, tuple[str, str]] = {}

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Names by id, those of this import included."""
        return self._names

    def claim(self, made: str, name: str) -> None:
        """Note the name of an id.

        Raises
        ------
        MarketDataError
            If the id was made of a name that is another, by more than what stands between its
            parts.
        """
        said = _said(made, name)
        names = self._names.setdefault(made, [])
        if said in names:
            return
        if names and _parts(said) not in map(_parts, names):
            raise MarketDataError(
                f"{self._where}: names must stay apart; found {said!r}, which would be {made}, as "
                f"which the dataset has {names[0]!r}: rename it, or import it alone with "
                f"--instrument, which may be {made} if both are one"
            )
        if names:
            self._told[made] = (names[0], said)
        names.append(said)

    def given(self, made: str) -> None:
        """Note an id that the user gave, which is right whatever the names were."""
        if made not in self._names:
            self._names[made] = [_said(made, made)]

    def notes(self) -> list[str]:
        """Say which ids have names of several spellings, and what to do if that is wrong."""
        told = [f"{made} for {old!r} and {new!r}" for made, (old, new) in self._told.items()]
        if not told:
            return []
        return [
            f"Names that are taken for one instrument: {_some(told)}. If they are two, import "
            "these rows into another dataset, with --instrument."
        ]


def resumed(
    snapshot: Snapshot, kind: str, spans: Mapping[str, tuple[int, int]], known: Collection[str]
) -> list[str]:
    """Say which symbols were silent so long that another company may have them now.

    Parameters
    ----------
    snapshot : Snapshot
        The commit before.
    kind : str
        One of `DATED`.
    spans : mapping of str to (int, int)
        First and last ``ts_event`` of the rows that come, by instrument.
    known : collection of str
        Ids of earlier imports.

    Returns
    -------
    list of str
        One note at most.
    """
    again = {name: span for name, span in spans.items() if name in known}
    if kind not in snapshot.kinds or not again:
        return []
    near = _bounds(snapshot, kind, again, _SILENT_NS)
    silent = {name: span for name, span in again.items() if name not in near}
    stored = _bounds(snapshot, kind, silent, None) if silent else {}
    told = []
    for name, (first, last) in stored.items():
        begin, end = silent[name]
        gap = (last, begin) if begin > last else (end, first)
        if gap[0] < gap[1]:  # else what comes fills a gap, or lies around what is there
            told.append(f"{name} between {_day(gap[0])} and {_day(gap[1])}")
    if not told:
        return []
    return [
        f"No {kind.replace('_', ' ')} for more than {_SILENT_DAYS} days: {_some(sorted(told))}. If "
        "the symbol has passed to another company meanwhile, keep these rows under an id of their "
        "own in another dataset (--instrument)."
    ]


def overlapping(snapshot: Snapshot, kind: str, spans: Mapping[str, tuple[int, int]]) -> list[str]:
    """Say of which instruments there are events already within the time of those that come.

    Parameters
    ----------
    snapshot : Snapshot
        The commit before.
    kind : str
        One of `EVENTS`.
    spans : mapping of str to (int, int)
        As of `resumed`.

    Returns
    -------
    list of str
        One note at most.
    """
    if kind not in snapshot.kinds or not spans:
        return []
    found = _bounds(snapshot, kind, spans, 0)
    told = [f"{name} from {_time(low)} to {_time(high)}" for name, (low, high) in found.items()]
    if not told:
        return []
    return [
        f"There were {kind} of the same time already: {_some(sorted(told))}. If they are the same, "
        "they count twice: import both recordings at once, or one of them alone, into another "
        "dataset."
    ]


def renamed(snapshot: Snapshot, names: Mapping[str, str]) -> list[str]:
    """Say which symbols belong to a company of another name than before.

    Parameters
    ----------
    snapshot : Snapshot
        The commit before.
    names : mapping of str to str
        Fact ``name`` of the rows that come, by instrument.

    Returns
    -------
    list of str
        One note at most.
    """
    if "reference" not in snapshot.kinds or not names:
        return []
    facts = snapshot.scan(
        "reference", instruments=list(names), columns=["instrument", "field", "value", "ts_event"]
    )
    facts = facts.filter(pl.col("field") == "name").sort("ts_event", maintain_order=True)
    last = facts.group_by("instrument", maintain_order=True).last().collect()
    told = [
        f"{made} was {old!r} and is {names[made]!r}"
        for made, old in last.select("instrument", "value").iter_rows()
        if old is not None and old.casefold() != names[made].casefold()
    ]
    if not told:
        return []
    return [
        f"Names of companies changed: {_some(sorted(told))}. If the symbol has passed to another "
        "company, that one needs an id of its own (--instrument), in another dataset."
    ]


def _bounds(
    snapshot: Snapshot, kind: str, spans: Mapping[str, tuple[int, int]], around: int | None
) -> dict[str, tuple[int, int]]:
    """First and last stored times by instrument, of all rows or of those near some times."""
    start, end = None, None
    if around is not None:
        start = min(first for first, _ in spans.values()) - around
        end = max(last for _, last in spans.values()) + around + 1
    rows = snapshot.scan(
        kind,
        start=start,
        end=end,
        instruments=list(spans),
        columns=["instrument", "ts_event"],
        vintages=True,
    )
    if around is not None:
        bounds = pl.LazyFrame(
            [(name, *span) for name, span in spans.items()],
            schema={"instrument": pl.String, "first": pl.Int64, "last": pl.Int64},
            orient="row",
        )
        rows = rows.join(bounds, on="instrument").filter(
            pl.col("ts_event").is_between(pl.col("first") - around, pl.col("last") + around)
        )
    found = rows.group_by("instrument").agg(
        pl.col("ts_event").min().alias("low"), pl.col("ts_event").max().alias("high")
    )
    return {name: (low, high) for name, low, high in found.collect().iter_rows()}


def _said(made: str, name: str) -> str:
    """Write a name so that it can be compared; ``AAPL.XNAS`` and ``AAPL`` are one."""
    name = name.strip().upper()
    return made.rpartition(".")[0] if name == made else name


def _parts(name: str) -> str:
    """Write a name with one sign between its parts: ``XRP/USDT`` is ``XRP-USDT``.

    Signs at its ends and all others stay: ``ABC+`` and ``^ABC`` are not ``ABC``.
    """
    return _BETWEEN.sub("-", name)


def _some(texts: Iterable[str]) -> str:
    listed = list(texts)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return "; ".join(listed[:_SHOWN]) + more


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%d")


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
