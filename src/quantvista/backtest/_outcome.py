"""What a run gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._markouts import fills_summed
from quantvista.backtest._output import RunFolder
from quantvista.portfolio.making import inventory, quality_frame

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """Results of a run.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        Exact tables by name, as in the run folder (DESIGN section 7).
    summary : dict
        Content of ``summary.json``.
    config : str
        Content of ``run.toml``: the fund with every default filled in.
    out : pathlib.Path or None
        The run folder, if one was written.
    inputs : tuple of pathlib.Path
        Files and folders that the run read.
    """

    tables: dict[str, pa.Table]
    summary: dict[str, Any]
    config: str
    out: Path | None = None
    inputs: tuple[Path, ...] = ()

    @property
    def frames(self) -> RunFrames:
        """The tables as frames with exact decimals."""
        frames: dict[str, Any] = {
            each.name: pl.from_arrow(self.tables[each.name]) for each in fields(RunFrames)
        }
        return RunFrames(**frames)

    def write(self, folder: RunFolder, pages: Mapping[str, str] | None = None) -> None:
        """Write all of it; the summary, which says that the folder is whole, comes last.

        Parameters
        ----------
        folder : RunFolder
            Where to.
        pages : mapping of str to str, optional
            Further files by name, such as a report.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        folder.write_text("run.toml", self.config)
        for name, table in self.tables.items():
            folder.write_table(name, table)
        for name, text in (pages or {}).items():
            folder.write_text(name, text)
        folder.write_json("summary.json", self.summary)

    @property
    def equity(self) -> pl.DataFrame:
        """Per bar: ts, equity, cash, gross, net, benchmark."""
        return self._floats("equity")

    @property
    def targets(self) -> pl.DataFrame:
        """Per decision: ts, instrument, sleeve, weight_e9."""
        return self._floats("targets")

    @property
    def orders(self) -> pl.DataFrame:
        """Every order and what became of it."""
        return self._floats("orders")

    @property
    def fills(self) -> pl.DataFrame:
        """Every execution, crosses between sleeves and settlements included."""
        return self._floats("fills")

    @property
    def positions(self) -> pl.DataFrame:
        """Per bar, sleeve and instrument held."""
        return self._floats("positions")

    @property
    def sleeves(self) -> pl.DataFrame:
        """Per bar and sleeve: equity and cash."""
        return self._floats("sleeves")

    @property
    def verdicts(self) -> pl.DataFrame:
        """What the gate said about each order."""
        return self._floats("verdicts")

    @property
    def comparisons(self) -> pl.DataFrame:
        """Equity of what the fund is compared with."""
        return self._floats("comparisons")

    @property
    def postings(self) -> pl.DataFrame:
        """Money that moved without a trade: deposits, interest, dividends, funding, fees."""
        return self._floats("postings")

    @property
    def balances(self) -> pl.DataFrame:
        """Per bar, sleeve and currency, in funds of more than one."""
        return self._floats("balances")

    @property
    def states(self) -> pl.DataFrame:
        """Changes of state and of limits, margin calls, withdrawals refused."""
        return self._floats("states")

    @property
    def actions(self) -> pl.DataFrame:
        """Corporate actions and the ends of instruments."""
        return self._floats("actions")

    @property
    def markouts(self) -> pl.DataFrame:
        """Mids at each fill and 1, 5, 30 and 60 seconds after it, in runs over events."""
        return self._floats("markouts")

    @property
    def fill_quality(self) -> pl.DataFrame:
        """Per instrument with mark-outs: spread captured, adverse selection, inventory, fees.

        Money in the currency of the instrument; ``markout_bps_5`` and the like are of the mid.
        """
        return quality_frame(fills_summed(self.frames, self.summary))

    @property
    def inventory(self) -> pl.DataFrame:
        """Per instrument with mark-outs: what was held after each time at which it traded."""
        fills = self.frames.fills.join(self.frames.markouts.select("fill_id"), on="fill_id")
        return inventory(fills).with_columns(pl.col("quantity").cast(pl.Float64))

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics by name; NaN where undefined, with the reason in ``summary``."""
        return {
            name: float("nan") if each.get("value") is None else float(each["value"])
            for name, each in self.summary["metrics"].items()
        }

    def _floats(self, name: str) -> pl.DataFrame:
        frame = pl.from_arrow(self.tables[name])
        assert isinstance(frame, pl.DataFrame), "a table becomes a frame"
        return frame.with_columns(pl.selectors.decimal().cast(pl.Float64))
