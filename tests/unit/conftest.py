"""What several unit tests begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantvista.keyring import KEY_RING_VARIABLE, make_ring


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "coins.keys"
    make_ring(path)
    monkeypatch.setenv(KEY_RING_VARIABLE, str(path))
    return path
