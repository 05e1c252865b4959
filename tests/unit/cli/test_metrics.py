"""Rows of metrics that people read."""

from quantvista.cli._metrics import metric_rows


def rows(*returns: float) -> list[str]:
    found = metric_rows([{"total_return": {"value": each}} for each in returns])
    cells = next(row for row in found if row[0].startswith("Return in all"))[1:]
    return [cell.replace("\N{MINUS SIGN}", "-") for cell in cells]


def test_a_small_loss_is_not_shown_as_nothing() -> None:
    assert rows(-0.00044, 0.2) == ["-0.044", "20.0"]
    assert rows(-0.0000028) == ["-0.00028"]


def test_ordinary_returns_have_one_decimal() -> None:
    assert rows(0.168, 0.0) == ["16.8", "0.0"]
    assert rows(0.0006) == ["0.1"]
