"""Run sessions through both systems and say how far they agree."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from quantvista.backtest.validate._case import Case
from quantvista.backtest.validate._compare import compare
from quantvista.backtest.validate._generate import generate
from quantvista.backtest.validate._nautilus import TheirSide, find_python, given
from quantvista.backtest.validate._ours import OurSide
from quantvista.backtest.validate._report import Finding, Report
from quantvista.backtest.validate._result import Result
from quantvista.backtest.validate._rules import classify
from quantvista.backtest.validate._session import Kind, Session
from quantvista.backtest.validate._shrink import shrink

__all__ = ["validate"]

type Progress = Callable[[int, int, str], None]

_SHRUNK_MAX = 3  # of the unexplained, which take a while each


def validate(
    *,
    sessions: int = 1000,
    seed: int = 1,
    kind: Kind | None = None,
    python: Path | None = None,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compare the engine with NautilusTrader over random sessions.

    Parameters
    ----------
    sessions : int
        How many.
    seed : int
        Of the first one; the others count on from it.
    kind : {"bars", "quotes", "trades", "books"}, optional
        Kind of data; by default the four take turns.
    python : pathlib.Path, optional
        Interpreter that has NautilusTrader; by default that of ``.venv-nautilus``.
    keep : pathlib.Path, optional
        Folder for the sessions and what came out, one file each.
    progress : callable, optional
        Called with ``(done, total, text)``.

    Returns
    -------
    Report
        Counts, and every difference that no rule explains.

    Raises
    ------
    ConfigError
        If the interpreter is not there.
    EngineError
        If one of the systems breaks off.
    """
    report = Report()
    with TheirSide(find_python(python)) as theirs:
        for number in range(seed, seed + sessions):
            session = generate(number, kind)
            theirs.start(session)
            mine = OurSide().run(session)
            other = theirs.finish(session)
            finding = _finding(session, mine, other)
            if keep is not None:
                _keep(keep, session, mine, other, finding)
            unexplained = finding is not None and finding.rule is None
            if finding is not None and unexplained and len(report.unexplained) < _SHRUNK_MAX:
                finding = shrink(finding, lambda each: _again(each, theirs))
            report.note(session, other, finding)
            if progress is not None:
                progress(number - seed + 1, sessions, f"session {number}")
    return report


def _again(session: Session, theirs: TheirSide) -> Finding | None:
    theirs.start(session)
    mine = OurSide().run(session)
    return _finding(session, mine, theirs.finish(session))


def _finding(session: Session, ours: Result, theirs: Result) -> Finding | None:
    difference = compare(session, ours, theirs)
    if difference is None:
        return None
    rule = classify(Case(session, ours, theirs, difference))
    return Finding(session, difference, None if rule is None else rule.name)


def _keep(
    folder: Path, session: Session, ours: Result, theirs: Result, finding: Finding | None
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    value = {
        "given": given(session),
        "ours": asdict(ours),
        "theirs": asdict(theirs),
        "finding": None if finding is None else finding.to_json(),
    }
    path = folder / f"{session.kind}-{session.seed}.json"
    path.write_text(json.dumps(value, default=str) + "\n", encoding="utf-8")
