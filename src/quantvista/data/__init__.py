"""Market data: the built-in sample, and CSV and Parquet files."""

from quantvista.data._lake_source import LAKE, has_lake_actions, lake_folder
from quantvista.data._load import load
from quantvista.data._sample import SAMPLES, sample_files
from quantvista.data._types import Bias, DataSpec, MarketData

__all__ = [
    "LAKE",
    "SAMPLES",
    "Bias",
    "DataSpec",
    "MarketData",
    "has_lake_actions",
    "lake_folder",
    "load",
    "sample_files",
]
