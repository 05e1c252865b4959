"""Make a differing session small: leave out the commands that do not matter."""

from collections.abc import Callable

from quantvista.backtest.validate._report import Finding
from quantvista.backtest.validate._session import Session

__all__ = ["shrink"]

_RUNS_MAX = 60


def shrink(finding: Finding, again: Callable[[Session], Finding | None]) -> Finding:
    """Leave commands out as long as an unexplained difference stays.

    Parameters
    ----------
    finding : Finding
        An unexplained one.
    again : callable
        Runs a session through both systems.

    Returns
    -------
    Finding
        One of a session with as few commands as some tens of runs could find.
    """
    runs, wanted = 0, finding.difference.orders() or {0}

    def tried(dropped: frozenset[int]) -> Finding | None:
        nonlocal runs
        runs += 1
        found = again(finding.session.without(dropped))
        if found is None or found.rule is not None:
            return None
        # Leaving out an order may make a difference of its own, which is not the one looked for.
        same = found.difference.what == finding.difference.what
        there = found.difference.orders() or {0}
        return found if same and there & wanted else None

    late = [i for i, each in enumerate(finding.session.commands) if each.ts > finding.difference.ts]
    if late and (found := tried(frozenset(late))) is not None:
        finding = found
    size = max(1, len(finding.session.commands) // 2)
    while runs < _RUNS_MAX:
        shorter = False
        start = 0
        while start < len(finding.session.commands) and runs < _RUNS_MAX:
            dropped = frozenset(range(start, min(start + size, len(finding.session.commands))))
            found = tried(dropped)
            if found is None:
                start += size
            else:
                finding, shorter = found, True
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return finding
