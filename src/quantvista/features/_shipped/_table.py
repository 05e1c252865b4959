"""How the tables of shipped features are written."""

from quantvista.features._feature import Feature

__all__ = ["table"]


def table(group: str, source: str, *rows: tuple[str, str, str]) -> tuple[Feature, ...]:
    """Features of one group and source, from rows of (name, expression, text)."""
    return tuple(Feature(name, text, group, what, source) for name, text, what in rows)
