"""From text such as ``mean(close, 20) / std(close, 20)`` to an expression."""

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from quantvista.errors import ConfigError
from quantvista.features._expression import Call, Column, Node, Number
from quantvista.features._operators import CONDITIONS, OperatorInfo, Param, operator_infos

__all__ = ["names_in", "parse"]

_LENGTH_MAX = 10_000
_DEPTH_MAX = 200
_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "power",
    ast.BitAnd: "and",
    ast.BitOr: "or",
}
_COMPARED: Mapping[type[ast.cmpop], str] = {
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Eq: "eq",
}
_FOLDED: Mapping[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}
type _Given = dict[str, tuple[Node, ast.expr]]  # arguments by name, read and as written

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def parse(
    text: str,
    *,
    columns: Iterable[str] | None = None,
    features: Callable[[str], Node | None] | None = None,
    operators: Mapping[str, OperatorInfo] | None = None,
) -> Node:
    """Parse and type an expression.

    Parameters
    ----------
    text : str
        Numbers, columns, ``+ - * / **``, comparisons, ``and``, ``or``, ``not``, ``a if c else b``
        and calls of operators, in Python's syntax. Inputs come before parameters; an operator that
        is called with numbers alone is applied to its usual columns: ``rsi(14)`` is
        ``rsi(close, 14)``.
    columns : iterable of str or None
        Columns that there are; ``None`` takes any name for one.
    features : callable or None
        Gives the expression of a named feature, ``None`` where there is none.
    operators : mapping or None
        Operators beside those of the core.

    Returns
    -------
    Node
        The expression, sugar and features replaced by what they stand for.

    Raises
    ------
    ConfigError
        With the place of the mistake and, for a name, the nearest one that there is.

    Examples
    --------
    >>> from quantvista.features import canonical, parse
    >>> canonical(parse("rank(returns(252) - returns(21))"))
    'rank(returns(close, 252) - returns(close, 21))'
    >>> parse("meen(close, 20)")
    Traceback (most recent call last):
        ...
    quantvista.errors.ConfigError: `expression` has no operator 'meen'; did you mean 'mean'?
      meen(close, 20)
      ^
    """
    return _Parser(text, columns, features, operators or {}).parse()


def names_in(text: str) -> tuple[str, ...]:
    """List what an expression refers to by name, in order; nothing where it cannot be read."""
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError, AttributeError):
        return ()
    found: dict[str, None] = {}
    stack: list[ast.AST] = [tree.body]
    while stack:
        each = stack.pop()
        if isinstance(each, ast.Name | ast.Attribute):
            found[ast.unparse(each)] = None
        elif isinstance(each, ast.Call):  # operators are no features
            stack += [*each.args, *each.keywords]
        else:
            stack += ast.iter_child_nodes(each)
    return tuple(found)


