"""Market data: the built-in sample, and CSV and Parquet files."""

from quantvista.data._load import load
from quantvista.data._sample import SAMPLES, sample_files
from quantvista.data._types import Bias, DataSpec, MarketData

__all__ = ["SAMPLES", "Bias", "DataSpec", "MarketData", "load", "sample_files"]
