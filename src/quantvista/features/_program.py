"""From expressions to programs of the Rust core, cut where operators of users come between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantvista._native import operator_settle, operator_warm_up
from quantvista.errors import ConfigError, StrategyError, printable
from quantvista.features._expression import Call, Column, Node, Number, columns_of
from quantvista.features._operators import OperatorInfo
from quantvista.features._own import place_of

__all__ = ["OwnStage", "Plan", "Stage", "compile_plan", "look_back", "warm_up"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part that the Rust core runs.

    Parameters
    ----------
    reads, writes : tuple of int
        Slots of the plan: its columns come first, then one for each distinct step.
    spec : mapping
        What `_native.FeatureProgram` takes.
    """

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnStage:
    """One step that an operator of a user takes."""

    info: OperatorInfo
    params: tuple[float, ...]
    reads: tuple[int, ...]
    writes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How to compute several expressions together, each distinct step once.

    Parameters
    ----------
    columns : tuple of str
        Slots 0 and up.
    slots : int
        How many there are.
    stages : tuple
        In the order in which they run.
    outputs : tuple of int
        Slot of each expression.
    cross : bool
        Whether anything compares instruments with each other.
    """

    columns: tuple[str, ...]
    slots: int
    stages: tuple[Stage | OwnStage, ...]
    outputs: tuple[int, ...]
    cross: bool


def compile_plan(nodes: Sequence[Node], infos: Mapping[str, OperatorInfo]) -> Plan:
    """Merge what is the same in several expressions, and order the rest.

    Parameters
    ----------
    nodes : sequence of Node
        At least one.
    infos : mapping of str to OperatorInfo
        All operators that they use.

    Returns
    -------
    Plan
        The same for the same expressions, whatever order their inputs were parsed in.

    Raises
    ------
    ConfigError
        If an expression reads no column, so that it is the same at all times.
    """
    columns = tuple(sorted({name for node in nodes for name in columns_of(node)}))
    for node in nodes:
        if not columns_of(node):
            raise ConfigError("`expression` must read at least one column; found only numbers")
    slots: dict[Node, int] = {Column(name): place for place, name in enumerate(columns)}
    levels = [0] * len(columns)
    steps: list[Call | Number] = []

    def visit(node: Node) -> int:
        if node in slots:
            return slots[node]
        inputs = [visit(each) for each in node.inputs] if isinstance(node, Call) else []
        level = max((levels[each] for each in inputs), default=0)
        assert not isinstance(node, Column), "columns have their slots"
        own = isinstance(node, Call) and infos[node.operator].own is not None
        slots[node] = len(levels)
        levels.append(level + own)
        steps.append(node)
        return slots[node]

    outputs = tuple(visit(node) for node in nodes)
    calls = [step for step in steps if isinstance(step, Call)]
    cross = any(infos[step.operator].cross for step in calls)
    stages = _stages(steps, slots, levels, outputs, infos)
    return Plan(columns, len(levels), stages, outputs, cross)


def _stages(
    steps: Sequence[Call | Number],
    slots: Mapping[Node, int],
    levels: Sequence[int],
    outputs: tuple[int, ...],
    infos: Mapping[str, OperatorInfo],
) -> tuple[Stage | OwnStage, ...]:
    """Operators of users stand between the programs that feed them and those that they feed."""
    stages: list[Stage | OwnStage] = []
    for level in range(max(levels) + 1):
        here = [step for step in steps if levels[slots[step]] == level]
        own = [s for s in here if isinstance(s, Call) and infos[s.operator].own is not None]
        for call in own:
            reads = tuple(slots[each] for each in call.inputs)
            stages.append(OwnStage(infos[call.operator], call.params, reads, slots[call]))
        rest = [step for step in here if step not in own]
        if rest:
            stages.append(_stage(rest, slots, levels, level, outputs, steps))
    return tuple(stages)


def _stage(
    here: Sequence[Call | Number],
    slots: Mapping[Node, int],
    levels: Sequence[int],
    level: int,
    outputs: tuple[int, ...],
    steps: Sequence[Call | Number],
) -> Stage:
    inside = {slots[step] for step in here}
    read = {slots[i] for step in here if isinstance(step, Call) for i in step.inputs}
    reads = tuple(sorted(read - inside))
    later = [s for s in steps if isinstance(s, Call) and levels[slots[s]] > level]
    needed = {slots[i] for step in later for i in step.inputs} | set(outputs)
    writes = tuple(sorted(inside & needed))
    local = {slot: place for place, slot in enumerate(reads)}
    local.update({slots[step]: len(reads) + place for place, step in enumerate(here)})
    nodes = []
    for step in here:
        if isinstance(step, Number):
            nodes.append({"op": "constant", "inputs": [], "params": [step.value]})
        else:
            inputs = [local[slots[each]] for each in step.inputs]
            nodes.append({"op": step.operator, "inputs": inputs, "params": list(step.params)})
    spec = {
        "columns": [f"s{slot}" for slot in reads],
        "nodes": nodes,
        "outputs": [local[slot] for slot in writes],
    }
    return Stage(reads, writes, spec)


def warm_up(node: Node, infos: Mapping[str, OperatorInfo]) -> int:
    """Bars without gaps that an expression needs for its first value, that bar included."""
    return _reach(node, infos, settled=False) or 1


def look_back(node: Node, infos: Mapping[str, OperatorInfo]) -> int | None:
    """Bars that a value depends on.

    Returns
    -------
    int or None
        With a recursive operator, those after which the start weighs less than 1e-9; ``None``
        where it never wears off, as with a running sum.
    """
    return _reach(node, infos, settled=True)


def _reach(node: Node, infos: Mapping[str, OperatorInfo], *, settled: bool) -> int | None:
    done: dict[Node, int | None] = {}

    def reach(each: Node) -> int | None:
        if not isinstance(each, Call):
            return 1
        if each not in done:
            inputs = [reach(inner) for inner in each.inputs]
            own = _own_reach(each, infos[each.operator], settled)
            known = [inner for inner in inputs if inner is not None]
            whole = own is not None and len(known) == len(inputs)
            done[each] = max(known, default=1) + (own or 1) - 1 if whole else None
        return done[each]

    return reach(node)


def _own_reach(call: Call, info: OperatorInfo, settled: bool) -> int | None:
    if info.own is not None:
        made = make_own(info, call.params)
        reach: int | None = made.look_back if settled else made.warm_up
        return reach
    params = list(call.params)
    warm = int(operator_warm_up(info.name, params))
    if not settled or info.memory != "recursive":
        return warm
    settle: int | None = operator_settle(info.name, params)
    return None if settle is None else warm + settle


def make_own(info: OperatorInfo, params: tuple[float, ...]) -> Any:  # noqa: ANN401 - a user's class
    """Make a fresh copy of a user's operator."""
    assert info.own is not None, "only operators of users are classes"
    given = {
        each.name: int(value) if each.whole else value
        for each, value in zip(info.params, params, strict=True)
    }
    try:
        return info.own(**given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raised = f"{type(error).__name__}: {printable(error)}"
        place = place_of(error, info.own.update)
        raise StrategyError(f"operator {info.own.__name__!r} raised {raised}{place}") from error
