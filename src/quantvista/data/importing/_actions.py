"""Corporate actions as rows of a dataset."""

from typing import Any

import numpy as np
import polars as pl

from quantvista.market import CorporateAction, sessions

__all__ = ["action_frame"]

_DAY_NS = 86_400 * 10**9


def action_frame(
    actions: tuple[CorporateAction, ...], calendar: str, source: str, known_at: int | None
) -> pl.DataFrame:
    """Put corporate actions into a table of the lake.

    Parameters
    ----------
    actions : tuple of CorporateAction
        At least one.
    calendar : str
        At the open of whose session of the ex-date they have happened.
    source : str
        Who says so: the same action of another source is another row.
    known_at : int or None
        When they were known, UTC nanoseconds; ``None`` for the open of the ex-date.

    Returns
    -------
    polars.DataFrame
        Of the kind ``actions``.
    """
    names = [each for each in CorporateAction.__slots__ if each not in ("kind", "instrument")]
    rows = []
    counts: dict[tuple[object, ...], int] = {}
    for each in actions:
        key = (each.instrument, each.ex_date, each.kind)
        number = counts[key] = counts.get(key, -1) + 1
        opened = _open_of(each.ex_date, calendar)
        row: dict[str, object] = {
            "instrument": each.instrument,
            "action": each.kind,
            "source": source,
            "number": number,
            "ts_event": opened,
            "ts_received": opened if known_at is None else min(opened, known_at),
            "known_at": opened if known_at is None else known_at,
        }
        for name in names:
            value = getattr(each, name)
            row[name] = format(value, "f") if type(value).__name__ == "Decimal" else value
        rows.append(row)
    whole = ("numerator", "denominator", "price_precision", "quantity_precision")
    schema = {
        name: pl.Date if name == "ex_date" else pl.Int64 if name in whole else pl.String
        for name in names
    }
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def _open_of(day: Any, calendar: str) -> int:  # noqa: ANN401 - a date
    label = np.datetime64(day)
    found = sessions(calendar, label, label)
    return int(found.open_ns[0]) if len(found) else int(label.astype(np.int64)) * _DAY_NS
