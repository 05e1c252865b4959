"""``qv data``: import, list, show, history and compact."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quantvista.cli import _complete
from quantvista.cli._app import app
from quantvista.data.importing import IMPORT_KINDS
from quantvista.errors import OutputError

GOOD = "Day,Ticker,Close\n2024-01-02,AAA,2\n2024-01-03,AAA,3\n"
BAD = GOOD + "2024-01-03,BBB,x\n2024-01-04,BBB\n"

type Qv = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(BAD)
    return tmp_path


def test_an_empty_lake_says_what_to_do(qv: Qv) -> None:
    code, out, _ = qv("data", "list")
    assert (code, out.splitlines()[0]) == (0, "The lake lake is empty.")
    assert "qv data import FILE --into NAME" in out
    code, _, err = qv("data", "show", "mine")
    assert code == 3
    assert "qv data import FILE --into NAME" in err


def test_a_dry_run_says_how_files_are_understood_and_writes_nothing(qv: Qv, here: Path) -> None:
    code, out, _ = qv("data", "import", "good.csv", "--into", "mine", "--venue", "XNAS", "-n")
    assert code == 0
    assert "columns: close = Close, instrument = Ticker" in out
    assert "known at the close of that session of XNYS" in out
    assert not (here / "lake").exists()


def test_import_show_history_compact(qv: Qv) -> None:
    code, out, err = qv("data", "import", "bad.csv", "--into", "mine", "--venue", "XNAS")
    assert (code, err) == (0, "")
    assert "mine: 2 rows of bars" in out
    assert "2 rows are in quarantine:" in out
    assert "has 2 fields, the header has 3 (row 5 of bad.csv)" in out
    code, out, _ = qv("data", "show", "mine", "--verify")
    assert "bars" in out
    assert "have the content that the commit names" in out
    code, out, _ = qv("data", "show", "mine", "--kind", "quarantine", "--json")
    assert [row["row"] for row in json.loads(out)["rows"]] == [4, 5]
    code, out, _ = qv("data", "show", "mine", "--as-of", "2024-01-03", "--json")
    assert [row["close"] for row in json.loads(out)["rows"]] == [2.0]
    code, out, _ = qv("data", "show", "mine", "--kind", "bars", "--instrument", "AAA.XNAS")
    assert "AAA.XNAS" in out
    assert "2024-01-03T21:00:00Z" in out
    code, out, _ = qv("data", "history", "mine", "--json")
    (commit,) = json.loads(out)["commits"]
    assert commit["operation"] == "import"
    assert list(commit["notes"]["sources"]) == ["bad.csv"]
    code, out, _ = qv("data", "history", "mine")
    assert commit["commit"][:12] in out
    code, out, _ = qv("data", "compact", "mine", "--keep", "1", "--json")
    assert json.loads(out)["removed"] == {"commits": 0, "files": 0}
    code, out, _ = qv("data", "list", "--json")
    assert [each["name"] for each in json.loads(out)["datasets"]] == ["mine"]
    assert "mine" in qv("data", "list")[1]
    assert "files became" in qv("data", "compact", "mine", "--keep", "1")[1]


def test_json_of_an_import(qv: Qv) -> None:
    _, out, _ = qv("data", "import", "bad.csv", "-i", "mine", "--venue", "XNAS", "--json")
    found = json.loads(out)
    assert found["rows"] == {"bars": 2}
    assert found["rejected"] == {
        "'Close' is no number: x": 1,
        "has 2 fields, the header has 3": 1,
    }
    _, out, _ = qv("data", "import", "good.csv", "-i", "mine", "--venue", "XNAS", "--json", "-n")
    assert ["venue", "XNAS"] in json.loads(out)["understood"][0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["good.csv"], 3, "say where 'AAA' trades".replace("say", "must say")),
        (["none.csv"], 3, "`source` must be a file or a folder; found no none.csv"),
        (["bad.csv", "--venue", "XNAS", "--strict"], 3, "without --strict"),
        (["good.csv", "--column", "close"], 2, "`--column` must be OURS=THEIRS"),
        (["good.csv", "--known-at", "soon"], 2, "`--known-at` must be an ISO date"),
        (["good.csv", "--kind", "candles"], 2, "`kind` must be one of bars"),
    ],
)
def test_errors_say_what_to_do(qv: Qv, arguments: list[str], code: int, message: str) -> None:
    found = qv("data", "import", *arguments, "--into", "mine")
    assert found[0] == code
    assert message in found[2].replace("\n", " ")


def test_names_are_completed(qv: Qv, here: Path) -> None:
    qv("data", "import", "good.csv", "--into", "mine", "--venue", "XNAS", "--known-at", "now")
    assert _complete.data_sets("m") == ["mine"]
    assert _complete.data_sets("x") == []
    assert _complete.import_kinds("quo") == ["quote_bars", "quotes"]
    assert _complete.table_kinds("qua") == ["quarantine"]
    assert sorted(IMPORT_KINDS) == _complete.import_kinds("")


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("bars", "'close'"),
        ("trades", "'price'"),
        ("quotes", "'bid' or 'ask'"),
        ("funding", "'rate'"),
        ("news", "'text'"),
    ],
)
def test_import_without_what_the_kind_needs_is_refused(
    qv: Qv, tmp_path: Path, kind: str, missing: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("date,high,instrument\n2024-01-02,1,A.XNYS\n")
    code, _, err = qv("data", "import", path, "--into", "m", "--kind", kind)
    assert code == 3
    assert f"{kind} must have a column {missing}" in " ".join(err.split())


def test_a_damaged_dataset_is_named_and_hides_no_other(qv: Qv, here: Path) -> None:
    for name in ("good", "spoilt"):
        qv("data", "import", "good.csv", "--into", name, "--venue", "XNAS")
    (here / "lake" / "spoilt" / "HEAD").write_bytes(b"\xff\xfe")
    code, out, err = qv("data", "list")
    assert (code, "good" in out) == (3, True)
    assert "lake/spoilt/HEAD: must name a commit" in err
    code, out, _ = qv("data", "list", "--json")
    said = json.loads(out)
    assert [each["name"] for each in said["datasets"]] == ["good"]
    assert (code, list(said["damaged"])) == (3, ["spoilt"])
    (path,) = (here / "lake" / "good").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:4])
    show = ["data", "show", "good", "-k", "bars"]
    for arguments in (["data", "list"], show, ["data", "check", "lake:good"]):
        code, _, err = qv(*arguments)
        assert (code, path.name in err) == (3, True), err


def test_one_row_is_said_as_one_and_the_quarantine_has_no_times(qv: Qv, here: Path) -> None:
    (here / "one.csv").write_text("Day,Ticker,Close\n2024-01-02,AAA,2\n2024-01-03,AAA,x\n")
    options = ("--into", "mine", "--venue", "XNAS")
    _, out, _ = qv("data", "import", "one.csv", *options)
    assert "mine: 1 row of bars; commit" in out
    assert "1 row is in quarantine:" in out
    _, out, _ = qv("data", "show", "mine")
    assert "1970" not in out
    _, out, _ = qv("data", "show", "mine", "--json")
    assert json.loads(out)["kinds"]["quarantine"]["first"] is None
    _, out, _ = qv("data", "import", "one.csv", *options)
    assert "mine: 0 rows of bars, 1 was there already; commit" in out
    assert json.loads(qv("data", "show", "mine", "--json")[1])["kinds"]["quarantine"]["rows"] == 1


def test_files_of_a_folder_that_are_left_out_are_named(qv: Qv, here: Path) -> None:
    (here / "in").mkdir()
    (here / "in" / "good.csv").write_text(GOOD)
    (here / "in" / "book.xlsx").write_text("")
    line = "Left out, for they are no files of a known format: book.xlsx"
    for more in ((), ("--dry-run",)):
        code, out, _ = qv("data", "import", "in", "--into", "mine", "--venue", "XNAS", *more)
        assert (code, line in out) == (0, True)


@pytest.mark.parametrize(
    "option",
    [
        ("--encoding", "rot13"),
        ("--separator", "\N{SECTION SIGN}"),
        ("--delay", "99999999999"),
        ("--period", "9999999999999"),
        ("--known-at", "9999-12-31"),
        ("--scale", "inf"),
        ("--decimal", ";"),
    ],
)
def test_options_of_an_import_that_mean_nothing_are_the_users_mistake(
    qv: Qv, option: tuple[str, str]
) -> None:
    code, _, err = qv("data", "import", "good.csv", "--into", "mine", "--venue", "XNAS", *option)
    assert (code, "internal" in err, "must" in err) == (2, False, True)


def test_an_import_that_cannot_write_names_its_own_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("date,instrument,close\n2024-01-02,A.XNYS,1.5\n")

    def full(*_args: object, **_keywords: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("quantvista.cli._lake.import_into", full)
    words = ["data", "import", tmp_path / "a.csv", "--into", "m", "--lake", tmp_path / "l"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 1
    assert "another folder with --lake." in done.output
    assert "--out" not in done.output
