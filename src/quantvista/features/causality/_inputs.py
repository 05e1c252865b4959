"""What a feature may read, and how it is called."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from quantvista.errors import ConfigError, StrategyError, printable
from quantvista.features._own import place_of

__all__ = ["Inputs", "call", "values_of"]

_NOTHING: Mapping[str, pl.DataFrame] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a feature can be given.

    Parameters
    ----------
    bars : polars.DataFrame
        ``ts_event``, ``ts_received`` (UTC nanoseconds), ``instrument`` and values, ordered by
        ``ts_received``, then instrument.
    series : mapping of str to polars.DataFrame
        By name: ``ts_event``, ``known_at`` and values, with ``instrument`` where they are of one.
    universe : polars.DataFrame or None
        ``instrument``, ``start``, ``end`` (UTC nanoseconds, the end null while it goes on) and
        ``known_at``, when that row was known.
    """

    bars: pl.DataFrame
    series: Mapping[str, pl.DataFrame] = field(default=_NOTHING)
    universe: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        for name in ("ts_event", "ts_received", "instrument"):
            if name not in self.bars.columns:
                found = ", ".join(self.bars.columns[:20])
                raise ConfigError(f"`bars` must have a column {name!r}; found {found}")
        for name, frame in self.series.items():
            for column in ("ts_event", "known_at"):
                if column not in frame.columns:
                    found = ", ".join(frame.columns[:20])
                    raise ConfigError(f"series {name!r} must have {column!r}; found {found}")


def call(function: Callable[..., object], inputs: Inputs) -> pl.DataFrame:
    """Call a feature with what its parameters name, and return its values by bar.

    Parameters
    ----------
    function : callable
        With parameters called ``bars``, ``universe``, or like a series; one that is annotated
        as a pandas frame is given one. It returns a column for the rows of the bars, or a table
        with ``ts_received``, ``instrument`` and columns of values.
    inputs : Inputs
        What there is.

    Returns
    -------
    polars.DataFrame
        ``ts_received``, ``instrument``, and a float64 column for each value.

    Raises
    ------
    StrategyError
        If the function raises, asks for something that there is not, or returns something else.
    """
    name = getattr(function, "__name__", "feature")
    there: dict[str, object] = {"bars": inputs.bars, **inputs.series}
    if inputs.universe is not None:
        there["universe"] = inputs.universe
    given = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in there:
            if parameter.default is not parameter.empty:
                continue
            found = ", ".join(there)
            raise StrategyError(
                f"feature {name!r} must take parameters named like its data; "
                f"found `{parameter.name}` (there are: {found})"
            )
        value = there[parameter.name]
        wanted = str(parameter.annotation)
        pandas = wanted.startswith("pd.") or "pandas" in wanted
        given[parameter.name] = value.to_pandas() if pandas else value  # type: ignore[attr-defined]
    try:
        result: Any = function(**given)
        if hasattr(result, "collect") and not isinstance(result, pl.DataFrame):
            result = result.collect()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too, and panics of compiled libraries
        raised = f"{type(error).__name__}: {printable(error)}{place_of(error, function)}"
        raise StrategyError(f"feature {name!r} raised {raised}") from error
    return values_of(result, inputs.bars, name)


def values_of(result: Any, bars: pl.DataFrame, name: str) -> pl.DataFrame:  # noqa: ANN401 - users'
    """Bring whatever a feature returned into one shape.

    Raises
    ------
    StrategyError
        If it is neither a column as long as the bars nor a table with their keys.
    """
    if not isinstance(result, pl.DataFrame | pl.Series) and hasattr(result, "reset_index"):
        result = pl.from_pandas(result)
    if isinstance(result, pl.DataFrame):
        columns = {each.name: each for each in result}
        if "ts_received" in columns and "instrument" in columns:
            keys = [columns.pop("ts_received").cast(pl.Int64), columns.pop("instrument")]
            for each in bars.columns:  # what was passed through is not a value
                columns.pop(each, None)
            if columns:
                return pl.DataFrame([keys[0], keys[1].cast(pl.String), *_floats(columns, name)])
        elif result.height == bars.height and columns:
            return _beside(bars, _floats(columns, name))
        raise StrategyError(
            f"feature {name!r} must return values with ts_received and instrument, or one for "
            f"each row of the bars; found columns {', '.join(result.columns[:10])}"
        )
    column = result if isinstance(result, pl.Series) else pl.Series(name, np.asarray(result))
    if len(column) != bars.height:
        raise StrategyError(
            f"feature {name!r} must return one value for each of the {bars.height} rows of the "
            f"bars; found {len(column)}"
        )
    return _beside(bars, _floats({name: column}, name))


def _beside(bars: pl.DataFrame, columns: list[pl.Series]) -> pl.DataFrame:
    keys = [bars["ts_received"].cast(pl.Int64), bars["instrument"].cast(pl.String)]
    return pl.DataFrame([*keys, *columns])


def _floats(columns: Mapping[str, pl.Series], name: str) -> list[pl.Series]:
    floats = []
    for label, column in columns.items():
        if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
            raise StrategyError(f"feature {name!r} must return numbers; found {column.dtype}")
        floats.append(column.cast(pl.Float64).fill_nan(None).alias(label))
    return floats
