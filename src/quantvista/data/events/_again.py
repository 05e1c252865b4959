"""Messages of a recording that stand in it twice."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Repeats"]

# Of a depth message or a best quote its update, of a trade its number, of a snapshot its last one.
_NUMBERED = r'"(?:u|t|a|lastUpdateId)":\s*\d'


class Repeats:
    """Finds messages that were recorded before: by another recorder, or in another file.

    A message is told by its text after the time received, if that has a number which the venue
    gives once. What is kept of it is a hash of 128 bits.
    """

    def __init__(self) -> None:
        self._seen = pl.DataFrame(schema={"one": pl.UInt64, "two": pl.UInt64})

    def rows(self, content: bytes) -> NDArray[np.int64]:
        """Take in a file.

        Parameters
        ----------
        content : bytes
            Lines in UTF-8: a time, a space, a message.

        Returns
        -------
        int64, shape (k,)
            Numbers of the lines, from 1, whose message stood before; ascending.
        """
        lines = pl.Series([content.decode()], dtype=pl.String).str.split("\n").explode()
        said = lines.str.strip_suffix("\r").str.splitn(" ", 2).struct.field("field_1")
        hashes = pl.DataFrame({"one": said.hash(1), "two": said.hash(2)})
        both = pl.concat([self._seen, hashes])
        fresh = both.select(pl.struct("one", "two").is_first_distinct()).to_series()
        before = self._seen.height
        self._seen = both.filter(fresh)
        rows = (~fresh.slice(before)).arg_true()
        numbered = said.gather(rows).str.contains(_NUMBERED).fill_null(value=False)
        return rows.filter(numbered).cast(pl.Int64).to_numpy() + 1
