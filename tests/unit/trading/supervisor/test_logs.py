from pathlib import Path

import pytest

from quantvista.trading.supervisor import LogFile, last_lines


def test_a_log_is_rotated_under_who_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "node.log"
    log = LogFile(path, 20, 2)
    assert not log.rotate()
    with log.open() as writer:  # as the standard output of a process: never opened again
        for number in range(8):
            writer.write(b"line %d, so long\n" % number)
            log.rotate()
        writer.write(b"the end\n")
    assert path.read_bytes() == b"the end\n"
    assert (tmp_path / "node.log.1").read_text() == "line 6, so long\nline 7, so long\n"
    assert (tmp_path / "node.log.2").read_text() == "line 4, so long\nline 5, so long\n"
    assert len(list(tmp_path.iterdir())) == 3
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}


def test_a_log_of_which_nothing_is_kept_is_cut(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log", 1, 0)
    log.write("text")
    assert log.rotate()
    assert [each.name for each in tmp_path.iterdir()] == ["x.log"]


@pytest.mark.parametrize("count", [0, 1, 3, 9_999, 20_000])
def test_last_lines_are_those_of_the_whole(tmp_path: Path, count: int) -> None:
    path = tmp_path / "x.log"
    lines = [f"line {number} {'x' * (number % 40)}" for number in range(10_000)]
    path.write_text("\n".join(lines) + "\n")
    assert last_lines(path, count) == (lines[-count:] if count else [])


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log", 5) == []
    (tmp_path / "odd.log").write_bytes(b"\xff no end")
    assert last_lines(tmp_path / "odd.log", 5) == ["\N{REPLACEMENT CHARACTER} no end"]


def test_what_a_process_said_is_told_from_what_was_said_before_it(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "node.log", 100, kept=1)
    log.begin()
    log.write("the first")
    log.begin()
    assert log.last(5) == []
    for number in range(4):
        log.write(f"line {number}")
    assert log.last(2) == ["line 2", "line 3"]
    assert log.last(9) == ["line 0", "line 1", "line 2", "line 3"]
    log.write("x" * 100)
    assert log.rotate()
    log.write("after")
    assert log.last(9) == ["after"]
