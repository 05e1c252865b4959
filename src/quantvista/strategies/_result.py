"""What an event strategy hears of a computation that it asked for."""

from dataclasses import dataclass
from typing import Any

__all__ = ["ComputeResult"]


@dataclass(frozen=True, slots=True)
class ComputeResult:
    """What became of a computation.

    Parameters
    ----------
    number : int
        As ``ctx.compute`` returned it.
    name : str
        As it was asked for.
    value : object
        What the function returned, as plain values: lists where it had tuples or arrays. None where
        it failed.
    error : str
        Why there is no value: what the function raised, ``late`` where it took longer than it was
        given, ``lost`` where the process ended in between. Empty where there is one.
    asked_ts, ts : int
        When it was asked for, and now, UTC ns.
    """

    number: int
    name: str
    value: Any
    error: str
    asked_ts: int
    ts: int

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return not self.error
