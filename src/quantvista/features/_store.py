"""Features kept: history in the lake for training, the last values in memory for serving."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.lake import Dataset
from quantvista.errors import ConfigError, MarketDataError
from quantvista.features._set import FeatureSet

__all__ = ["FeatureStore", "InProcess", "OnlineStore", "Stored"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a set of features in a store.

    Parameters
    ----------
    name : str
        As it was materialised.
    digest : str
        Of the `FeatureSet`.
    expressions : mapping of str to str
        Canonical, by feature.
    rows : int
        Rows of its history, all vintages.
    own_code : mapping of str to str
        Hash of the code of each operator of one's own, by its name.
    """

    name: str
    digest: str
    expressions: Mapping[str, str]
    rows: int
    own_code: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Its table in the dataset."""
        return f"{self.name}_{self.digest[:_DIGITS]}"


class OnlineStore(Protocol):
    """Last values by instrument; what serves them may be this process or a server."""

    def put(
        self, table: str, ts: int, instruments: Sequence[str], values: NDArray[np.float64]
    ) -> None:
        """Keep the values (f, n) of a time, unless a later one is kept already."""
        ...

    def get(
        self, table: str, instruments: Sequence[str]
    ) -> Sequence[tuple[int, NDArray[np.float64]] | None]:
        """Time and values (f,) of each instrument, ``None`` where nothing is kept."""
        ...


class InProcess:
    """An `OnlineStore` in the memory of this process."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, NDArray[np.float64]]] = {}

    def put(
        self, table: str, ts: int, instruments: Sequence[str], values: NDArray[np.float64]
    ) -> None:
        """Keep the values (f, n) of a time, unless a later one is kept already."""
        for place, name in enumerate(instruments):
            kept = self._last.get((table, name))
            if kept is None or kept[0] <= ts:
                self._last[table, name] = (ts, values[:, place].copy())

    def get(
        self, table: str, instruments: Sequence[str]
    ) -> Sequence[tuple[int, NDArray[np.float64]] | None]:
        """Time and values (f,) of each instrument, ``None`` where nothing is kept."""
        return [self._last.get((table, name)) for name in instruments]