class _Parser:
    def __init__(
        self,
        text: str,
        columns: Iterable[str] | None,
        features: Callable[[str], Node | None] | None,
        operators: Mapping[str, OperatorInfo],
    ) -> None:
        self.text = " ".join(text.split()) if isinstance(text, str) else text
        self.columns = None if columns is None else frozenset(columns)
        self.features = features
        self.operators = {**operator_infos(), **operators}
        self.depth = 0

    def parse(self) -> Node:
        if not isinstance(self.text, str) or not self.text:
            raise ConfigError(f"`expression` must be text that is not empty; found {self.text!r}")
        if len(self.text) > _LENGTH_MAX:
            raise ConfigError(
                f"`expression` must have at most {_LENGTH_MAX} characters; found {len(self.text)}"
            )
        try:
            tree = ast.parse(self.text, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            at = (getattr(error, "offset", None) or 1) - 1
            reason = getattr(error, "msg", None) or str(error) or "nested too deeply"
            raise self.problem(f"cannot be read: {reason}", at) from None
        return self.node(tree.body)

    def problem(self, message: str, where: ast.AST | int) -> ConfigError:
        """Make the error that points at a place of the text."""
        if isinstance(where, int):
            at = where
        else:  # positions of the syntax tree count bytes
            column = getattr(where, "col_offset", 0)
            at = len(self.text.encode()[:column].decode(errors="ignore"))
        start = max(0, at - 60)
        shown = self.text[start : start + 76]
        return ConfigError(f"`expression` {message}\n  {shown}\n  {' ' * (at - start)}^")

    def node(self, tree: ast.expr) -> Node:
        self.depth += 1
        if self.depth > _DEPTH_MAX:
            raise self.problem(f"must be nested at most {_DEPTH_MAX} deep; found more", tree)
        try:
            return self._node(tree)
        finally:
            self.depth -= 1

    def _node(self, tree: ast.expr) -> Node:
        match tree:
            case ast.Constant():
                return self._constant(tree)
            case ast.Name() | ast.Attribute():
                return self._name(tree)
            case ast.BinOp(op=op) if type(op) in _BINARY:
                return self._binary(_BINARY[type(op)], tree)
            case ast.BoolOp(op=op, values=values):
                name = "and" if isinstance(op, ast.And) else "or"
                node = self.node(values[0])
                self._condition(node, name, values[0])
                for value in values[1:]:
                    right = self.node(value)
                    self._condition(right, name, value)
                    node = Call(name, (node, right))
                return node
            case ast.UnaryOp():
                return self._unary(tree)
            case ast.Compare():
                return self._compare(tree)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                condition = self.node(test)
                self._condition(condition, "if", test)
                return Call("where", (condition, self.node(body), self.node(orelse)))
            case ast.Call():
                return self._call(tree)
        what = type(tree).__name__.lower()
        raise self.problem(f"may hold numbers, columns, operators and calls; found {what}", tree)

    def _constant(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.problem(f"must hold numbers without quotes; found {value!r}", tree)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.problem(f"must hold finite numbers; found {str(value)[:20]}", tree)
        return Number(number)

    def _name(self, tree: ast.Name | ast.Attribute) -> Node:
        name = ast.unparse(tree)
        if not _COLUMN.fullmatch(name):
            raise self.problem("must have plain names of columns", tree)
        if self.columns is not None and name in self.columns:
            return Column(name, tree.col_offset)
        if self.features is not None and (feature := self.features(name)) is not None:
            return feature
        if name in self.operators:
            usage = self.operators[name].signature()
            raise self.problem(f"must call the operator {name!r} as {usage}", tree)
        if self.columns is None:
            return Column(name, tree.col_offset)
        nearest = get_close_matches(name, self.columns, 1, 0.5)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        there = ", ".join(sorted(self.columns)[:20])
        raise self.problem(f"has no column {name!r}{hint} (there are: {there})", tree)

    def _binary(self, name: str, tree: ast.BinOp) -> Node:
        left, right = self.node(tree.left), self.node(tree.right)
        if name in CONDITIONS:
            self._condition(left, name, tree.left)
            self._condition(right, name, tree.right)
        if isinstance(left, Number) and isinstance(right, Number) and name in _FOLDED:
            try:
                value = _FOLDED[name](left.value, right.value)
            except (ZeroDivisionError, OverflowError):
                value = math.nan
            if not math.isfinite(value):
                raise self.problem("must not divide numbers by zero or overflow", tree)
            return Number(value)
        return Call(name, (left, right))

    def _unary(self, tree: ast.UnaryOp) -> Node:
        inner = self.node(tree.operand)
        if isinstance(tree.op, ast.UAdd):
            return inner
        if isinstance(tree.op, ast.USub):
            return Number(-inner.value) if isinstance(inner, Number) else Call("neg", (inner,))
        self._condition(inner, "not", tree.operand)
        return Call("not", (inner,))

    def _compare(self, tree: ast.Compare) -> Node:
        nodes = [self.node(each) for each in (tree.left, *tree.comparators)]
        result: Node | None = None
        for op, left, right in zip(tree.ops, nodes, nodes[1:], strict=False):
            if isinstance(op, ast.NotEq):
                each = Call("not", (Call("eq", (left, right)),))
            elif type(op) in _COMPARED:
                each = Call(_COMPARED[type(op)], (left, right))
            else:
                raise self.problem("may compare with > >= < <= == and !=", tree)
            result = each if result is None else Call("and", (result, each))
        assert result is not None, "a comparison has two sides"
        return result

    def _condition(self, node: Node, name: str, tree: ast.expr) -> None:
        if not (isinstance(node, Call) and node.operator in CONDITIONS):
            rule = f"must give {name!r} a condition, such as close > open"
            raise self.problem(f"{rule}; found a number", tree)

    def _call(self, tree: ast.Call) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise self.problem("must call operators by their plain names", tree)
        name = tree.func.id
        info = self.operators.get(name)
        if info is None:
            nearest = get_close_matches(name, self.operators, 1, 0.5)
            hint = (
                f"; did you mean {nearest[0]!r}?"
                if nearest
                else " (`qv features list --operators`)"
            )
            raise self.problem(f"has no operator {name!r}{hint}", tree)
        for each in tree.args:
            if isinstance(each, ast.Starred):
                raise self.problem("must not have starred arguments", each)
        given = self._positional(tree, info)
        return self._applied(tree, info, given | self._keywords(tree, info, given))

    def _positional(self, tree: ast.Call, info: OperatorInfo) -> _Given:
        """Arguments by name; numbers alone leave the inputs to their defaults."""
        names = [*info.inputs, *(each.name for each in info.params)]
        if len(tree.args) > len(names):
            rule = f"must call {info.name!r} as {info.signature()}"
            raise self.problem(f"{rule}; found {len(tree.args)} arguments", tree)
        nodes = [(self.node(each), each) for each in tree.args]
        short = info.default_inputs() is not None and len(nodes) <= len(info.params)
        if info.inputs and short and all(isinstance(node, Number) for node, _ in nodes):
            names = names[len(info.inputs) :]
        return dict(zip(names, nodes, strict=False))

    def _keywords(self, tree: ast.Call, info: OperatorInfo, before: _Given) -> _Given:
        names = [*info.inputs, *(each.name for each in info.params)]
        given: _Given = {}
        for keyword in tree.keywords:
            twice = keyword.arg in before or keyword.arg in given
            if keyword.arg not in names or twice:
                rule = f"must call {info.name!r} as {info.signature()}"
                how = "twice " if twice else ""
                raise self.problem(f"{rule}; found {how}{keyword.arg or '**'!r}", keyword.value)
            given[keyword.arg] = (self.node(keyword.value), keyword.value)
        return given

    def _applied(self, tree: ast.Call, info: OperatorInfo, given: _Given) -> Node:
        defaults = info.default_inputs()
        inputs: list[Node] = []
        for place, name in enumerate(info.inputs):
            if name in given:
                node, argument = given[name]
                if name in ("cond", "condition"):
                    self._condition(node, info.name, argument)
                inputs.append(node)
            elif defaults is not None and not any(each in given for each in info.inputs):
                inputs.append(self._usual(defaults[place], info, tree))
            else:
                rule = f"must call {info.name!r} as {info.signature()}"
                raise self.problem(f"{rule}; found no {name!r}", tree)
        params = tuple(self._param(each, info, given.get(each.name), tree) for each in info.params)
        return Call(info.name, tuple(inputs), params)

    def _usual(self, column: str, info: OperatorInfo, tree: ast.Call) -> Node:
        if self.columns is not None and column not in self.columns:
            rule = f"has no column {column!r}, which {info.name!r} is applied to unless another is"
            raise self.problem(f"{rule} named", tree)
        return Column(column)

    def _param(
        self,
        param: Param,
        info: OperatorInfo,
        given: tuple[Node, ast.expr] | None,
        tree: ast.Call,
    ) -> float:
        if given is None:
            if param.default is None:
                rule = f"must call {info.name!r} as {info.signature()}"
                raise self.problem(f"{rule}; found no {param.name!r}", tree)
            return param.default
        node, argument = given
        if not isinstance(node, Number):
            rule = f"must give {info.name!r} a number for `{param.name}`"
            raise self.problem(f"{rule}; found something that changes with time", argument)
        value = node.value
        if param.whole and value != int(value):
            raise self.problem(f"must have a whole `{param.name}`; found {value:g}", argument)
        if not param.least <= value <= param.most:
            bounds = f"from {param.least:g} to {param.most:g}"
            raise self.problem(f"must have `{param.name}` {bounds}; found {value:g}", argument)
        return value
