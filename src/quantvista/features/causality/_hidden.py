"""What operators of one's own remember beside their fields: caches, and values of their modules."""

import copy
from collections.abc import Sequence
from typing import Any

from quantvista.features._code import MEMORIES, reached
from quantvista.features._own import Operator

__all__ = ["Hidden"]


class Hidden:
    """Caches and containers that the code of operators names, as they are now.

    Parameters
    ----------
    operators : sequence of type
        Operators of one's own.
    """

    def __init__(self, operators: Sequence[type[Operator]]) -> None:
        self._caches: list[Any] = []
        self._kept: list[tuple[Any, Any]] = []
        for own in operators:
            for _, value in reached(own, Operator):
                if hasattr(value, "cache_clear"):
                    self._caches.append(value)
                elif isinstance(value, MEMORIES):
                    self._kept.append((value, copy.deepcopy(value)))

    def forget(self) -> None:
        """Empty the caches, and give the containers what was in them at first."""
        for each in self._caches:
            each.cache_clear()
        for container, first in self._kept:
            container.clear()
            if isinstance(container, dict | set):
                container.update(copy.deepcopy(first))
            else:
                container.extend(copy.deepcopy(first))