class FeatureStore:
    """Features of one dataset of a lake, the same for training and serving.

    Parameters
    ----------
    dataset : Dataset
        Where the history is kept, a table for each version of each set.
    online : OnlineStore or None
        Where the last values are kept; ``None`` is a new `InProcess`.

    Notes
    -----
    What is read must have been written by the same features: names, expressions, parameters and
    the code of operators of one's own are compared by their hash, so that a model never gets a
    column that means something else.
    """

    def __init__(self, dataset: Dataset, online: OnlineStore | None = None) -> None:
        self._dataset = dataset
        self._agreed: set[str] = set()  # tables that are known to belong to what is stored
        self.online: OnlineStore = InProcess() if online is None else online

    def versions(self, name: str | None = None) -> tuple[Stored, ...]:
        """List what is stored, the newest first.

        Parameters
        ----------
        name : str or None
            Only the versions of this set.
        """
        snapshot = self._dataset.at()
        found: dict[str, Stored] = {}
        for commit in self._dataset.history():
            notes: Mapping[str, Any] = commit.manifest.notes
            if notes.get("features") is None or (name is not None and notes["features"] != name):
                continue
            own = notes.get("own_code", {})
            stored = Stored(notes["features"], notes["digest"], notes["expressions"], 0, own)
            if stored.kind not in found and stored.kind in snapshot.kinds:
                found[stored.kind] = replace(stored, rows=snapshot.rows(stored.kind))
        return tuple(found.values())

    def materialise(
        self,
        name: str,
        features: FeatureSet,
        bars: pl.DataFrame,
        *,
        known_at: int | None = None,
    ) -> str:
        """Compute over a history and keep the result.

        Parameters
        ----------
        name : str
            Of the set: lower case letters, digits and underscores.
        features : FeatureSet
            What to compute.
        bars : polars.DataFrame
            See `FeatureSet.compute`; ``ts`` in UTC nanoseconds is when a bar is known.
        known_at : int or None
            When these values were known, if they replace earlier ones, as after a revision of the
            bars; ``None`` is the time of each bar.

        Returns
        -------
        str
            Id of the commit. Values that are there already are not stored again.

        Raises
        ------
        ConfigError
            If the name is none.
        MarketDataError
            If the bars cannot be used, or contradict values that were known at the same time.
        """
        stored = self._named(name, features)
        values = features.compute(bars)
        time = values.columns[0]
        if not values[time].dtype.is_integer():
            rule = "must have a column ts of whole UTC nanoseconds"
            raise MarketDataError(f"`bars` {rule}; found {values[time].dtype}")
        table = values.rename({time: "ts_event"})
        if known_at is not None:
            table = table.with_columns(
                pl.col("ts_event").alias("ts_received"), pl.lit(known_at).alias("known_at")
            )
        notes = {
            "features": name,
            "digest": features.digest,
            "expressions": dict(features.expressions),
            "own_code": dict(features.own_code),
        }
        with self._dataset.write() as writer:
            writer.upsert(stored.kind, table, where=f"features {name}", skip_unchanged=True)
            commit = writer.commit("features", notes)
        self._agreed.add(stored.kind)
        last = table.group_by("instrument", maintain_order=True).last()
        for row in last.iter_rows(named=True):
            column = [row[each] for each in features.names]
            vector = np.array([[np.nan if each is None else each] for each in column])
            self.online.put(stored.kind, row["ts_event"], [row["instrument"]], vector)
        return commit

    def history(
        self,
        name: str,
        features: FeatureSet,
        *,
        as_of: int | None = None,
        start: int | None = None,
        end: int | None = None,
        instruments: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Read the history of a set.

        Parameters
        ----------
        name : str
            Of the set.
        features : FeatureSet
            What the caller believes is stored.
        as_of, start, end, instruments
            See ``Snapshot.scan``.

        Returns
        -------
        polars.DataFrame
            ``ts``, ``known_at``, ``instrument`` and the features, ordered by time, then
            instrument.

        Raises
        ------
        ConfigError
            If these features were never stored under the name; it says what was.
        """
        kind = self._checked(name, features).kind
        window: dict[str, Any] = {"start": start, "end": end, "instruments": instruments}
        frame = self._dataset.at().scan(kind, as_of=as_of, **window).collect()
        frame = frame.select("ts_event", "known_at", "instrument", *features.names)
        return frame.rename({"ts_event": "ts"}).sort("ts", "instrument")

    def training(
        self,
        name: str,
        features: FeatureSet,
        samples: pl.DataFrame,
        *,
        tolerance_ns: int | None = None,
    ) -> pl.DataFrame:
        """Join features to samples, each as they were known at the time of the sample.

        Parameters
        ----------
        name : str
            Of the set.
        features : FeatureSet
            What the caller believes is stored.
        samples : polars.DataFrame
            With ``instrument`` and ``ts_received``, and whatever else, such as labels.
        tolerance_ns : int or None
            Null where the last values are older than this.

        Returns
        -------
        polars.DataFrame
            The samples with the features beside them.
        """
        from quantvista.features._join import join

        kind = self._checked(name, features).kind
        frame = self._dataset.at().scan(kind, vintages=True).collect()
        known = frame.select("instrument", "ts_event", "known_at", *features.names)
        return join(samples, known, tolerance_ns=tolerance_ns)

    def push(
        self,
        name: str,
        features: FeatureSet,
        ts: int,
        instruments: Sequence[str],
        values: NDArray[np.float64],
    ) -> None:
        """Keep the values of a live stream for serving.

        Parameters
        ----------
        name : str
            Of the set.
        features : FeatureSet
            What was computed.
        ts : int
            When, UTC nanoseconds.
        instruments : sequence of str, length n
            Ids.
        values : float64, shape (f, n)
            As `FeatureStream.update` returns them.

        Raises
        ------
        MarketDataError
            If the values have another shape.
        ConfigError
            If others are stored under the name: what is served would not be what was trained on.
        """
        shape = (len(features.names), len(instruments))
        if values.shape != shape:
            raise MarketDataError(f"`values` must have shape {shape}; found {values.shape}")
        kind = self._same(name, features, needed=False).kind
        self.online.put(kind, ts, instruments, values)

    def serve(
        self,
        name: str,
        features: FeatureSet,
        instruments: Sequence[str],
        *,
        at: int,
        tolerance_ns: int,
    ) -> NDArray[np.float64]:
        """Give the last values of instruments.

        Parameters
        ----------
        name : str
            Of the set.
        features : FeatureSet
            What the caller believes is kept; another set of this name is not given.
        instruments : sequence of str, length n
            Ids.
        at : int
            Now, UTC nanoseconds.
        tolerance_ns : int
            How old a value may be.

        Returns
        -------
        float64, shape (f, n)
            NaN where nothing is kept, or what is kept is older, or later than now.

        Raises
        ------
        ConfigError
            If these features were neither stored nor pushed under the name; it says what was.
        """
        kept = self.online.get(self._same(name, features, needed=True).kind, instruments)
        result = np.full((len(features.names), len(instruments)), np.nan)
        for place, each in enumerate(kept):
            if each is not None and 0 <= at - each[0] <= tolerance_ns:
                result[:, place] = each[1]
        return result

    def _named(self, name: str, features: FeatureSet) -> Stored:
        if not _NAME.fullmatch(name):
            rule = "must be lower case letters, digits and underscores, at most 40"
            raise ConfigError(f"`name` of stored features {rule}; found {name[:80]!r}")
        return Stored(name, features.digest, features.expressions, 0, features.own_code)

    def _same(self, name: str, features: FeatureSet, *, needed: bool) -> Stored:
        """Check once that features are those that are stored, if any are or must be."""
        asked = self._named(name, features)
        if asked.kind not in self._agreed:
            if needed or self.versions(name):
                self._checked(name, features)
            self._agreed.add(asked.kind)
        return asked

    def _checked(self, name: str, features: FeatureSet) -> Stored:
        asked = self._named(name, features)
        versions = self.versions(name)
        if any(each.digest == asked.digest for each in versions):
            return asked
        if not versions:
            names = sorted({each.name for each in self.versions()})
            found = ", ".join(names) or "nothing"
            raise ConfigError(
                f"`name` must be of stored features; found no {name!r} (only {found})"
            )
        newest = versions[0].expressions
        for feature, text in asked.expressions.items():
            if newest.get(feature) != text:
                stored = newest.get(feature)
                was = f"stored as {stored!r}" if stored else "not stored"
                raise ConfigError(
                    f"`features` must be those that are stored as {name!r}; found {feature!r} = "
                    f"{text!r}, which is {was}; materialise them again"
                )
        for operator, code in asked.own_code.items():
            if versions[0].own_code.get(operator) != code:
                raise ConfigError(
                    f"`features` must be those that are stored as {name!r}; found operator "
                    f"{operator!r} with other code than it had; materialise them again"
                )
        rest = ", ".join(each for each in newest if each not in asked.expressions)
        raise ConfigError(f"`features` must be all that are stored as {name!r}; found no {rest}")
