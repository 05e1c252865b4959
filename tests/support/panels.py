"""Hypothesis strategies for panels with late starts, early ends, gaps and ties."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from quantvista.market import Panel

SECTORS = ("Energy", "Health", "Tech")


@st.composite
def closes(
    draw: st.DrawFn, bars: tuple[int, int] = (8, 40), instruments: tuple[int, int] = (1, 8)
) -> NDArray[np.float64]:
    """Closes of shape (bars, n); prices are in cents, so ties and unchanged prices happen."""
    rows = draw(st.integers(*bars))
    n = draw(st.integers(*instruments))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([0.001, 0.02, 0.2]))
    walk = 50.0 * np.exp(np.cumsum(rng.normal(0.0, scale, (rows, n)), axis=0))
    close = np.maximum(np.round(walk, 2), 0.01)
    close[rng.random((rows, n)) < draw(st.sampled_from([0.0, 0.05, 0.4]))] = np.nan
    for column in range(n):
        event = draw(st.sampled_from(["whole", "whole", "late", "ends", "constant", "twin"]))
        if event == "late":
            close[: rng.integers(0, rows + 1), column] = np.nan
        elif event == "ends":
            close[rng.integers(0, rows) :, column] = np.nan
        elif event == "constant":
            close[:, column] = 10.0
        elif event == "twin":
            close[:, column] = close[:, 0]
    return close


def make_panel(
    close: NDArray[np.float64],
    ids: tuple[str, ...] | None = None,
    sectors: tuple[str, ...] | None = None,
) -> Panel:
    """A panel of daily bars with ids and sectors by column, unless given."""
    n = close.shape[1]
    ids = ids or tuple(f"I{column:03d}.XNYS" for column in range(n))
    sectors = sectors or tuple(SECTORS[column % len(SECTORS)] for column in range(n))
    return Panel(ids, sectors, np.arange(1, len(close) + 1) * 86_400_000_000_000, close)
