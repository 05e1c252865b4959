"""Rows that cannot be used, as they stand in their file."""

import polars as pl

from quantvista.data.importing._convert import REJECTS, as_text
from quantvista.data.importing._source import Batch
from quantvista.data.lake import KINDS, Dataset, Transaction

__all__ = ["REJECTED", "contradicting", "once", "quarantine"]

REJECTED = pl.Schema({"source": pl.String(), **REJECTS})


def once(frame: pl.DataFrame, kind: str, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the first row of each key and time of knowing; the others are rejected.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of the kind, with ``row``.
    kind : str
        One with a key.
    batch : Batch
        What they were made of.

    Returns
    -------
    (polars.DataFrame, polars.DataFrame)
        Rows that are kept; ``row``, ``reason``, ``text`` of the others.
    """
    key = [*KINDS[kind].key, "known_at"]
    first = frame.select(pl.struct(key).is_first_distinct()).to_series()
    if first.all():
        return frame, pl.DataFrame(schema=REJECTS)
    again = frame.filter(~first)
    rows = frame.filter(first).select(*key, pl.col("row").alias("__first"))
    found = again.join(rows, on=key, how="left", maintain_order="left")
    return frame.filter(first), found.select(
        "row",
        pl.format("the time of row {} again", "__first").alias("reason"),
        _lines(batch, found["row"]).alias("text"),
    )


def contradicting(
    rows: pl.DataFrame, kind: str, now: tuple[pl.DataFrame, Batch] | None
) -> pl.DataFrame:
    """Reject rows that contradict others which were read before.

    Parameters
    ----------
    rows : polars.DataFrame
        Of the kind.
    kind : str
        One with a key.
    now : (polars.DataFrame, Batch) or None
        Rows with ``row`` among which they are, and what those were made of; ``None`` for rows of
        a reader, which have no numbers.

    Returns
    -------
    polars.DataFrame
        ``row``, ``reason``, ``text``.
    """
    reason = pl.lit(f"another row of {kind} has its time with other values").alias("reason")
    if now is None:
        numbers = pl.lit(0, dtype=pl.Int64).alias("row")
        return rows.select(numbers, reason, as_text(rows).alias("text"))
    frame, batch = now
    key = [*KINDS[kind].key, "known_at"]
    same = rows.select(pl.col(name).cast(frame.schema[name]) for name in key)
    found = same.join(frame.select(*key, "row"), on=key, how="left", maintain_order="left")
    return found.select("row", reason, _lines(batch, found["row"]).alias("text"))


def _lines(batch: Batch, rows: pl.Series) -> pl.Series:
    """Rows of a file as they stand in it."""
    place = pl.DataFrame({"row": batch.rows}).with_row_index("place")
    wanted = pl.DataFrame({"row": rows}).join(place, on="row", how="left", maintain_order="left")
    return as_text(batch.frame[wanted["place"]])


def quarantine(writer: Transaction, dataset: Dataset, rejected: pl.DataFrame) -> int:
    """Write rejected rows to the quarantine, which has no times of its own.

    Parameters
    ----------
    writer : Transaction
        Of the dataset.
    dataset : Dataset
        Where rows that were rejected before are not written again.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason``, ``text``.

    Returns
    -------
    int
        Rows written.
    """
    if rejected.height and dataset.head() is not None:
        snapshot = dataset.at()
        if "quarantine" in snapshot.kinds:
            known = snapshot.scan("quarantine").select(*REJECTS).collect()
            on = list(REJECTS)
            rejected = rejected.join(
                known, on=on, how="anti", nulls_equal=True, maintain_order="left"
            )
    if rejected.height:
        times = [pl.lit(0, dtype=pl.Int64).alias(name) for name in ("ts_event", "known_at")]
        writer.append("quarantine", rejected.with_columns(*times), where="quarantine")
    return rejected.height
