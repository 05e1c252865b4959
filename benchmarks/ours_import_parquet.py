"""Bars of a Parquet file through the reader of ``qv``; the size is the number of rows."""

from functools import partial

from _common import main
from _read_bars import bars_read

if __name__ == "__main__":
    main(partial(bars_read, suffix=".parquet"))
