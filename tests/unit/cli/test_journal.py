"""``qv journal``: what it prints, and how it ends."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli import _journal_show
from quantvista.cli._app import app
from quantvista.cli._complete import journals, record_kinds
from quantvista.engine import RawEngine
from quantvista.errors import ConfigError
from quantvista.journal import (
    INPUT,
    KEY_VARIABLE,
    Journal,
    Note,
    Reader,
    SecretKey,
    make_key,
    verify,
)

START = 1_767_261_600_000_000_000  # 2026-01-01 10:00 UTC
CANCEL = {
    "ts_event": 5,
    "ts_received": 6,
    "source": 0,
    "sequence": 9,
    "event": {"cancel_order": {"order": 4}},
}


def run(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(
        app, ["journal", *map(str, arguments)]
    )
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten records over several segments: notes, an input of the engine, one of no known kind."""
    place = tmp_path / "journal"
    with Journal(place, "fund/demo", segment_bytes=400) as journal:
        for number in range(1, 9):
            journal.write(Note(text=f"note {number}"), ts=START + number * 1_000)
            journal.commit()
        journal.append(INPUT.number, INPUT.version, START + 9_000, RawEngine.encode_input(CANCEL))
        journal.append(140, 2, START + 86_400_000_000_000, b"\x81\xa5order\x05")
    return place


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "seal.key")
    return tmp_path / "seal.key"


def test_verify_says_what_the_journal_is(folder: Path) -> None:
    said = run("verify", folder)
    assert "All of it verifies: 10 records, every byte." in said
    assert "It is not sealed" in said
    assert "First record  2026-01-01 10:00:00.000 UTC" in said
    assert verify(folder).head.chain.hex() in said
    assert all(len(line) <= 80 or line.startswith("  qv") for line in said.splitlines())
    facts = json.loads(run("verify", folder, "--json"))
    assert (facts["verified"], facts["records"], facts["stream"]) == (True, 10, "fund/demo")
    assert facts["head"]["sequence"] == 10


def test_verify_locates_a_flipped_bit(folder: Path) -> None:
    [*_, segment, _] = sorted(folder.glob("*.qvj"))
    content = bytearray(segment.read_bytes())
    content[-10] ^= 1
    segment.write_bytes(content)
    after = int(segment.stem)
    said = run("verify", folder, code=3)
    assert f"segment {segment.name}, byte" in said
    assert "restore this segment from a backup" in said
    done = CliRunner().invoke(app, ["journal", "verify", str(folder), "--json"])
    facts = json.loads(done.stdout)
    assert (facts["verified"], facts["file"]) == (False, segment.name)
    assert facts["after"] in (after - 1, after)
    assert 0 < facts["offset"] < len(content)


def test_verify_with_a_key_needs_its_seal(folder: Path, key: Path) -> None:
    public = Path(f"{key}.pub")
    assert "has no seal" in run("verify", folder, "--key", public, code=3)
    run("seal", folder, "--key", key)
    said = run("verify", folder, "--key", public)
    assert "A signature covers all of them." in said
    assert "made with the key that you gave" in " ".join(said.split())
    assert "Whose it is was not checked" in " ".join(run("verify", folder).split())
    other = SecretKey(bytes(32)).public.hex()
    assert "signed with another key" in run("verify", folder, "--key", other, code=3)
    assert "64 hexadecimal digits" in run("verify", folder, "--key", "12", code=2)


def test_what_is_torn_is_told(folder: Path) -> None:
    segment = max(folder.glob("*.qvj"))
    content = segment.read_bytes()
    segment.write_bytes(content.rstrip(b"\0") + b"\x01\x02\x03" + bytes(600))
    assert "an interrupted write left" in " ".join(run("verify", folder).split())


def test_tail_prints_a_line_a_record(folder: Path) -> None:
    said = run("tail", folder, "-n", "3")
    assert said.splitlines() == [
        "2026-01-01 UTC",
        "        8  10:00:00.000008  note     text=note 8",
        "        9  10:00:00.000009  input    cancel_order order=4",
        "2026-01-02 UTC",
        "       10  10:00:00.000000  140      order=5",
    ]
    assert len(run("tail", folder).splitlines()) == 12
    assert run("tail", folder, "-n", "0") == ""


def test_tail_filters_by_kind(folder: Path) -> None:
    lines = run("tail", folder, "-n", "2", "-k", "note", "--json").splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [7, 8]
    lines = run("tail", folder, "-k", "140", "-k", "input", "--json").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["input", "140"]
    said = run("tail", folder, "-k", "nope", code=2)
    assert "must be a number or one of answered, commanded, computed, " in said


def test_a_long_record_stays_within_the_line(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "x") as journal:
        journal.write(Note(text="long\n" * 100), ts=START)
    [_, line] = run("tail", tmp_path / "j").splitlines()
    assert len(line) <= 80
    assert line.endswith("…")


def test_tail_of_an_empty_journal_says_so(tmp_path: Path) -> None:
    Journal(tmp_path / "j", "x").close()
    assert run("tail", tmp_path / "j") == "No record is durable yet.\n"
    assert run("tail", tmp_path / "j", "--json") == ""
    assert "has no record yet" in run("show", tmp_path / "j", "1", code=2)


def test_follow_prints_each_record_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def follow(self: object) -> object:
        with Journal(folder, "fund/demo") as journal:
            journal.write(Note(text="later"), ts=START)
        yield from self  # type: ignore[misc]
        raise KeyboardInterrupt

    monkeypatch.setattr(Reader, "follow", follow)
    lines = run("tail", folder, "-n", "1", "-f", "--json", code=130).splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [10, 11]


