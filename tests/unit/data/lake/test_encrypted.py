"""Encrypted lakes: what the disk shows, which key is needed, what is refused."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.compute as pc
import pytest

from quantvista.data.lake import Dataset, Lake, compact, encrypt, encrypt_lake
from quantvista.data.lake import _files as files
from quantvista.data.lake._cipher import PartReader, encrypted, encrypted_size, key_of
from quantvista.errors import ConfigError, MarketDataError, OutputError
from quantvista.journal import ring_of
from quantvista.keyring import KEY_RING_VARIABLE, Ring, add_key, make_ring, read_ring

WORDS = (b"ACME", b"close", b"turnover", b"bars", b"known_at", b"vendor", b"PAR1", b"bucket")


def bars(days: range, close: float = 10.0, name: str = "ACME.X") -> pl.DataFrame:
    close_of = [close + day for day in days]
    return pl.DataFrame(
        {"instrument": name, "ts_event": list(days), "close": close_of, "turnover": close_of}
    )


def filled(lake: Lake, name: str = "us") -> Dataset:
    """Three commits: two appends and a revision."""
    dataset = lake.dataset(name)
    for days in (range(1, 4), range(4, 8)):
        with dataset.write() as writer:
            writer.append("bars", bars(days))
            writer.commit(notes={"sources": {"vendor.csv": "x"}})
    with dataset.write() as writer:
        writer.upsert("bars", bars(range(2, 3), 70.0).with_columns(known_at=pl.lit(9)))
        writer.commit()
    return dataset


def ids(ring: Path) -> list[str]:
    return ring_of(read_ring(ring)).ids


def keys_of(folder: Path) -> set[str]:
    return {key_of(path) for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def history(dataset: Dataset) -> list[tuple[str, list[tuple[object, ...]]]]:
    return [
        (each.id, dataset.at(each.id).scan("bars").collect().rows()) for each in dataset.history()
    ]


def test_the_disk_shows_nothing_of_an_encrypted_lake(ring: Path, tmp_path: Path) -> None:
    clear, hidden = Lake(tmp_path / "clear"), Lake(tmp_path / "hidden")
    encrypt_lake(hidden)
    for lake in (clear, hidden):
        compact(filled(lake))
    shown = b"".join(
        str(path.relative_to(clear.root)).encode() + path.read_bytes()
        for path in clear.root.rglob("*")
        if path.is_file()
    )
    assert all(word in shown for word in WORDS if word != b"vendor")
    commits = {each.id for each in clear.open("us").history()}
    for path in (hidden.root / "us").rglob("*"):
        text = str(path.relative_to(hidden.root)).encode()
        text += path.read_bytes() if path.is_file() else b""
        assert not [word for word in WORDS if word in text], path
        assert not [each for each in commits if each[:32].encode() in text]
    assert keys_of(hidden.root / "us") == {ids(ring)[-1]}
    # What is in it is the same, and so are the names of its commits.
    assert history(hidden.open("us")) == history(clear.open("us"))


def test_a_lake_that_is_there_is_encrypted_with_its_history(ring: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    dataset = filled(lake)
    filled(lake, "eu")
    before = history(dataset)
    (eu, us) = encrypt_lake(lake)
    assert (us.encrypted, us.renewed, us.removed) == (6, 0, 6)
    assert eu.dataset == "eu"
    assert lake.is_encrypted
    assert dataset.is_encrypted
    assert history(dataset) == before
    assert dataset.at(before[-1][0][:8]).rows("bars") == 3
    assert keys_of(dataset.folder) == {ids(ring)[-1]}
    assert not [path for path in dataset.folder.rglob("*") if "bucket" in path.name]
    assert [each.encrypted + each.renewed + each.removed for each in encrypt_lake(lake)] == [0, 0]
    assert filled(lake, "jp").is_encrypted


@pytest.mark.parametrize("with_newest", [False, True])
def test_every_reader_reads_it(ring: Path, tmp_path: Path, with_newest: bool) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    dataset = filled(lake)
    day = 86_400 * 10**9
    with dataset.write() as writer:
        trades = {"instrument": "ACME.X", "ts_event": [0, day, 2 * day], "price": [1.0, 2.0, 3.0]}
        writer.append("trades", pl.DataFrame(trades))
        writer.commit()
    if with_newest:
        add_key(ring)
        encrypt(dataset)
    snapshot = dataset.at()
    closes = snapshot.scan("bars", as_of=8, start=2, end=4, columns=["close"]).collect()
    assert closes["close"].to_list() == [12.0, 13.0]
    lazy = snapshot.scan("trades").filter(pl.col("price") > 1.5).select("ts_event")
    assert lazy.collect()["ts_event"].to_list() == [day, 2 * day]
    assert lazy.head(1).collect().height == lazy.collect(engine="streaming").height - 1 == 1
    assert snapshot.scan("trades").head(2).filter(pl.col("price") > 1.5).collect().height == 1
    assert snapshot.scan("trades").head(0).collect().height == 0
    assert snapshot.arrow("trades").num_rows == 3
    table = snapshot.arrow_dataset("trades").to_table(
        columns=["price"], filter=pc.field("ts_event") >= day
    )
    assert table.to_pydict() == {"price": [2.0, 3.0]}
    connection = snapshot.duckdb()
    assert connection.execute("SELECT sum(close) FROM bars").fetchone() == (158.0,)
    snapshot.duckdb(connection, as_of=8)
    assert connection.execute("SELECT sum(close) FROM bars").fetchone() == (98.0,)
    (plan,) = duckdb_plan(connection, "SELECT price FROM trades WHERE ts_event > 5")
    assert "ts_event" in plan.partition("Filters")[2]
    with pytest.raises(ConfigError, match=r"`sql` must be of a dataset in the clear.*`duckdb`"):
        snapshot.sql("bars")


def duckdb_plan(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[1] for row in connection.execute(f"EXPLAIN {query}").fetchall()]


def test_columns_that_came_later_are_null_before(ring: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    dataset = filled(lake)
    with dataset.write() as writer:
        writer.append("bars", bars(range(20, 22)).with_columns(venue=pl.lit("X")))
        writer.commit()
    snapshot = dataset.at()
    assert snapshot.scan("bars").select("venue").collect()["venue"].null_count() == 7
    assert snapshot.arrow_dataset("bars").to_table()["venue"].null_count == 8
    found = snapshot.duckdb().execute("SELECT count(venue), count(*) FROM bars").fetchone()
    assert found == (2, 9)


def test_without_its_key_it_says_what_to_do(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    dataset = filled(lake)
    monkeypatch.delenv(KEY_RING_VARIABLE)
    for read in (dataset.at, dataset.head, lambda: lake.open("us")):
        with pytest.raises(ConfigError, match=r"is encrypted: `--key-ring` must name .*QV_KEY"):
            read()
    with pytest.raises(ConfigError, match=r"^`--key-ring` must name .*QV_KEY"):
        encrypt_lake(lake)
    with pytest.raises(ConfigError, match="is encrypted"), lake.dataset("new").write():
        pass
    make_ring(tmp_path / "other.keys")
    monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "other.keys"))
    with pytest.raises(
        ConfigError, match=f"HEAD is encrypted with key {ids(ring)[0]}.*among the 1"
    ):
        dataset.at()
    assert dataset.is_encrypted
    assert lake.names() == ["us"]


@pytest.mark.parametrize("has_marker", [True, False])
def test_a_new_dataset_is_encrypted_as_those_beside_it_are(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_marker: bool
) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    filled(lake)
    if not has_marker:
        (lake.root / "ENCRYPTED").unlink()
    make_ring(tmp_path / "other.keys")
    monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "other.keys"))
    refused = pytest.raises(ConfigError, match=f"us.HEAD is encrypted with key {ids(ring)[0]}")
    with refused, lake.dataset("new").write():
        pass
    monkeypatch.setenv(KEY_RING_VARIABLE, str(ring))
    assert filled(lake, "new").is_encrypted
    assert keys_of(lake.root / "new") == {ids(ring)[0]}


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_a_dataset_without_its_head_is_not_begun_anew(
    ring: Path, tmp_path: Path, is_encrypted: bool
) -> None:
    lake = Lake(tmp_path / "lake")
    if is_encrypted:
        encrypt_lake(lake)
    dataset = filled(lake)
    head = (dataset.folder / "HEAD").read_bytes()
    (dataset.folder / "HEAD").unlink()
    lost = pytest.raises(MarketDataError, match="HEAD: must name the newest commit; found commits")
    with lost, dataset.write():
        pass
    (dataset.folder / "HEAD").write_bytes(head)
    assert len(history(dataset)) == 3


def test_a_new_key_encrypts_what_is_written_and_then_everything(ring: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    dataset = filled(lake)
    open_before = dataset.at()
    arrow = open_before.arrow_dataset("bars")
    before = history(dataset)
    add_key(ring)
    old, new = ids(ring)
    with dataset.write() as writer:
        writer.append("bars", bars(range(30, 31)))
        writer.commit()
    assert keys_of(dataset.folder) == {old, new}
    assert history(dataset)[1:] == before
    done = encrypt(dataset)
    assert (done.encrypted, done.renewed, done.removed) == (0, 6, 0)
    assert keys_of(dataset.folder) == {new}
    assert history(dataset)[1:] == before
    # Who had it open reads on: the files have the same names and content.
    assert open_before.scan("bars").collect().rows() == before[0][1]
    assert arrow.count_rows() == 8
    make_ring(tmp_path / "one.keys")
    (tmp_path / "one.keys").write_text("\n".join(read_lines(ring, -1)) + "\n")
    os.environ[KEY_RING_VARIABLE] = str(tmp_path / "one.keys")  # the fixture puts it back
    assert history(dataset)[1:] == before


def read_lines(ring: Path, last: int) -> list[str]:
    title, *keys = ring.read_text().split("\n")[:-1]
    return [title, keys[last]]


def _flip(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _swap(path: Path, other: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(content)


def _clear(path: Path, other: Path) -> None:
    path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 4))


@pytest.mark.parametrize("spoil", [_flip, _cut, _swap, _clear])
@pytest.mark.parametrize("below", ["data", "commits"])
def test_a_file_that_is_not_what_was_written_is_named(
    ring: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], below: str
) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    dataset = filled(lake)
    snapshot, (head, storage) = dataset.at(), dataset.opened()
    commits = [each.id for each in dataset.history()]
    if below == "data":
        one, two = (storage.place(each.path) for each in snapshot.manifest.files[:2])
    else:
        one, two = (storage.place(f"commits/{each}.json") for each in commits[:2])
    spoil(one, two)
    readers: list[Callable[[], object]] = [lambda: dataset.at().verify()]
    if below == "data":
        readers += [
            lambda: snapshot.scan("bars"),
            lambda: snapshot.arrow_dataset("bars"),
            lambda: snapshot.duckdb(),
            lambda: compact(dataset),
        ]
    for read in readers:
        with pytest.raises(MarketDataError) as raised:
            read()
        assert str(one) in str(raised.value)
    assert head == commits[0]


def test_datasets_do_not_change_places(ring: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    one, two = filled(lake, "one"), filled(lake, "two")
    one.folder.rename(lake.root / "three")
    with pytest.raises(
        MarketDataError, match="must be of the dataset 'three'; found that of 'one'"
    ):
        lake.open("three")
    (lake.root / "three").rename(one.folder)
    shutil.copy(two.folder / "HEAD", one.folder / "HEAD")
    with pytest.raises(MarketDataError, match="found that of 'two'"):
        one.at()


def test_a_dataset_in_the_clear_is_not_written_in_an_encrypted_lake(
    ring: Path, tmp_path: Path
) -> None:
    elsewhere = filled(Lake(tmp_path / "elsewhere"))
    lake = Lake(tmp_path / "lake")
    encrypt_lake(lake)
    shutil.copytree(elsewhere.folder, lake.root / "us")
    dataset = lake.open("us")
    assert dataset.at().rows("bars") == 8
    with pytest.raises(OutputError, match=r"found us in the clear: `qv data encrypt`"):
        compact(dataset)
    assert encrypt(dataset).encrypted == 6
    compact(dataset)


def test_a_damaged_dataset_is_not_encrypted(ring: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    dataset = filled(lake)
    path = dataset.folder / dataset.at().manifest.files[1].path
    _flip(path, path)
    before = {each: each.read_bytes() for each in dataset.folder.rglob("*") if each.is_file()}
    with pytest.raises(MarketDataError, match="found other bytes") as raised:
        encrypt_lake(lake)
    assert str(path) in str(raised.value)
    assert not dataset.is_encrypted
    assert all(each.read_bytes() == content for each, content in before.items())


def test_parts_of_a_file(tmp_path: Path) -> None:
    ring = Ring((bytes(32), bytes(range(32))))
    path = tmp_path / "name"
    for size in (0, 1, 65_535, 65_536, 65_537, 200_000):
        content = bytes(i * 7 % 251 for i in range(size))
        path.write_bytes(b"".join(encrypted(content, ring, "name")))
        assert path.stat().st_size == encrypted_size(size)
        reader = PartReader(path, ring)
        assert (reader.size(), reader.readable(), reader.seekable()) == (size, True, True)
        assert reader.read() == content
        assert (reader.tell(), reader.read(1)) == (size, b"")
        assert reader.seek(-min(size, 10), os.SEEK_END) == max(0, size - 10)
        assert reader.read(100) == content[-10:]
        reader.seek(65_530)
        reader.seek(2, os.SEEK_CUR)
        assert reader.read(70_000) == content[65_532:135_532]
    path.rename(tmp_path / "other")
    with pytest.raises(MarketDataError, match="is not what was encrypted under this name"):
        PartReader(tmp_path / "other", ring).read()


def test_what_a_killed_encryption_left_is_cleared_away(ring: Path, tmp_path: Path) -> None:
    """At each step of it: in the clear or encrypted, always whole, and doing it again ends it."""
    base = tmp_path / "base"
    before = history(filled(Lake(base)))

    class Killed(BaseException):
        pass

    killed = Lake(tmp_path / "first").dataset("us").folder / "data" / "bars" / "bucket=03"
    killed.mkdir(parents=True)
    (killed / "x.parquet").write_bytes(b"by a writer that was killed before its first commit")
    (killed.parents[2] / ".lock").touch()
    assert encrypt_lake(Lake(tmp_path / "first"))[0].removed == 1
    assert not killed.exists()
    states = set()
    for step in range(1_000):
        lake = Lake(tmp_path / f"{step:03d}")
        shutil.copytree(base, lake.root)
        left = step

        def kill(name: str, path: Path) -> None:
            nonlocal left
            if not left:
                raise Killed
            left -= 1

        files.observers.append(kill)
        try:
            encrypt_lake(lake)
            break
        except Killed:
            pass
        finally:
            files.observers.remove(kill)
        dataset = lake.open("us")
        states.add(dataset.is_encrypted)
        if step % 5 == 0:
            assert history(dataset) == before
            encrypt_lake(lake)
            assert history(dataset) == before
            assert keys_of(dataset.folder) == {ids(ring)[-1]}
            assert len([path for path in dataset.folder.rglob("*") if path.is_file()]) == 8
    assert states == {False, True}
    assert step > 30
