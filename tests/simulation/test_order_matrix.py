"""Every cell of the matrix of orders, docs/engine/matrix.md, in the engine and in the oracle."""

from __future__ import annotations

import pytest

from quantvista import _native
from support.order_matrix import (
    CELLS,
    DATA,
    FLAGS,
    KINDS,
    TIFS,
    VARIANTS,
    Cell,
    flag_rule,
    play,
    play_variant,
)


@pytest.mark.parametrize("cell", CELLS, ids=[cell.id for cell in CELLS])
def test_cell(cell: Cell) -> None:
    seen = play(cell)
    assert seen.startswith("fills" if cell.refused_by is None else "refused")


def test_cells_are_all_kinds_with_all_times_in_force_on_all_data() -> None:
    assert set(KINDS) == set(_native.names["type"])
    assert set(TIFS) == set(_native.names["tif"])
    assert {name.removesuffix("_close") for name in DATA} == set(_native.names["data_kind"])
    every = {(kind, tif, data) for kind in KINDS for tif in TIFS for data in DATA}
    assert len(CELLS) == len(every)
    assert {cell[:3] for cell in CELLS} == every


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flag", FLAGS)
def test_flag(flag: str, kind: str, data: str) -> None:
    refused = {cell.tif: cell.refused_by for cell in CELLS if cell[::2] == (kind, data)}
    for tif in TIFS:
        wanted = refused[tif]
        rests = kind == "limit" and tif not in ("ioc", "fok")
        if flag == "display_quantity" and not rests:
            wanted = "form"
        elif flag == "post_only" and not rests:
            wanted = wanted or "post_only"
        assert flag_rule(flag, kind, tif, data) == wanted, tif


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", VARIANTS)
def test_variant(name: str, data: str) -> None:
    assert play_variant(name, data)