def test_show_prints_records_in_full(folder: Path) -> None:
    said = run("show", folder, "9..10")
    assert "record 9  2026-01-01 10:00:00.000009000 UTC  input (1), version 2" in said
    assert '"cancel_order": {' in said
    assert "kind 140, version 2, is not known here" in said
    listed = json.loads(run("show", folder, "..2", "--json"))
    assert [each["value"] for each in listed] == [{"text": "note 1"}, {"text": "note 2"}]
    assert [each["sequence"] for each in json.loads(run("show", folder, "9..", "--json"))] == [
        9,
        10,
    ]
    assert "found 11;" in run("show", folder, "11", code=2)
    assert "found 9.. of these kinds" in run("show", folder, "9..", "-k", "note", code=2)


@pytest.mark.parametrize("text", ["", "..", "a", "1-2", "5..4", "0", "-1", "1.5"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="`SEQ` must"):
        _journal_show.range_of(text, option="SEQ")


def test_export_writes_a_table(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "day.parquet"
    said = run("export", folder, "--out", out, "--range", "8..")
    assert said == f"wrote {out}: 3 records\n"
    table = pl.read_parquet(out)
    assert table["sequence"].to_list() == [8, 9, 10]
    assert table["kind"].to_list() == ["note", "input", "140"]
    assert table["ts"].dtype == pl.Datetime("ns", "UTC")
    assert json.loads(table["value"][1])["event"] == {"cancel_order": {"order": 4}}
    assert table["problem"].null_count() == 2
    assert table["payload"][2] == b"\x81\xa5order\x05"


def test_export_writes_lines(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "notes.jsonl"
    told = json.loads(run("export", folder, "-o", out, "-k", "note", "--json"))
    assert told == {"out": str(out), "records": 8}
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["value"]["text"] for line in lines] == [f"note {n}" for n in range(1, 9)]
    assert [path.name for path in out.parent.iterdir()] == ["notes.jsonl"]


def test_export_refuses_what_it_cannot_do(folder: Path, tmp_path: Path) -> None:
    assert "must be given; found neither" in run("export", folder, code=2)
    assert "must end with .parquet or .jsonl" in run("export", folder, "-o", "x.csv", code=2)
    assert "found no seal" in run("export", folder, "--proof", tmp_path / "proof", code=2)


def test_a_proof_is_checked_with_the_public_key_alone(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    run("seal", folder, "--key", key)
    with Journal(folder, "fund/demo") as journal:
        journal.write(Note(text="after the seal"), ts=START)
    proof = tmp_path / "proof"
    said = run("export", folder, "--proof", proof)
    shutil.rmtree(folder)
    public = Path(f"{key}.pub").read_text().strip()
    assert f"qv journal verify {proof} --key {public}" in said
    assert "records 1 to 10" in said
    assert json.loads(run("verify", proof, "--key", public, "--json"))["records"] == 10
    assert public in (proof / "CHECK.txt").read_text()
    assert "new or empty" in run("export", proof, "--proof", proof, code=1)
    for path in sorted(proof.glob("*.qvj")):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 128]))
        assert path.name in run("verify", proof, "--key", public, code=3)
        path.write_bytes(content)


def test_seal_signs_the_end_once(folder: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert "`qv journal key --out FILE` makes one" in run("seal", folder, code=2)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    told = json.loads(run("seal", folder, "--json"))
    assert (told["new"], told["last"], told["stream"]) == (True, 10, "fund/demo")
    assert "Nothing to do" in run("seal", folder)
    assert len(list(folder.glob("*.seal"))) == 1
    with Journal(folder, "fund/demo") as journal:
        assert "is being written by another process" in run("seal", folder, code=1)
        journal.write(Note(text="more"), ts=START)
    assert "records 1 to 11" in run("seal", folder)


def test_seal_of_nothing_is_refused(tmp_path: Path, key: Path) -> None:
    Journal(tmp_path / "j", "x").close()
    assert "must have a record before" in run("seal", tmp_path / "j", "--key", key, code=2)
    assert "found no such folder" in run("seal", tmp_path / "none", "--key", key, code=2)
    assert not (tmp_path / "none").exists()


def test_a_new_key_is_told_without_its_secret(tmp_path: Path) -> None:
    said = run("key", "--out", tmp_path / "k")
    secret = (tmp_path / "k").read_text().split()[5]
    assert secret not in said
    assert (tmp_path / "k.pub").read_text().strip() in said
    assert "must not be there yet" in run("key", "--out", tmp_path / "k", code=1)
    assert secret not in run("key", "--out", tmp_path / "second", "--json")


@pytest.mark.parametrize("command", ["verify", "tail", "show", "export", "seal"])
def test_no_journal_there_says_what_to_do(command: str, tmp_path: Path, key: Path) -> None:
    more = {"show": ["1"], "export": ["-o", "x.jsonl"], "seal": ["--key", str(key)]}
    said = run(command, tmp_path, *more.get(command, []), code=2)
    assert "`folder` must hold a journal; found no segment (*.qvj)" in said
    assert "qv schema" not in said


def test_the_shell_completes_journals_and_kinds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert journals("j") == ["journal"]
    assert record_kinds("not") == ["note"]


def test_every_record_has_a_summary() -> None:
    for value, text in (
        ({"operator": "flatten"}, "operator=flatten"),
        ("c1ff", "c1ff"),
        ({}, ""),
        ([1, 2], "[2]"),
        ({"a": True, "b": None, "c": -1.5}, "a=True c=\N{MINUS SIGN}1.5"),
    ):
        assert _journal_show.summary(value) == text
