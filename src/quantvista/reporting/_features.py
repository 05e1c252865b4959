"""The page that draws features below the price."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import MarketDataError
from quantvista.features import FEATURES, FeatureSet
from quantvista.reporting import _assets
from quantvista.reporting._lines import line_chart, spoken_time
from quantvista.reporting._page import environment

__all__ = ["feature_page"]


def feature_page(table: pl.DataFrame, features: FeatureSet, instrument: str) -> str:
    """Write the page.

    Parameters
    ----------
    table : polars.DataFrame
        ``ts`` (UTC nanoseconds), ``close`` and a column of each feature, of one instrument.
    features : FeatureSet
        What was computed.
    instrument : str
        Whose.

    Returns
    -------
    str
        HTML that stands by itself.

    Raises
    ------
    MarketDataError
        If there are fewer than two bars to draw.
    """
    if table.height < 2:
        raise MarketDataError(
            f"`table` must have at least 2 bars of {instrument}; found {table.height}"
        )
    ts = table["ts"].to_numpy()
    charts = []
    for name in features.names:
        shipped = FEATURES.get(name)
        charts.append(
            {
                "title": name,
                "text": shipped.text if shipped else "",
                "expression": features.expressions[name],
                "source": shipped.source if shipped else "",
                "warm_up": features.warm_up[name],
                "chart": line_chart(ts, _floats(table[name]), name, zero=_crosses(table[name])),
            }
        )
    daily = table.height < 2 or (ts[-1] - ts[0]) / (len(ts) - 1) >= 20 * 3600e9
    return (
        environment()
        .get_template("features.html")
        .render(
            style=_assets.style_sheet(),
            instrument=instrument,
            span=" to ".join(spoken_time(int(each), daily=daily) for each in (ts[0], ts[-1])),
            bars=table.height,
            price=line_chart(ts, _floats(table["close"]), "close", height=150),
            charts=charts,
        )
    )


def _floats(series: pl.Series) -> NDArray[np.float64]:
    return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy(), np.float64)


def _crosses(series: pl.Series) -> bool:
    low, high = series.min(), series.max()
    return low is not None and float(low) < 0 < float(high or 0)  # type: ignore[arg-type]
