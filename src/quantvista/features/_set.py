"""Several features together: parsed, typed and compiled once, computed in batch or as a stream."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from quantvista.data.universes import MEMBER_COLUMN, Membership
from quantvista.errors import ConfigError, MarketDataError
from quantvista.features._expression import Call, Column, Node, canonical
from quantvista.features._feature import Feature
from quantvista.features._frame import FeatureData, long_frame, to_matrices
from quantvista.features._operators import OperatorInfo, operator_infos
from quantvista.features._own import Operator, own_info
from quantvista.features._parse import names_in, parse
from quantvista.features._program import OwnStage, Plan, compile_plan, look_back, warm_up
from quantvista.features._shipped import FEATURES
from quantvista.features._stream import FeatureStream

__all__ = ["FeatureSet"]

_KEYS = frozenset({"ts", "ts_event", "ts_received", "known_at", "instrument"})
_DEPTH_MAX = 200
_SIZE_MAX = 100_000


class FeatureSet:
    """Features that are computed together.

    Parameters
    ----------
    features : mapping of str to str, or sequence of str
        Expressions by the name of their column; or names of shipped features and expressions,
        which are then called by themselves. Expressions may use shipped features and each other
        by name.
    operators : sequence of type
        Operators of your own, see `Operator`.
    universe : Membership or None
        Operators that compare instruments, such as ``rank``, then compare its members alone, as
        known at each bar, and give the others no value. The expressions say so: their inputs are
        multiplied by the column ``universe.member``, 1 or missing, which `compute` adds and a
        stream is given with each bar.

    Raises
    ------
    ConfigError
        If an expression cannot be parsed, uses itself, or nothing is asked for.

    Examples
    --------
    >>> import polars as pl
    >>> from quantvista.features import FeatureSet
    >>> bars = pl.DataFrame({"ts": [1, 2, 3], "instrument": ["A.X"] * 3, "close": [1.0, 2.0, 4.0]})
    >>> FeatureSet({"gain": "returns(1)", "mean": "mean(2)"}).compute(bars)["mean"].to_list()
    [None, 1.5, 3.0]
    """

    def __init__(
        self,
        features: Mapping[str, str] | Sequence[str],
        *,
        operators: Sequence[type[Operator]] = (),
        universe: Membership | None = None,
    ) -> None:
        if isinstance(features, str):
            features = [features]
        own: dict[str, OperatorInfo] = {}
        for each in operators:
            info = own_info(each)
            if info.name in own:
                raise ConfigError(f"operator {info.name!r} must be given once; found it twice")
            own[info.name] = info
        self._infos: Mapping[str, OperatorInfo] = MappingProxyType({**operator_infos(), **own})
        resolver = _Resolver(features if isinstance(features, Mapping) else {}, own)
        if isinstance(features, Mapping):
            nodes = {str(name): resolver.named(str(name)) for name in features}
        else:
            nodes = {}
            for text in features:
                node = resolver.parse(text)
                _check(text, node)
                name = text if text in FEATURES else canonical(node)
                if name in nodes:
                    raise ConfigError(f"`features` must name each once; found {name!r} twice")
                nodes[name] = node
        if not nodes:
            raise ConfigError("`features` must name at least one feature; found none")
        self._universe = universe
        if universe is not None:
            done: dict[Node, Node] = {}
            nodes = {name: _within(node, self._infos, done) for name, node in nodes.items()}
        for name, node in nodes.items():
            _check(name, node)
        self._nodes: Mapping[str, Node] = MappingProxyType(nodes)

    def __repr__(self) -> str:
        return f"FeatureSet({', '.join(self.names)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order in which they were given."""
        return tuple(self._nodes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the data must have, ascending."""
        return self._plan.columns

    @property
    def expressions(self) -> Mapping[str, str]:
        """The canonical expression of each feature, all names replaced by what they stand for."""
        return MappingProxyType({name: canonical(node) for name, node in self._nodes.items()})

    @property
    def cross(self) -> bool:
        """Whether a feature compares instruments, so that it needs all of them together."""
        return self._plan.cross

    @property
    def warm_up(self) -> Mapping[str, int]:
        """Bars without gaps until the first value of each feature, that bar included."""
        return MappingProxyType(
            {name: warm_up(node, self._infos) for name, node in self._nodes.items()}
        )

    @property
    def look_back(self) -> Mapping[str, int | None]:
        """Bars that a value depends on; ``None`` where all that ever were."""
        return MappingProxyType(
            {name: look_back(node, self._infos) for name, node in self._nodes.items()}
        )

    @property
    def own_code(self) -> Mapping[str, str]:
        """Hash of the code of each operator of one's own that is used, by its name."""
        used = {
            stage.info.name: stage.info.code
            for stage in self._plan.stages
            if isinstance(stage, OwnStage)
        }
        return MappingProxyType(dict(sorted(used.items())))

    @property
    def own_operators(self) -> tuple[type[Operator], ...]:
        """Operators of one's own that are used."""
        found = [stage.info.own for stage in self._plan.stages if isinstance(stage, OwnStage)]
        return tuple(dict.fromkeys(each for each in found if each is not None))

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the values, in hexadecimal.

        That is names and canonical expressions, and the code of operators of one's own.
        """
        lines = [f"{name}={text}\n" for name, text in self.expressions.items()]
        lines += [f"operator {name}={code}\n" for name, code in self.own_code.items()]
        return hashlib.sha256("".join(["quantvista features 1\n", *lines]).encode()).hexdigest()

    @cached_property
    def _plan(self) -> Plan:
        return compile_plan(list(self._nodes.values()), self._infos)

    def stream(self, instruments: Sequence[str], sectors: Sequence[str] = ()) -> FeatureStream:
        """Start a stream of bars of some instruments.

        Parameters
        ----------
        instruments : sequence of str, length n
            Ids; the columns of the bars.
        sectors : sequence of str, length n or 0
            What `neutralise` goes by.
        """
        return FeatureStream(self.names, self._plan, instruments, sectors)

    def matrices(
        self,
        columns: Mapping[str, ArrayLike],
        sectors: Sequence[str] = (),
    ) -> NDArray[np.float64]:
        """Compute over matrices of bars.

        Parameters
        ----------
        columns : mapping of str to float64, shape (T, n)
            At least `columns`; NaN where an instrument has no bar.
        sectors : sequence of str, length n or 0
            What `neutralise` goes by.

        Returns
        -------
        float64, shape (f, T, n)
            NaN where there is no value.
        """
        n = np.asarray(columns[self.columns[0]]).shape[-1] if self.columns[0] in columns else 1
        return self.stream([str(each) for each in range(n)], sectors).advance(columns)

    def compute(
        self,
        data: FeatureData,
        *,
        short: bool = False,
        restart: Callable[[], object] | None = None,
    ) -> pl.DataFrame:
        """Compute over a history.

        Parameters
        ----------
        data : polars.DataFrame, MarketData or Panel
            Of a frame: a column ``ts`` or ``date``, a column ``instrument`` unless all rows are
            of one, the columns of the expressions, and ``sector`` if one is to go by it. Rows may
            come in any order, but each time once per instrument.
        short : bool
            Whether the data may be too short for all of the features, so that nothing comes of it.
        restart : callable or None
            Called in the middle, once what is remembered is saved; the rest is computed from that
            alone, as by a node that is started anew. It changes no value, unless an operator of
            one's own remembers what is none of its fields.

        Returns
        -------
        polars.DataFrame
            ``ts`` (or ``date``), ``instrument``, and a column of each feature, null where there
            is no value; a row for each row of the data, ordered by time, then instrument.

        Raises
        ------
        MarketDataError
            If a column is missing, is not numeric, or a time stands twice; or no instrument has
            the bars that the least demanding of the features needs for its first value.

        Notes
        -----
        Missing data: nothing is filled; see `docs/guide/features.md`. Causality: a row depends on
        itself and on rows before it.
        """
        table = to_matrices(data, self.columns, self._universe)
        longest = int(table.there.sum(axis=0).max(initial=0))
        name, needed = min(self.warm_up.items(), key=lambda each: each[1])
        if needed > longest and not short:
            rule = f"must have {needed} bars of an instrument for {name!r} to have a value"
            raise MarketDataError(f"`data` {rule}; found {longest}")
        if not table.instruments:
            return long_frame(table, self.names, np.empty((len(self.names), 0, 0)))
        stream = self.stream(table.instruments, table.sectors)
        middle = len(table.time) // 2
        if restart is None or not middle:
            return long_frame(table, self.names, stream.advance(table.columns))
        first = stream.advance({name: each[:middle] for name, each in table.columns.items()})
        saved = stream.snapshot()
        restart()
        stream = self.stream(table.instruments, table.sectors)
        stream.restore(saved)
        rest = stream.advance({name: each[middle:] for name, each in table.columns.items()})
        return long_frame(table, self.names, np.concatenate([first, rest], axis=1))


def _check(name: str, node: Node) -> None:
    """Refuse what has no name, would stand for a key, or is too large to be written down."""
    if not name.strip() or name in _KEYS:
        rule = f"must have names other than {', '.join(sorted(_KEYS))}, and not empty"
        raise ConfigError(f"`features` {rule}; found {name!r}")
    if isinstance(node, Call) and node.depth > _DEPTH_MAX:
        rule = f"must be at most {_DEPTH_MAX} operators deep, with those that they use"
        raise ConfigError(f"`features` {rule}; found {node.depth} in {name[:80]!r}")
    if isinstance(node, Call) and node.size > _SIZE_MAX:
        rule = f"must be written with at most {_SIZE_MAX:,} operators, columns and numbers, those"
        raise ConfigError(
            f"`features` {rule} that they use included; found {node.size:,} in {name[:80]!r}"
        )


def _within(node: Node, infos: Mapping[str, OperatorInfo], done: dict[Node, Node]) -> Node:
    """Leave members alone to the operators that compare instruments."""
    if not isinstance(node, Call):
        return node
    if node not in done:
        inputs = tuple(_within(each, infos, done) for each in node.inputs)
        if infos[node.operator].cross:
            member = Column(MEMBER_COLUMN)
            inputs = tuple(Call("mul", (each, member)) for each in inputs)
        done[node] = Call(node.operator, inputs, node.params)
    return done[node]


class _Resolver:
    """Expressions by name, each parsed once; a name that leads back to itself is refused."""

    def __init__(self, given: Mapping[str, str], own: Mapping[str, OperatorInfo]) -> None:
        self._given = given
        self._own = own
        self._done: dict[str, Node] = {}
        self._now = ""  # what is parsed

    def parse(self, text: str) -> Node:
        for each in names_in(text):
            if self._is_feature(each, ""):
                self.named(each)
        self._now = ""
        return parse(text, features=self._reference, operators=self._own)

    def named(self, name: str) -> Node:
        """Parse what a feature uses before the feature itself, however long the chain is."""
        path: dict[str, list[str]] = {}  # what is open, each with what it still waits for
        following = [name]
        while True:
            inner = following.pop() if following else None
            if inner is None:
                if not path:
                    return self._done[name]
                last, following = path.popitem()
                self._now = last
                made = parse(self._text(last), features=self._reference, operators=self._own)
                self._done[last] = made
                _check(last, made)
                following = path[next(reversed(path))] if path else []
            elif inner in path:
                opened = list(path)
                round_trip = [*opened[opened.index(inner) :], inner]
                if len(round_trip) > 20:
                    round_trip[10:-10] = ["..."]
                circle = " -> ".join(round_trip)
                raise ConfigError(f"`features` must not use themselves; found {circle}")
            elif inner not in self._done:
                used = names_in(self._text(inner))
                following = [each for each in reversed(used) if self._is_feature(each, inner)]
                path[inner] = following

    def _text(self, name: str) -> str:
        shipped: Feature | None = FEATURES.get(name)
        if name in self._given:
            return self._given[name]
        if shipped is not None:
            return shipped.expression
        nearest = get_close_matches(name, [*self._given, *FEATURES], 1, 0.5)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise ConfigError(f"`features` must exist; found no {name!r}{hint}")

    def _is_feature(self, name: str, inside: str) -> bool:
        # A feature that is called like a column of its own, close = "close", is that column.
        own_column = inside == name and self._given.get(name) == name
        return (name in self._given or name in FEATURES) and not own_column

    def _reference(self, name: str) -> Node | None:
        return self._done[name] if self._is_feature(name, self._now) else None
