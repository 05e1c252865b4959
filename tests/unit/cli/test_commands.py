import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantvista import __version__
from quantvista.cli import _complete
from quantvista.fund import TEMPLATES, json_schema

type Qv = Callable[..., Any]


def test_no_command_shows_help(qv: Qv) -> None:
    assert "run" in qv("--help").out
    assert qv("--help").out == qv("-h").out
    assert "Usage: qv" in qv().out + qv().err


@pytest.mark.parametrize(
    "command", ["init", "run", "report", "compare", "schema", "validate", "doctor", "version"]
)
def test_every_command_has_help_within_80_columns(qv: Qv, command: str) -> None:
    done = qv(command, "--help")
    assert done.code == 0
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "Example" in done.out or command == "version"


def test_wrong_option_is_a_configuration_error(qv: Qv) -> None:
    done = qv("run", "--ouut", "x")
    assert (done.code, done.out) == (2, "")
    assert "--out" in done.err


def test_init_writes_a_template_and_says_what_next(
    qv: Qv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = qv("init", "mine", "--template", "strategy")
    assert done.code == 0
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["fund.toml", "mine.py"]
    assert "cd mine" in done.out
    assert "qv run fund.toml" in done.out


def test_init_does_not_replace_files_unasked(qv: Qv, tmp_path: Path) -> None:
    assert qv("init", tmp_path).code == 0
    done = qv("init", tmp_path)
    assert done.code == 2
    assert done.err.count("is there already") == 1
    assert qv("init", tmp_path, "--force").code == 0


def test_init_of_an_unknown_template_names_the_known(qv: Qv, tmp_path: Path) -> None:
    done = qv("init", tmp_path, "-t", "nothing")
    assert done.code == 2
    assert "demo, csv, strategy, event" in done.err


def test_schema_goes_to_standard_output_or_a_file(qv: Qv, tmp_path: Path) -> None:
    assert qv("schema").out == json_schema()
    path = tmp_path / "new" / "fund.schema.json"
    assert qv("schema", "--out", path).code == 0
    assert path.read_text() == json_schema()
    done = qv("schema", "--out", tmp_path)
    assert done.code == 1
    assert "`out` must be writable; found is a directory" in done.err


def test_version_is_plain_or_json(qv: Qv) -> None:
    assert qv("version").out.startswith(f"quantvista {__version__} (Python ")
    found = json.loads(qv("version", "--json").out)
    assert found == {"python": platform.python_version(), "quantvista": __version__}


@pytest.mark.parametrize("stream", [1, 2])
def test_closed_stream_ends_a_command_quietly(stream: int) -> None:
    done = subprocess.run(
        ["bash", "-c", f'exec {stream}>&-; exec "$0" -m quantvista version', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("quantvista ") == (stream == 2)


def test_a_reader_that_has_gone_ends_a_command_quietly(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -o pipefail; "$0" -m quantvista init "$1" | true',
            sys.executable,
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_doctor_reports_every_check(qv: Qv) -> None:
    done = qv("doctor", "--json")
    report = json.loads(done.out)
    assert [check["name"] for check in report["checks"]] == [
        "python",
        "native core",
        "sample",
        "report assets",
        "time zones",
        "cache",
        "calendar",
        "disk",
    ]
    assert done.code == (0 if report["healthy"] else 1)
    text = qv("doctor")
    assert text.code == done.code
    assert "calendar       XNYS, 252 sessions in 2024" in text.out


def test_doctor_says_what_is_missing(qv: Qv, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = qv("doctor")
    assert done.code == 1
    assert "pip install 'quantvista[sample]'" in done.out
    assert "Something is missing" in done.out


def test_completion_suggests_templates_funds_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fund.toml").write_text("")
    (tmp_path / "other.txt").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "out" / "demo").mkdir(parents=True)
    (tmp_path / "out" / "demo" / "summary.json").write_text("{}")
    assert sorted(_complete.templates("")) == sorted(TEMPLATES)
    assert _complete.templates("st") == ["strategy"]
    assert _complete.funds("") == ["fund.toml", "out/"]
    assert _complete.runs("out/") == ["out/demo"]
    assert _complete.runs("none/") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_offered(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "quantvista", "--show-completion", shell],
        capture_output=True,
        text=True,
        check=False,
    )
    # Which shells take an argument differs between versions of Typer; neither may crash.
    assert "Traceback" not in done.stderr


def test_report_and_compare_explain_a_folder_without_a_run(qv: Qv, tmp_path: Path) -> None:
    for command in ("report", "compare"):
        done = qv(command, tmp_path / "none")
        assert done.code == 2
        assert "`run_dir` must be a folder that `qv run` wrote" in done.err
        assert "Name a folder that `qv run` wrote, such as out/demo." in done.err
        assert "qv schema" not in done.err
        assert "found no summary.json" in qv(command, tmp_path).err
    path = tmp_path / "summary.json"
    for content, message in (
        ("{", "found damaged JSON"),
        ("[" * 100_000, "found damaged JSON"),
        ("[]", "must be of schema_version 1; found None"),
        ('{"schema_version": 2}', "must be of schema_version 1; found 2"),
        ('{"schema_version": 1, "status": "incomplete"}', "found a run that was stopped"),
    ):
        path.write_text(content)
        assert message in qv("compare", tmp_path).err
    path.write_bytes(b"\xff")
    assert "found damaged JSON" in qv("report", tmp_path).err


@pytest.mark.parametrize("words", [["data", "check"], ["data", "import"], ["features", "compute"]])
def test_examples_stand_on_lines_of_their_own(words: list[str], qv: Qv) -> None:
    out = qv(*words, "--help")[1]
    examples = out.rpartition("Examples:\n")[2].rstrip("\n").splitlines()
    assert len(examples) > 1
    assert all(each.strip().startswith(f"qv {' '.join(words)} ") for each in examples), examples
