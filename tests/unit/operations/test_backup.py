"""Backups of a fund that trades, and what comes back of them."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.data.lake import Lake, encrypt_lake
from quantvista.errors import BackupError, ConfigError, OutputError
from quantvista.fund import write_template
from quantvista.journal import Journal, Reader, verify
from quantvista.operations.backup import (
    Backup,
    _restore,
    make_backup,
    make_backup_key,
    read_backup_key,
    restore_backup,
    verify_backup,
)
from quantvista.operations.backup._archive import Manifest, read_archive
from quantvista.trading.control import ApiKey, Place
from quantvista.trading.node import NODE_KINDS, NodeOpened
from quantvista.trading.paper import SQLiteStore
from support.node_worlds import SETTINGS, STREAM, NodeWorld
from support.virtual_loop import run_virtually

KEY = bytes(range(32))
NOW = 1_800_000_000 * 10**9


class Files:
    """A folder where a world expects a disk in memory; a kill loses nothing that was written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)

    def lose_power(self, seed: int) -> None:
        """Nothing: it is real."""


@dataclass
class Fund:
    """A fund that trades in a folder, with the venue's database where the template has it."""

    folder: Path
    world: NodeWorld

    @property
    def place(self) -> Place:
        return Place(self.folder / "state")

    @property
    def database(self) -> Path:
        return self.folder / "paper" / "paper" / "venue.db"

    def backup(self, name: str = "one.qvb", **options: Any) -> Backup:  # noqa: ANN401
        out = self.folder.parent / name
        return make_backup(self.folder / "fund.toml", self.place, out, KEY, now_ns=NOW, **options)


async def begin(folder: Path, seed: int = 0) -> Fund:
    """Start a fund and its venue on what is in a folder."""
    world = NodeWorld(
        seed=seed,
        disk=Files(folder / "state" / "journal"),  # type: ignore[arg-type]
        settings=replace(SETTINGS, snapshot_records=150),
    )
    found = Fund(folder, world)
    await world.start()
    await world.paper.stop()
    world.paper.store = SQLiteStore(found.database)
    await world.paper.start()
    world.boot()
    await world.until_trading()
    return found


async def end(fund: Fund) -> None:
    await fund.world.paper.stop()
    fund.world.paper.store.close()


def lay_out(folder: Path) -> Path:
    write_template("paper", folder)
    place = Place(folder / "state")
    place.make()
    place.put_key("node", "paper", ApiKey("name", "a secret"))
    (place.run / "node.sock").write_text("")
    return folder


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backup]:
    """A backup that was made in the middle of trading; the fund is killed after it went on."""
    folder = lay_out(tmp_path_factory.mktemp("fund") / "fund")

    async def main() -> Backup:
        fund = await begin(folder)
        await fund.world.market(60)
        made = fund.backup()
        await fund.world.market(40)
        await fund.world.kill()
        await end(fund)
        return made

    return folder, run_virtually(main())


def client_ids(folder: Path) -> list[str]:
    store = SQLiteStore(folder / "paper" / "paper" / "venue.db")
    rows = store._db.execute("SELECT client FROM orders").fetchall()
    store.close()
    return [row[0] for row in rows]


