"""Rows from a dataset for bars, and bars into one."""

import re
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from quantvista.data.bars._rows import ROWS
from quantvista.data.lake import Dataset, Snapshot
from quantvista.errors import MarketDataError

__all__ = ["kind_in_lake", "lake_rows", "store_bars"]

_DAY_NS = 86_400 * 10**9


def kind_in_lake(snapshot: Snapshot, wanted: str | None) -> str:
    """Choose the rows of a dataset that bars are made of: the finest there are.

    Parameters
    ----------
    snapshot : Snapshot
        Of the dataset.
    wanted : str or None
        One of its kinds.

    Returns
    -------
    str
        A kind that it has.

    Raises
    ------
    MarketDataError
        If it has no such rows.
    """
    for kind in ROWS if wanted is None else (wanted,):
        if kind in snapshot.kinds and kind in ROWS:
            return kind
    rule = f"must hold {wanted or 'trades, quotes or bars'}"
    raise MarketDataError(f"`source` {rule}; found {', '.join(snapshot.kinds) or 'nothing'}")


def lake_rows(
    snapshot: Snapshot, kind: str, instruments: Sequence[str] | None = None
) -> Iterator[tuple[pl.DataFrame, int, int]]:
    """Read rows in the order of their time: events a day at a time, bars at once.

    Parameters
    ----------
    snapshot : Snapshot
        Of the dataset.
    kind : str
        One of its kinds.
    instruments : sequence of str or None
        Only these.

    Yields
    ------
    (polars.DataFrame, int, int)
        Rows, with how many there were so far and how many there are in all.
    """
    total, done = snapshot.rows(kind), 0
    files = snapshot.manifest.of(kind)
    if snapshot.manifest.kinds[kind].kind.partition != "date":
        frame = snapshot.scan(kind, instruments=instruments).collect()
        yield frame.sort("ts_event", maintain_order=True), total, total
        return
    spans = {each.partition: each.ts_event[0] // _DAY_NS * _DAY_NS for each in files}
    for start in sorted(spans.values()):
        part = snapshot.scan(kind, start=start, end=start + _DAY_NS, instruments=instruments)
        frame = part.collect().sort("ts_event", maintain_order=True)
        done += frame.height
        yield frame, done, total


def store_bars(
    dataset: Dataset, bars: Mapping[str, pl.DataFrame], source: str, *, own: bool
) -> list[str]:
    """Add bars to a dataset, as one commit; bars that are there already change nothing.

    Parameters
    ----------
    dataset : Dataset
        Where to; need not be there.
    bars : mapping of str to polars.DataFrame
        By the name of each kind of bar, as `aggregate` gives them.
    source : str
        From where they are, for the history.
    own : bool
        Whether they are made of rows of this dataset, whose own bars they must not join.

    Returns
    -------
    list of str
        Kinds of the dataset: ``bars`` for the only length of time there is, which runs read, else
        ``bars_`` and the name.

    Raises
    ------
    MarketDataError
        If other bars are stored under their keys.
    """
    kinds = {}
    for name, frame in bars.items():
        by_clock = re.fullmatch(r"[0-9]+[a-z]+", name) is not None
        alone = by_clock and len(bars) == 1 and not own
        kind = "bars" if alone else "bars_" + re.sub(r"[^a-z0-9_]", "_", name)
        key = ("instrument", "ts_event") if by_clock else ("instrument", "number", "ts_event")
        kinds[kind] = (frame, key)
    with dataset.write() as writer:
        for kind, (frame, key) in kinds.items():
            if "instrument" not in frame.columns:
                raise MarketDataError("`bars` must name their instrument; found no such column")
            if frame.height:
                writer.upsert(kind, frame, key=key, where=kind, skip_unchanged=True)
        if writer.rows:
            writer.commit("bars", {"source": source, "bars": list(bars)})
    return list(kinds)
