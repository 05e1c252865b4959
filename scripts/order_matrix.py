"""The page of the matrix of orders, made by driving each of its cells through the engine."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from support.order_matrix import (
    CELLS,
    DATA,
    FLAGS,
    KINDS,
    TIFS,
    VARIANTS,
    flag_rule,
    play,
    play_variant,
)

_INTRO = """\
# The matrix of orders

Every kind of order with every time in force on every kind of data. Made by `scripts/reference.py`,
which drives each cell through the engine, buying and selling, with every output held against the
oracle, and writes down what it saw. The [tests](../../tests/simulation/test_order_matrix.py) do
the same and fail where that is not what [Orders](orders.md) says: a cell is tested, or refused by
the rule that it names. `bars_close` are bars that have nothing but a close.

## Kind and time in force

The test of a cell is `test_cell[KIND-TIF-DATA]`. An order *fills* if the market that it waits for
comes. Behind the semicolon: it did not come, and how the order ended; `gtc` stayed for two
sessions and filled later. IOC and FOK also met a market of half their quantity.
"""

_FLAGS = """\
## Flags

Which rule refuses an order that is sound but for its flag, on all kinds of data; *above*: the
first table refuses it anyway. The test of a row on one kind of data is `test_flag[FLAG-KIND-DATA]`.
"""

_VARIANTS = """\
## Terms, lists and changes

The test of a cell is `test_variant[NAME-DATA]`.
"""


def page() -> str:
    """Drive every cell and write down what was seen."""
    parts = [_INTRO, _cells(), _FLAGS, _flags(), _VARIANTS, _variants()]
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(names: tuple[str, ...]) -> list[str]:
    return [f"`{name}`" for name in names]


def _cells() -> str:
    seen = {cell[:3]: play(cell) for cell in CELLS}
    rows = [
        [f"`{kind}`", f"`{tif}`", *(seen[kind, tif, data] for data in DATA)]
        for kind in KINDS
        for tif in TIFS
    ]
    return _table(["kind", "time in force", *_code(DATA)], rows)


def _flags() -> str:
    refused = {cell[:3]: cell.refused_by for cell in CELLS}

    def shown(flag: str, kind: str, tif: str) -> str:
        found = {
            rule
            for data in DATA
            if (rule := flag_rule(flag, kind, tif, data)) is None
            or rule != refused[kind, tif, data]
        }
        if not found:
            return "above"
        (rule,) = found
        return f"refused: `{rule}`" if rule else "taken"

    rows = [
        [f"`{flag}`", f"`{kind}`", *(shown(flag, kind, tif) for tif in TIFS)]
        for flag in FLAGS
        for kind in KINDS
    ]
    return _table(["flag", "kind", *_code(TIFS)], rows)


def _variants() -> str:
    rows = [[name, *(play_variant(name, data) for data in DATA)] for name in VARIANTS]
    return _table(["variant", *_code(DATA)], rows)
