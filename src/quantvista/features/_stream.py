"""Features as bars arrive: any number of bars at a time, the same bits."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantvista._native import FeatureProgram
from quantvista.errors import ConfigError, MarketDataError
from quantvista.features._own import checked_update, dump_state, load_state
from quantvista.features._program import OwnStage, Plan, make_own

__all__ = ["FeatureStream"]

_VERSION = 1


class FeatureStream:
    """Features of ``n`` instruments, fed with one bar or many at a time.

    Made by `FeatureSet.stream`. However the bars are cut into pieces, and whether the stream was
    saved and restored in between, the values are the same to the last bit.

    Parameters
    ----------
    names : tuple of str, length f
        Of the features.
    plan : Plan
        How to compute them.
    instruments : tuple of str, length n
        Ids in ascending order.
    sectors : tuple of str, length n
        Sector of each, empty where unknown; those without one are a group of their own.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        plan: Plan,
        instruments: Sequence[str],
        sectors: Sequence[str] = (),
    ) -> None:
        self.names = names
        self.instruments = tuple(instruments)
        self._plan = plan
        n = len(self.instruments)
        if n == 0:
            raise ConfigError("`instruments` must name at least one; found none")
        if sectors and len(sectors) != n:
            raise ConfigError(f"`sectors` must be {n} for {n} instruments; found {len(sectors)}")
        found = sorted(set(sectors))
        groups = [found.index(each) for each in sectors] if sectors else [0] * n
        self._groups = np.array(groups, dtype=np.int32)
        self._programs = self._made()
        self._rows = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a bar must have, ascending."""
        return self._plan.columns

    @property
    def rows(self) -> int:
        """Bars taken in so far."""
        return self._rows

    def update(self, bar: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Take in one bar of all instruments.

        Parameters
        ----------
        bar : mapping of str to float64, shape (n,)
            By column; NaN where an instrument has no bar.

        Returns
        -------
        float64, shape (f, n)
            NaN where there is no value.
        """
        return self.advance({name: np.asarray(bar[name])[None] for name in bar})[:, 0]

    def advance(self, bars: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Take in several bars.

        Parameters
        ----------
        bars : mapping of str to float64, shape (rows, n)
            By column, oldest first.

        Returns
        -------
        float64, shape (f, rows, n)
            NaN where there is no value.

        Raises
        ------
        MarketDataError
            If a column is missing, or of another shape.
        """
        slots: list[NDArray[np.float64] | None] = [None] * self._plan.slots
        rows = None
        for place, name in enumerate(self._plan.columns):
            if name not in bars:
                there = ", ".join(sorted(bars))
                raise MarketDataError(f"`bars` must have a column {name!r}; found {there}")
            matrix = np.ascontiguousarray(bars[name], dtype=np.float64)
            shape = (matrix.shape[0] if rows is None and matrix.ndim else rows, self._groups.size)
            if matrix.shape != shape:
                raise MarketDataError(
                    f"`bars` must have columns of shape (rows, {self._groups.size}), all alike; "
                    f"found {matrix.shape} for {name!r}"
                )
            rows = matrix.shape[0]
            slots[place] = matrix
        assert rows is not None, "an expression reads at least one column"
        for stage, program in zip(self._plan.stages, self._programs, strict=True):
            given = [slots[each] for each in stage.reads]
            if isinstance(stage, OwnStage):
                slots[stage.writes] = _run_own(program, given)
                continue
            results = program.advance(given, self._groups)
            for place, slot in enumerate(stage.writes):
                slots[slot] = results[place]
        self._rows += rows
        return np.array([slots[each] for each in self._plan.outputs], dtype=np.float64)

    def snapshot(self) -> bytes:
        """Everything that the stream remembers, to go on later or elsewhere."""
        states: list[object] = []
        for stage, program in zip(self._plan.stages, self._programs, strict=True):
            if isinstance(stage, OwnStage):
                states.append([dump_state(each) for each in program])
            else:
                states.append(program.snapshot().hex())
        return json.dumps(
            {"version": _VERSION, "plan": self._identity(), "rows": self._rows, "states": states}
        ).encode()

    def restore(self, snapshot: bytes) -> None:
        """Go on where a snapshot was taken.

        Raises
        ------
        ConfigError
            If it is of other features, other instruments or another version.
        """
        other = ConfigError("`snapshot` must be one of a FeatureStream; found other bytes")
        try:
            saved = json.loads(snapshot)
            version, plan, states = saved["version"], saved["plan"], saved["states"]
            rows = saved["rows"]
        except (ValueError, KeyError, TypeError):
            raise other from None
        if not isinstance(states, list) or type(rows) is not int or rows < 0:
            raise other
        if version != _VERSION or plan != self._identity() or len(states) != len(self._programs):
            raise ConfigError(
                "`snapshot` must be of these features and instruments; found one of others"
            )
        programs = self._made()  # the stream stays as it is if the snapshot is damaged
        for stage, program, state in zip(self._plan.stages, programs, states, strict=True):
            if isinstance(stage, OwnStage):
                if not isinstance(state, list) or len(state) != len(program):
                    raise other
                for each, inner in zip(program, state, strict=True):
                    if not isinstance(inner, dict):
                        raise other
                    load_state(each, inner)
                continue
            try:
                program.restore(bytes.fromhex(state))
            except (ValueError, TypeError):
                raise other from None
        self._programs, self._rows = programs, rows

    def _made(self) -> list[Any]:
        """Make the programs of the plan, which remember nothing yet."""
        n = self._groups.size
        return [
            [make_own(stage.info, stage.params) for _ in range(n)]
            if isinstance(stage, OwnStage)
            else FeatureProgram(dict(stage.spec), n)
            for stage in self._plan.stages
        ]

    def _identity(self) -> list[object]:
        steps: list[object] = []
        for stage in self._plan.stages:
            if isinstance(stage, OwnStage):
                own = stage.info
                steps.append([own.name, own.code, list(stage.params), list(stage.reads)])
            else:
                steps.append(json.loads(json.dumps(dict(stage.spec))))
        groups = [int(each) for each in self._groups]
        return [list(self.names), list(self.instruments), groups, list(self._plan.columns), steps]


def _run_own(
    operators: Sequence[Any], given: Sequence[NDArray[np.float64] | None]
) -> NDArray[np.float64]:
    """Run a user's operator: a row in which an input is missing is left out, as in the core."""
    inputs = np.stack([each for each in given if each is not None], axis=-1)
    known = ~np.isnan(inputs).any(axis=-1)
    result = np.full(known.shape, np.nan)
    for column, operator in enumerate(operators):
        update = checked_update(operator)
        for row in np.flatnonzero(known[:, column]):
            result[row, column] = update(*inputs[row, column].tolist())
    return result
