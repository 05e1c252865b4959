"""The page that draws the size and the turnover of a universe."""

import numpy as np

from quantvista.data.universes import Universe
from quantvista.errors import MarketDataError
from quantvista.reporting import _assets
from quantvista.reporting._lines import line_chart, spoken_time
from quantvista.reporting._page import environment

__all__ = ["universe_page"]


def universe_page(universe: Universe, source: str) -> str:
    """Write the page.

    Parameters
    ----------
    universe : Universe
        What was decided.
    source : str
        Of the bars, as the user calls it.

    Returns
    -------
    str
        HTML that stands by itself.

    Raises
    ------
    MarketDataError
        If there are fewer than two decisions to draw.
    """
    rows = universe.decisions
    if rows.height < 2:
        raise MarketDataError(f"`universe` must have at least 2 decisions; found {rows.height}")
    ts = rows["ts"].to_numpy()
    size, all_of_them, new = (
        np.asarray(each.fill_null(np.nan).to_numpy(), np.float64)
        for each in (
            rows["members"].cast(float),
            rows["candidates"].cast(float),
            universe.turnover * 100.0,
        )
    )
    rules = universe.rules.model_dump(mode="json", exclude_defaults=True)
    last = universe.membership.table.filter(
        universe.membership.table["instrument"].is_in(universe.members(int(rows["effective"][-1])))
    )
    return (
        environment()
        .get_template("universe.html")
        .render(
            style=_assets.style_sheet(),
            source=source,
            span=" to ".join(spoken_time(int(each), daily=True) for each in (ts[0], ts[-1])),
            decisions=rows.height,
            rules=", ".join(f"{name} = {value}" for name, value in rules.items()) or "defaults",
            size=line_chart(ts, size, "members", zero=True, height=150),
            candidates=line_chart(ts, all_of_them, "candidates", zero=True),
            turnover=line_chart(ts, new, "new members, % (one-way)", zero=True),
            members=sorted(set(last["instrument"].to_list())),
        )
    )
