"""Threads that compute what strategies ask for, beside the loop of a node."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from quantvista.fund.desk import Answer, Asked, Work, carried_out

__all__ = ["Workers"]

_LATE = Answer(error="late: it was not computed by the time at which it was wanted")
_LOST = Answer(error="lost: the process that was to compute it has ended")


class Workers:
    """A few threads; the loop never waits for them.

    What was not begun when its result is wanted is not begun any more. What was begun cannot be
    ended from outside: its thread comes back when it does, and its end is nobody's.

    Parameters
    ----------
    count : int
        Threads.
    """

    def __init__(self, count: int = 2) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._answers: dict[Asked, list[Answer]] = {}
        self._threads = [
            # Not waited for when the process ends, so that a function that hangs does not hold it.
            threading.Thread(target=self._run, name=f"computes {number}", daemon=True)
            for number in range(count)
        ]
        self._runs = False

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def ask(self, asked: Asked, work: Work) -> None:
        """Queue it; the first begins the threads."""
        if not self._runs:
            self._runs = True
            for each in self._threads:
                each.start()
        found: list[Answer] = []
        self._answers[asked] = found

        def begin() -> None:
            if asked not in self._answers:  # nobody wants it any more
                return
            try:
                found.append(carried_out(work))
            except KeyboardInterrupt:  # by the function: people interrupt the main thread
                found.append(Answer(error="KeyboardInterrupt"))

        self._queue.put(begin)

    def answer(self, asked: Asked) -> Answer:
        """Say what came of it by now."""
        found = self._answers.pop(asked, None)
        if found is None:
            return _LOST
        return found[0] if found else _LATE

    def close(self) -> None:
        """Let the threads end when they have done what they do; what waits is not begun."""
        self._answers.clear()
        for _ in self._threads:
            self._queue.put(None)
