from collections.abc import Callable
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from quantvista.cli import _progress
from quantvista.cli._app import app


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def qv(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run ``qv`` in this process, in 80 columns without colour."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("QV_DEBUG", raising=False)
    monkeypatch.setattr(_progress, "_FIRST_S", 3_600.0)  # a slow machine says no more than others

    def inner(*arguments: object) -> Ended:
        found = CliRunner().invoke(app, [str(each) for each in arguments], prog_name="qv")
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Ended(found.exit_code, found.stdout, found.stderr)

    return inner