def test_a_fund_goes_on_from_its_backup(backed_up: tuple[Path, Backup], tmp_path: Path) -> None:
    before, made = backed_up
    to = tmp_path / "again"
    found = restore_backup(made.path, to, KEY, now_ns=NOW + 10**9)
    assert found.level == "R1"
    assert found.state_hash == made.manifest.journals["node"]["state_hash"]
    assert (
        verify(to / "state" / "journal").records == found.manifest.journals["node"]["sequence"] + 1
    )

    async def main() -> None:
        fund = await begin(to, seed=5)
        assert fund.world.node.counts["inputs"] > 0
        await fund.world.market(60)
        await fund.world.settle()
        fund.world.check()
        await fund.world.stop()
        await end(fund)

    run_virtually(main())
    ids, old = client_ids(to), set(client_ids(before))
    assert len(ids) == len(set(ids))
    new = {each for each in ids if int(each.split("-")[-2]) > NOW // 10**9}
    assert new
    assert not new & old
    opened = [
        body.epoch
        for batch in Reader(to / "state" / "journal")
        for record in batch
        if isinstance(body := NODE_KINDS.body(record), NodeOpened)
    ]
    assert opened == [1, NOW // 10**9 + 2]


def test_the_venue_is_not_older_than_the_journal(
    backed_up: tuple[Path, Backup], tmp_path: Path
) -> None:
    _, made = backed_up
    restore_backup(made.path, tmp_path / "to", KEY, now_ns=NOW)
    store = SQLiteStore(tmp_path / "to" / "paper" / "paper" / "venue.db")
    heard = [
        body.sequence
        for batch in Reader(tmp_path / "to" / "state" / "journal")
        for record in batch
        if NODE_KINDS.name(record.kind) == "heard" and (body := NODE_KINDS.body(record))
    ]
    assert 0 < max(heard) <= store.last(0)
    store.close()


def test_a_quick_restore_compares_at_the_snapshot(
    backed_up: tuple[Path, Backup], tmp_path: Path
) -> None:
    _, made = backed_up
    found = restore_backup(made.path, tmp_path / "to", KEY, now_ns=NOW, quick=True)
    assert found.level == "snapshot"
    snapshot = made.manifest.journals["node"]["snapshot"]
    assert found.state_hash == snapshot["state_hash"]
    assert 0 < snapshot["sequence"] <= made.manifest.journals["node"]["sequence"]


def test_what_is_in_it_and_what_is_not(backed_up: tuple[Path, Backup], tmp_path: Path) -> None:
    _, made = backed_up
    restore_backup(made.path, tmp_path / "to", KEY, now_ns=NOW)
    names = {str(path.relative_to(tmp_path / "to")) for path in tmp_path.joinpath("to").rglob("*")}
    assert {"fund.toml", "paper.toml", "paper/paper/venue.db", "state/journal"} <= names
    assert not [name for name in names if name.endswith((".sock", "keys.json", ".torn"))]
    for name in names:
        path = tmp_path / "to" / name
        expected = 0o700 if path.is_dir() else 0o600
        if path.name != "lock":
            assert stat.S_IMODE(path.stat().st_mode) == expected or path.suffix == ".qvj", name
    assert stat.S_IMODE((tmp_path / "to").stat().st_mode) == 0o700
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert b"a secret" not in made.path.read_bytes()
    assert b"fund.toml" not in made.path.read_bytes()


def test_keys_come_only_if_asked_for(backed_up: tuple[Path, Backup], tmp_path: Path) -> None:
    folder, _ = backed_up
    out = tmp_path / "keys.qvb"
    place = Place(folder / "state")
    made = make_backup(folder / "fund.toml", place, out, KEY, now_ns=NOW, with_keys=True)
    assert made.manifest.with_keys
    restore_backup(out, tmp_path / "to", KEY, now_ns=NOW)
    assert Place(tmp_path / "to" / "state").key("node", "paper") == ApiKey("name", "a secret")
    assert not list(place.folder.glob(".backup-*"))


def test_another_key_and_a_full_folder_are_refused(
    backed_up: tuple[Path, Backup], tmp_path: Path
) -> None:
    folder, made = backed_up
    with pytest.raises(BackupError, match="the key is not that of the backup"):
        verify_backup(made.path, bytes(32))
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine").write_text("")
    with pytest.raises(OutputError, match="`--to` must be an empty folder"):
        restore_backup(made.path, tmp_path / "to", KEY, now_ns=NOW)
    with pytest.raises(OutputError, match="`--out` must be a new file"):
        make_backup(folder / "fund.toml", Place(folder / "state"), made.path, KEY, now_ns=NOW)
    with pytest.raises(ConfigError, match="`backup` must be a file"):
        verify_backup(tmp_path / "none", KEY)


def test_a_damaged_backup_leaves_nothing_behind(
    backed_up: tuple[Path, Backup], tmp_path: Path
) -> None:
    _, made = backed_up
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "damaged.qvb"
    damaged.write_bytes(content)
    with pytest.raises(BackupError, match="the backup is damaged"):
        restore_backup(damaged, tmp_path / "to", KEY, now_ns=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.qvb"]


@pytest.mark.parametrize(
    ("part", "name", "quick", "message"),
    [
        ("node", "state_hash", False, "the state of the restored fund is"),
        ("snapshot", "state_hash", True, "the state of the restored fund is"),
        ("node", "chain", False, "the node's journal does not end where"),
        ("node", "sequence", True, "the node's journal does not end where"),
    ],
)
def test_what_is_not_the_fund_of_the_manifest_is_not_restored(
    backed_up: tuple[Path, Backup],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    name: str,
    *,
    quick: bool,
    message: str,
) -> None:
    """An engine that comes to another state, or a journal that is another one."""
    _, made = backed_up

    def lies(*arguments: Any) -> Manifest:  # noqa: ANN401
        found = read_archive(*arguments)
        facts = found.journals["node"]
        facts = facts if part == "node" else facts["snapshot"]
        facts[name] = 7 if name == "sequence" else "00" * 32
        return found

    monkeypatch.setattr(_restore, "read_archive", lies)
    with pytest.raises(BackupError, match=message):
        restore_backup(made.path, tmp_path / "to", KEY, now_ns=NOW, quick=quick)
    assert not list(tmp_path.iterdir())


def test_a_fund_that_never_ran_has_no_backup(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "fund")
    with pytest.raises(ConfigError, match="found no journal"):
        make_backup(folder / "fund.toml", Place(folder / "state"), tmp_path / "x", KEY, now_ns=NOW)


def test_a_key_file_is_private_and_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    make_backup_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setenv("QV_BACKUP_KEY", str(path))
    assert read_backup_key() == read_backup_key(path)
    with pytest.raises(OutputError, match="must not be there yet"):
        make_backup_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="readable by its owner alone"):
        read_backup_key(path)
    other = tmp_path / "other"
    other.touch(0o600)
    with pytest.raises(ConfigError, match="must be a file of `qv backup key`"):
        read_backup_key(other)
    monkeypatch.delenv("QV_BACKUP_KEY")
    with pytest.raises(ConfigError, match="`qv backup key FILE` makes one"):
        read_backup_key()


@pytest.mark.parametrize("segment_bytes", [4096, 1 << 20])
def test_a_journal_is_cut_at_a_whole_batch(tmp_path: Path, segment_bytes: int) -> None:
    from quantvista.journal import Note
    from quantvista.operations.backup._journals import cut_journal

    folder = tmp_path / "journal"
    assert cut_journal(folder) is None
    with Journal(folder, STREAM, segment_bytes=segment_bytes) as journal:
        assert cut_journal(folder) is None
        for number in range(1, 121):
            journal.write(Note(text="x" * (number % 90)), ts=number)
            if number % 3 == 0:
                journal.commit()
                if number % 30 == 0:
                    journal.snapshot(1, b"state")
                if number % 4:
                    continue
                cut = cut_journal(folder)
                assert cut is not None
                copy = tmp_path / f"copy-{number}"
                copy.mkdir()
                for name, size in cut.files:
                    (copy / name).write_bytes((folder / name).read_bytes()[:size])
                found = verify(copy)
                assert (found.records, found.torn_bytes) == (number, 0)
                assert found.head.chain.hex() == cut.chain
                Journal(copy, STREAM).close()
                shutil.rmtree(copy)


def test_a_venue_is_copied_while_it_writes(tmp_path: Path) -> None:
    from quantvista.operations.backup._database import copy_database
    from quantvista.trading.paper._store import Batch

    store = SQLiteStore(tmp_path / "venue.db")
    for number in range(1, 16):
        store.commit(Batch(records=[b"x" * 300_000], reports=[(0, number, None, "y" * 500)]))
        copy = tmp_path / f"copy-{number}.db"
        copy_database(tmp_path / "venue.db", copy)
        other = SQLiteStore(copy)
        assert other.last(0) == number
        assert len(other.load()[1]) == number
        other.close()
        copy.unlink()
    store.close()


def test_the_commands_make_check_and_restore(
    backed_up: tuple[Path, Backup], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = backed_up
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QV_BACKUP_KEY", "backup.key")

    def qv(*words: str) -> Any:  # noqa: ANN401
        found = CliRunner().invoke(app, list(words))
        assert found.exit_code == 0, found.output
        return found.stdout

    assert "for you alone" in qv("backup", "key", "backup.key")
    said = qv("backup", "--fund", str(folder / "fund.toml"), "--out", "one.qvb")
    assert "qv restore one.qvb --to FOLDER" in said
    checked = json.loads(qv("backup", "verify", "one.qvb", "--json"))
    assert checked["verified"]
    assert "be sure that the fund runs nowhere else" in qv("restore", "one.qvb", "--to", "again")
    again = json.loads(qv("restore", "one.qvb", "--to", "quick", "--quick", "--json"))
    assert again["journals"] == checked["journals"]
    assert again["level"] == "snapshot"
    # What was restored can be backed up and restored as well.
    qv("backup", "--fund", "again/fund.toml", "--out", "two.qvb", "--json")
    qv("restore", "two.qvb", "--to", "third", "--json")
    refused = CliRunner().invoke(app, ["restore", "one.qvb", "--to", "again"])
    assert refused.exit_code == 1
    Path("one.qvb").write_bytes(Path("two.qvb").read_bytes()[:-1])
    damaged = CliRunner().invoke(app, ["backup", "verify", "one.qvb"])
    assert damaged.exit_code == 3
    assert "take another copy of it" in damaged.output


def filled_lake(folder: Path) -> Lake:
    lake = Lake(folder / "lake")
    for close in (10.0, 11.0):
        with lake.dataset("us").write() as writer:
            bars = {"instrument": ["ACME.X"], "ts_event": [1], "known_at": [int(close)]}
            writer.upsert("bars", pl.DataFrame({**bars, "close": [close]}))
            writer.commit()
    return lake


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_lake_goes_with_it_if_asked_for(
    backed_up: tuple[Path, Backup],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encrypted: bool,
) -> None:
    folder = tmp_path / "fund"
    shutil.copytree(backed_up[0], folder)
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    make_backup_key(tmp_path / "coins.keys")
    monkeypatch.setenv("QV_KEY_RING", str(tmp_path / "coins.keys"))
    lake = filled_lake(folder)
    if encrypted:
        encrypt_lake(lake)
    before = [each.id for each in lake.open("us").history()]

    def qv(*words: str, code: int = 0) -> Any:  # noqa: ANN401
        found = CliRunner().invoke(app, [*words, "--json"])
        assert found.exit_code == code, found.output
        return json.loads(found.stdout) if code == 0 else found.output

    command = ("backup", "--fund", str(folder / "fund.toml"), "--out")
    qv(*command, str(tmp_path / "without.qvb"))
    assert (
        qv("restore", str(tmp_path / "without.qvb"), "--to", str(tmp_path / "a"))["lake_files"] == 0
    )
    assert not (tmp_path / "a" / "lake").exists()
    qv(*command, str(tmp_path / "with.qvb"), "--with-lake")
    assert qv("restore", str(tmp_path / "with.qvb"), "--to", str(tmp_path / "b"))["lake_files"] == 2
    again = Lake(tmp_path / "b" / "lake")
    assert again.is_encrypted == again.open("us").is_encrypted == encrypted
    assert [each.id for each in again.open("us").history()] == before
    assert again.open("us").at().scan("bars").collect()["close"].to_list() == [11.0]
    if not encrypted:
        return
    # The backup's own key opens it, and the lake needs another one.
    make_backup_key(tmp_path / "other.keys")
    key = str(tmp_path / "coins.keys")
    monkeypatch.setenv("QV_KEY_RING", str(tmp_path / "other.keys"))
    said = qv(
        "restore", str(tmp_path / "with.qvb"), "--to", str(tmp_path / "c"), "--key", key, code=2
    )
    assert "is encrypted with key" in said
    assert not (tmp_path / "c").exists()
    monkeypatch.setenv("QV_KEY_RING", key)
    path = next((folder / "lake" / "us" / "data").glob("*.encrypted"))
    path.write_bytes(path.read_bytes()[:-1])
    said = qv(*command, str(tmp_path / "damaged.qvb"), "--with-lake", code=3)
    assert str(path) in said
    assert not (tmp_path / "damaged.qvb").exists()


def test_a_venue_that_went_on_is_caught_up_with(
    backed_up: tuple[Path, Backup], tmp_path: Path
) -> None:
    before, made = backed_up
    to = tmp_path / "again"
    restore_backup(made.path, to, KEY, now_ns=NOW + 10**9)
    # A venue elsewhere does not go back in time with the fund.
    shutil.copyfile(before / "paper" / "paper" / "venue.db", to / "paper" / "paper" / "venue.db")
    old = set(client_ids(to))

    async def main() -> None:
        fund = await begin(to, seed=6)
        await fund.world.market(60)
        await fund.world.settle()
        fund.world.check()
        await fund.world.stop()
        await end(fund)

    run_virtually(main())
    ids = client_ids(to)
    assert len(ids) == len(set(ids)) > len(old)
    assert all(int(each.split("-")[-2]) > NOW // 10**9 for each in set(ids) - old)


def test_a_restored_guard_takes_a_new_epoch_too() -> None:
    from quantvista.fund.records import Restored
    from quantvista.trading.guard._log import GuardState
    from quantvista.trading.guard._records import Started

    state = GuardState()
    state.apply(Started(fund="test", epoch=3), 1)
    state.apply(Restored(backup_ts=1, epoch_floor=1000), 2)
    assert state.epoch == 1000
