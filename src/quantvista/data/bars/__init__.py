"""Bars of ticks, and of shorter bars: by the clock, by a size, or by an imbalance of flow."""

from quantvista.data.bars._aggregate import Aggregated, aggregate, collected
from quantvista.data.bars._builder import BarBuilder, BarCounts
from quantvista.data.bars._lake import kind_in_lake, lake_rows, store_bars
from quantvista.data.bars._options import BarOptions
from quantvista.data.bars._spec import BAR_KINDS, BarSpec

__all__ = [
    "BAR_KINDS",
    "Aggregated",
    "BarBuilder",
    "BarCounts",
    "BarOptions",
    "BarSpec",
    "aggregate",
    "collected",
    "kind_in_lake",
    "lake_rows",
    "store_bars",
]
