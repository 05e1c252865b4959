"""Bars of a minute from generated trades; the size is their number."""

from _common import main
from _tick_bars import bars_of

from quantvista.data.bars import BarSpec

if __name__ == "__main__":
    main(lambda count: bars_of(count, BarSpec("time", "1m"), agree=True))
