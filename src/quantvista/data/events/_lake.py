"""Corporate actions of a dataset of the lake."""

from pathlib import Path

from quantvista.data._lake_source import has_lake_actions, open_source
from quantvista.data.events._actions import parse_action
from quantvista.market import CorporateAction, distinct_actions

__all__ = ["lake_actions"]


def lake_actions(source: str, base: Path) -> tuple[CorporateAction, ...]:
    """Read the corporate actions of a dataset, each once, whoever reports it.

    Parameters
    ----------
    source : str
        As of `lake_block`; any other source has none.
    base : pathlib.Path
        Folder of the fund file.

    Returns
    -------
    tuple of CorporateAction
        By ex-date.

    Raises
    ------
    MarketDataError
        If two sources contradict each other.
    """
    if not has_lake_actions(source, base):
        return ()
    rows = distinct_actions(open_source(source, base).scan("actions").collect())
    names = set(CorporateAction.__slots__) - {"kind"}
    found = []
    for row in rows.iter_rows(named=True):
        given = {name: value for name, value in row.items() if name in names and value is not None}
        found.append(parse_action({**given, "action": row["action"]}))
    return tuple(sorted(found, key=lambda action: action.ex_date))
