"""Which processes were started, on disk, so that the next supervisor finds them."""

from collections.abc import Iterator
from typing import Any

from quantvista.trading.control import Place, Process, read_json, write_json

__all__ = ["Children", "left_over"]

_LISTENERS = ("node", "guard")


class Children:
    """The processes of a place that a supervisor has started.

    Parameters
    ----------
    place : Place
        Where.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._path = place.run / "children.json"

    def put(self, name: str, process: Process) -> None:
        """Write one down, durably."""
        write_json(self._path, {**self._read(), name: process._asdict()})

    def drop(self, name: str, process: Process) -> None:
        """Forget one that has ended.

        What a node or a guard announced stays: they remove it themselves at a clean end, and who
        finds it knows that there was none.
        """
        every = self._read()
        if every.pop(name, None) is not None:
            write_json(self._path, every)
        if name not in _LISTENERS:
            self._place.withdraw(name, process)

    def alive(self) -> Iterator[tuple[str, Process]]:
        """Give those that still run."""
        for name, found in self._read().items():
            process = Process(**found)
            if process.alive:
                yield name, process

    def _read(self) -> dict[str, Any]:
        return read_json(self._path) or {}


def left_over(place: Place) -> dict[str, Process]:
    """Find what runs in a place by what was written down, in the order in which it is ended.

    Parameters
    ----------
    place : Place
        Where.

    Returns
    -------
    dict
        Processes by name; also those that nobody supervised.
    """
    found = dict(Children(place).alive())
    for name in _LISTENERS:
        process = place.process(name)
        if process is not None and process.alive:
            found[name] = process
    order = {name: index for index, name in enumerate(_LISTENERS)}
    return dict(sorted(found.items(), key=lambda each: order.get(each[0], len(order))))
