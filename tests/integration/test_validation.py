"""The engine beside NautilusTrader: 1,000 sessions, in `make test-full`."""

import pytest

from quantvista.backtest.validate import KINDS, Kind, find_python, validate
from quantvista.errors import ConfigError

SESSIONS = 250  # of each kind
SHARE_MIN = 0.8
FILLS_MIN = 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_sessions_are_alike_or_their_difference_is_known(kind: Kind) -> None:
    try:
        python = find_python()
    except ConfigError as error:
        pytest.skip(str(error))
    report = validate(sessions=SESSIONS, seed=1, kind=kind, python=python)
    assert report.sessions == SESSIONS
    assert report.fills_min >= FILLS_MIN
    assert not report.unexplained, [each.to_json() for each in report.unexplained]
    assert report.share >= SHARE_MIN, report.to_json()
