"""Import: tables of any format, understood, shown, converted and committed to the lake."""

from quantvista.data.importing._actions import action_frame
from quantvista.data.importing._feed import Fed, feed_rows
from quantvista.data.importing._folders import left_out
from quantvista.data.importing._import import Imported, import_into, understand
from quantvista.data.importing._options import IMPORT_KINDS, ImportOptions
from quantvista.data.importing._understanding import Understanding
from quantvista.data.importing._whole import NO_VENUE, TICKS, Whole, read_bars, read_rows

__all__ = [
    "IMPORT_KINDS",
    "NO_VENUE",
    "TICKS",
    "Fed",
    "ImportOptions",
    "Imported",
    "Understanding",
    "Whole",
    "action_frame",
    "feed_rows",
    "import_into",
    "left_out",
    "read_bars",
    "read_rows",
    "understand",
]
