"""Universes from and into files and the lake."""

from pathlib import Path

import polars as pl

from quantvista.data.lake import Dataset, Lake, Snapshot, lake_dir
from quantvista.data.universes._build import Universe
from quantvista.data.universes._membership import Membership
from quantvista.errors import MarketDataError
from quantvista.market import SecurityMaster

__all__ = ["read_membership", "read_universe_source", "store_universe", "stored_table"]

_LAKE = "lake:"
_KEY = ("instrument", "ts_event", "known_at")
_SHOWN = ("ts_event", "ts_end", "known_at")


def read_membership(source: str, base: Path, *, lake: Path | None = None) -> Membership:
    """Read who belonged to a universe.

    Parameters
    ----------
    source : str
        A CSV or Parquet file, or ``lake:NAME`` or ``lake:NAME@COMMIT``, a dataset with the kind
        ``members``.
    base : pathlib.Path
        Folder that relative paths start from.
    lake : pathlib.Path or None
        The lake; ``None`` is the usual one of ``base``.

    Returns
    -------
    Membership
        With all that was known of it when.

    Raises
    ------
    MarketDataError
        If it is not there, or cannot be read.
    """
    if source.startswith(_LAKE):
        snapshot = _snapshot(source, base, lake)
        if "members" not in snapshot.kinds:
            kinds = ", ".join(snapshot.kinds)
            raise MarketDataError(f"`universe` {source} must have members; found {kinds}")
        return Membership(snapshot.scan("members", vintages=True).collect())
    path = base / Path(source).expanduser()
    try:
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
        elif path.suffix == ".csv":
            frame = pl.read_csv(path, infer_schema=False)
        else:
            raise MarketDataError(
                f"`universe` must be a .csv or .parquet file, or lake:NAME; found {source!r}"
            )
    except (OSError, pl.exceptions.PolarsError) as error:
        text = str(error).splitlines()[0]
        raise MarketDataError(f"`universe` {source} cannot be read: {text}") from None
    return Membership(frame)


def read_universe_source(
    source: str, base: Path, *, lake: Path | None = None
) -> tuple[pl.DataFrame, SecurityMaster | None]:
    """Read all vintages of the bars of a dataset, and its reference data if it has any.

    Parameters
    ----------
    source : str
        ``lake:NAME`` or ``lake:NAME@COMMIT``.
    base, lake
        As of `read_membership`.

    Raises
    ------
    MarketDataError
        If there are no bars.
    """
    snapshot = _snapshot(source, base, lake)
    if "bars" not in snapshot.kinds:
        kinds = ", ".join(snapshot.kinds)
        raise MarketDataError(f"`source` {source} must have bars; found {kinds}")
    columns = [name for name in ("close", "volume") if name in snapshot.columns("bars")]
    keys = ["instrument", "ts_event", "known_at"]
    bars = snapshot.scan("bars", columns=[*keys, *columns], vintages=True).collect()
    if "reference" not in snapshot.kinds:
        return bars, None
    return bars, SecurityMaster(snapshot.scan("reference", vintages=True).collect())


def store_universe(dataset: Dataset, universe: Universe, source: str) -> str:
    """Keep a universe in the lake, or add to it what is new.

    Parameters
    ----------
    dataset : Dataset
        Where; its kind ``members`` holds one universe.
    universe : Universe
        What was decided.
    source : str
        Of the bars, for the history.

    Returns
    -------
    str
        The commit.

    Raises
    ------
    MarketDataError
        If other members are stored for the past.
    """
    table = universe.membership.table
    rules = universe.rules.model_dump(mode="json", exclude_defaults=True)
    with dataset.write() as writer:
        snapshot = dataset.at()
        if "members" in snapshot.kinds:
            stored = snapshot.scan("members", vintages=True).select(_KEY).collect().sort(_KEY)
            past = table.filter(pl.col("known_at") <= stored["known_at"].max()).select(_KEY)
            if not past.sort(_KEY).equals(stored):
                raise MarketDataError(
                    f"`output` {_LAKE}{dataset.name} must hold members by the same rules and bars; "
                    "found others for the past: name another dataset"
                )
        writer.upsert("members", table, where="universe")
        return writer.commit("universe", {"sources": {source: ""}, "rules": rules})


def stored_table(membership: Membership) -> pl.DataFrame:
    """Write the times of a membership as timestamps, for people and for files.

    Returns
    -------
    polars.DataFrame
        Which `Membership` reads back.
    """
    table = membership.table.drop("ts_received", strict=False)
    return table.with_columns(pl.col(_SHOWN).cast(pl.Datetime("ns", "UTC")))


def _snapshot(source: str, base: Path, lake: Path | None) -> Snapshot:
    name, _, commit = source.removeprefix(_LAKE).partition("@")
    root = lake if lake is not None else lake_dir(base)
    return Lake(root).open(name).at(commit or None)
