import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quantvista.errors import ConfigError
from quantvista.market import cache_dir, sessions


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTVISTA_CACHE", str(tmp_path))
    return tmp_path


def _utc(ns: int) -> str:
    return str(np.datetime64(int(ns), "ns").astype("datetime64[m]"))


def test_sessions_know_holidays_early_closes_and_summer_time(cache: Path) -> None:
    days = sessions("XNYS", "2024-07-02", "2024-07-05")
    assert days.labels.astype(str).tolist() == ["2024-07-02", "2024-07-03", "2024-07-05"]
    assert [_utc(ns) for ns in days.close_ns] == [
        "2024-07-02T20:00",
        "2024-07-03T17:00",  # early close at 13:00
        "2024-07-05T20:00",
    ]
    winter = sessions("XNYS", "2024-01-02", "2024-01-02")
    assert (_utc(winter.open_ns[0]), _utc(winter.close_ns[0])) == (
        "2024-01-02T14:30",
        "2024-01-02T21:00",
    )


def test_sessions_come_from_the_cache_without_the_slow_library(cache: Path) -> None:
    sessions("XNYS", "2024-01-01", "2024-12-31")
    code = (
        "import sys; from quantvista.market import sessions;"
        "assert len(sessions('XNYS', '2024-02-01', '2024-02-29')) == 20;"
        "assert not {'pandas', 'exchange_calendars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_cache_grows_with_what_is_asked_for(cache: Path) -> None:
    sessions("XNYS", "2024-01-01", "2024-12-31")
    (path,) = (cache / "calendars").iterdir()
    before = path.stat().st_size
    sessions("XNYS", "2022-01-01", "2022-02-01")
    assert path.stat().st_size > 2 * before
    assert len(sessions("XNYS", "2022-01-01", "2024-12-31")) == 251 + 250 + 252


@pytest.mark.parametrize("junk", [b"", b"junk", b"quantvista sessions 1|2024|2024|00\nxx"])
def test_damaged_cache_is_made_again(
    cache: Path, caplog: pytest.LogCaptureFixture, junk: bytes
) -> None:
    sessions("XNYS", "2024-01-01", "2024-12-31")
    (path,) = (cache / "calendars").iterdir()
    whole = path.read_bytes()
    path.write_bytes(junk)
    with caplog.at_level(logging.WARNING):
        assert len(sessions("XNYS", "2024-01-01", "2024-12-31")) == 252
    assert "damaged" in caplog.text
    assert path.read_bytes() == whole


def test_flipped_bit_in_the_cache_is_noticed(cache: Path) -> None:
    sessions("XNYS", "2024-01-01", "2024-12-31")
    (path,) = (cache / "calendars").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert len(sessions("XNYS", "2024-01-01", "2024-12-31")) == 252
    assert path.read_bytes() == whole


def test_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUANTVISTA_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert len(sessions("XNYS", "2024-01-01", "2024-12-31")) == 252
    assert "cannot be written" in caplog.text


def test_all_days_are_sessions_around_the_clock() -> None:
    days = sessions("24/7", "2024-02-28", "2024-03-01")
    assert len(days) == 3
    assert (days.open_ns[1:] == days.close_ns[:-1]).all()


@pytest.mark.parametrize(
    ("name", "start", "end", "message"),
    [
        ("XNYZ", "2024-01-01", "2024-01-31", "did you mean .*XNYS"),
        ("../etc", "2024-01-01", "2024-01-31", "`calendar` must be a name"),
        ("", "2024-01-01", "2024-01-31", "`calendar` must be a name"),
        ("XNYS", "2024-02-01", "2024-01-31", "`start` must not be after"),
        ("XNYS", "1800-01-01", "2024-01-31", "`calendar` XNYS covers 1900-01-01 to 2199-12-31"),
        ("XKRX", "1950-01-03", "1951-01-31", "`calendar` XKRX covers 1956-01-01 to"),
    ],
)
def test_sessions_that_do_not_exist_raise(
    cache: Path, name: str, start: str, end: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        sessions(name, start, end)


def test_cache_dir_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUANTVISTA_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    if sys.platform == "linux":
        assert cache_dir() == Path("/somewhere/quantvista")
    monkeypatch.setenv("QUANTVISTA_CACHE", "/elsewhere")
    assert cache_dir() == Path("/elsewhere")
