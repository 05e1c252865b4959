"""Bars of 50,000 units from generated trades; the size is their number."""

from _common import main
from _tick_bars import bars_of

from quantvista.data.bars import BarSpec

if __name__ == "__main__":
    main(lambda count: bars_of(count, BarSpec("volume", 50_000), agree=False))
