"""What an expression is made of: columns, numbers and calls of operators."""

from dataclasses import dataclass, field

__all__ = ["Call", "Column", "Node", "Number", "canonical", "columns_of"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the data, such as ``close``.

    Parameters
    ----------
    name : str
        The column.
    at : int
        Where it stands in the text, for messages; -1 where a default stands for it.
    """

    name: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Call:
    """An operator, what it is applied to, and its parameters.

    Parameters
    ----------
    operator : str
        Its name in the table of operators.
    inputs : tuple of Node
        One for each of its inputs.
    params : tuple of float
        One for each of its parameters.

    Attributes
    ----------
    depth : int
        Operators from here to the farthest column or number.
    size : int
        Operators, columns and numbers, each counted as often as it would be written.
    """

    operator: str
    inputs: tuple["Node", ...]
    params: tuple[float, ...] = ()
    depth: int = field(init=False, repr=False, compare=False)
    size: int = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Each part is hashed and measured once: what several expressions share is not walked
        # again for each of them.
        calls = [each for each in self.inputs if isinstance(each, Call)]
        leaves = len(self.inputs) - len(calls)
        object.__setattr__(self, "depth", 1 + max((each.depth for each in calls), default=0))
        object.__setattr__(self, "size", 1 + leaves + sum(each.size for each in calls))
        object.__setattr__(self, "_hash", hash((self.operator, self.inputs, self.params)))

    def __hash__(self) -> int:
        return self._hash


type Node = Column | Number | Call

_INFIX = {
    "or": ("or", 1),
    "and": ("and", 2),
    "gt": (">", 4),
    "ge": (">=", 4),
    "lt": ("<", 4),
    "le": ("<=", 4),
    "eq": ("==", 4),
    "add": ("+", 5),
    "sub": ("-", 5),
    "mul": ("*", 6),
    "div": ("/", 6),
    "power": ("**", 8),
}
_PREFIX = {"not": ("not ", 3), "neg": ("-", 7)}
_ATOM = 9


def canonical(node: Node) -> str:
    """Write an expression the one way that all its spellings share.

    Parameters
    ----------
    node : Node
        The expression.

    Returns
    -------
    str
        Text that `parse` reads back to the same expression.

    Examples
    --------
    >>> close = Column("close")
    >>> canonical(Call("div", (close, Call("mean", (close,), (20.0,)))))
    'close / mean(close, 20)'
    """
    return _write(node)[0]


def columns_of(node: Node) -> tuple[str, ...]:
    """Names of the columns that an expression reads, ascending."""
    found: set[str] = set()
    seen: set[int] = set()
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, Column):
            found.add(each.name)
        elif isinstance(each, Call) and id(each) not in seen:
            seen.add(id(each))
            stack.extend(each.inputs)
    return tuple(sorted(found))


def _write(node: Node) -> tuple[str, int]:
    if isinstance(node, Column):
        return node.name, _ATOM
    if isinstance(node, Number):
        return _number(node.value), _ATOM if node.value >= 0 else _PREFIX["neg"][1]
    if node.operator in _INFIX:
        sign, level = _INFIX[node.operator]
        left, right = (_write(each) for each in node.inputs)
        # Comparisons do not chain, and all but the power group to the left.
        lowest_left = level + 1 if level == _INFIX["eq"][1] or sign == "**" else level
        lowest_right = level if sign == "**" else level + 1
        return f"{_inside(*left, lowest_left)} {sign} {_inside(*right, lowest_right)}", level
    if node.operator in _PREFIX:
        sign, level = _PREFIX[node.operator]
        return f"{sign}{_inside(*_write(node.inputs[0]), level)}", level
    parts = [_write(each)[0] for each in node.inputs] + [_number(each) for each in node.params]
    return f"{node.operator}({', '.join(parts)})", _ATOM


def _inside(text: str, level: int, lowest: int) -> str:
    return text if level >= lowest else f"({text})"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
