"""Datasets: what is accepted, what is refused, and what the readers ask of the files."""

import os
from pathlib import Path

import polars as pl
import pyarrow.compute as pc
import pytest

from quantvista.data.lake import Dataset, Lake, compact, encrypt_lake, lake_dir
from quantvista.data.lake import _files as files
from quantvista.data.lake import _proof as proof
from quantvista.data.lake import _storage as storage
from quantvista.errors import ConfigError, MarketDataError, OutputError
from quantvista.keyring import KEY_RING_VARIABLE, make_ring


def bars(days: range = range(1, 4), close: float = 10.0, **columns: object) -> pl.DataFrame:
    return pl.DataFrame(
        {"instrument": "A.X", "ts_event": list(days), "close": [close + day for day in days]}
    ).with_columns(**{name: pl.lit(value) for name, value in columns.items()})


@pytest.fixture
def clear(tmp_path: Path) -> Dataset:
    return Lake(tmp_path).dataset("d")


@pytest.fixture(params=["clear", "encrypted"])
def dataset(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Dataset:
    lake = Lake(tmp_path)
    if request.param == "encrypted":
        make_ring(tmp_path / "lake.keys")
        monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "lake.keys"))
        encrypt_lake(lake)
    return lake.dataset("d")


def write(dataset: Dataset, frame: pl.DataFrame, kind: str = "bars", **options: object) -> str:
    with dataset.write() as writer:
        writer.append(kind, frame, **options)  # type: ignore[arg-type]
        return writer.commit()


def upsert(dataset: Dataset, frame: pl.DataFrame, **options: object) -> str:
    with dataset.write() as writer:
        writer.upsert("bars", frame, **options)  # type: ignore[arg-type]
        return writer.commit()


def test_first_print_data_is_known_when_it_is_received(dataset: Dataset) -> None:
    write(dataset, bars())
    found = dataset.at().scan("bars").collect()
    assert found["known_at"].to_list() == found["ts_received"].to_list() == [1, 2, 3]
    assert found.columns[:4] == ["ts_event", "ts_received", "known_at", "instrument"]


def test_a_revision_is_read_only_from_when_it_was_known(dataset: Dataset) -> None:
    first = write(dataset, bars())
    upsert(dataset, bars(range(2, 3), 70.0, known_at=9))
    snapshot = dataset.at()
    close = {
        when: snapshot.scan("bars", as_of=when).collect().sort("ts_event")["close"].to_list()
        for when in (2, 8, 9, None)
    }
    assert close == {
        2: [11.0, 12.0],
        8: [11.0, 12.0, 13.0],
        9: [11.0, 72.0, 13.0],
        None: [11.0, 72.0, 13.0],
    }
    before = dataset.at(first).scan("bars").collect()
    assert before["close"].to_list() == [11.0, 12.0, 13.0]


def test_the_same_again_is_no_commit(dataset: Dataset) -> None:
    head = write(dataset, bars())
    assert upsert(dataset, bars()) == head
    assert upsert(dataset, bars(known_at=50), skip_unchanged=True) == head
    assert upsert(dataset, bars(known_at=50)) != head


def test_what_was_known_once_does_not_change(dataset: Dataset) -> None:
    write(dataset, bars())
    with pytest.raises(MarketDataError, match=r"a vintage must not change; .* ts_event 1"):
        upsert(dataset, bars(close=11.0))


def test_two_rows_of_one_key_are_refused(dataset: Dataset) -> None:
    frame = pl.concat([bars(), bars(close=1.0)])
    with pytest.raises(MarketDataError, match="once for each `known_at`"):
        write(dataset, frame)
    with pytest.raises(MarketDataError, match="once for each `known_at`"):
        upsert(dataset, frame)
    assert not list(dataset.folder.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (bars().drop("ts_event"), "must have a column 'ts_event'"),
        (bars().drop("instrument"), "must have a column 'instrument'"),
        (bars(known_at=0), "`known_at` must not be before `ts_received`"),
        (bars().with_columns(pl.col("ts_event").cast(pl.Float64)), "UTC nanoseconds"),
        (bars().with_columns(pl.col("ts_event").cast(pl.Datetime("ns"))), "time zone"),
        (bars().with_columns(instrument=None), "must not be empty"),
        (bars().with_columns(x=pl.concat_list("close")), "must be one of int64, float64"),
    ],
)
def test_a_table_that_cannot_be_stored_is_refused(
    dataset: Dataset, frame: pl.DataFrame, message: str
) -> None:
    with pytest.raises(MarketDataError, match=message):
        write(dataset, frame)
    assert dataset.head() is None


def test_columns_may_come_later_but_keep_their_type(dataset: Dataset) -> None:
    write(dataset, bars())
    write(dataset, bars(range(4, 6), note="x").with_columns(volume=7))
    found = dataset.at().scan("bars").collect()
    assert found["note"].to_list() == [None, None, None, "x", "x"]
    write(dataset, bars(range(6, 7)).with_columns(close=5))
    with pytest.raises(MarketDataError, match="column 'note' of bars must stay string"):
        write(dataset, bars(range(7, 8), note=1))
    arrow = dataset.at().arrow_dataset("bars")
    assert arrow.to_table(filter=pc.field("ts_event") > 5, columns=["close"]).to_pylist() == [
        {"close": 5.0}
    ]


def test_single_precision_keeps_its_decimals(dataset: Dataset) -> None:
    write(dataset, bars().with_columns(close=pl.lit(12.3, dtype=pl.Float32)))
    assert dataset.at().scan("bars").collect()["close"][0] == 12.3


def test_events_stand_for_themselves_and_keep_their_order(dataset: Dataset) -> None:
    for price in (3.0, 1.0, 2.0):
        row = {"instrument": ["A.X"] * 2, "ts_event": [5, 5], "price": [price, price]}
        write(dataset, pl.DataFrame(row), "trades")
    order = dataset.at().scan("trades").collect()["price"].to_list()
    compact(dataset)
    assert len(dataset.at().manifest.files) == 1
    assert (
        dataset.at().scan("trades").collect()["price"].to_list()
        == order
        == [3.0] * 2 + [1.0] * 2 + [2.0] * 2
    )
    with pytest.raises(ConfigError, match="must have a key to be revised"), dataset.write() as w:
        w.upsert("trades", pl.DataFrame({"instrument": ["A.X"], "ts_event": [1]}))


def test_a_window_opens_only_its_files(clear: Dataset) -> None:
    day = 86_400 * 10**9
    frame = pl.DataFrame(
        {"instrument": "A.X", "ts_event": [0, day, 2 * day], "price": [1.0, 2.0, 3.0]}
    )
    write(clear, frame, "trades")
    plan = clear.at().scan("trades", start=day, end=2 * day, columns=["price"]).explain()
    assert plan.count(".parquet") == 1
    assert "date=1970-01-02" in plan
    assert "PROJECT" in plan
    lazy = clear.at().scan("trades").filter(pl.col("price") > 2.5).select("ts_event")
    assert "SELECTION" in lazy.explain()
    assert lazy.collect()["ts_event"].to_list() == [2 * day]


def test_duckdb_reads_views(dataset: Dataset) -> None:
    write(dataset, bars())
    upsert(dataset, bars(range(2, 3), 70.0, known_at=9))
    connection = dataset.at().duckdb()
    assert connection.execute("SELECT sum(close) FROM bars").fetchone() == (11.0 + 72.0 + 13.0,)
    connection = dataset.at().duckdb(as_of=3)
    assert connection.execute("SELECT sum(close) FROM bars").fetchone() == (11.0 + 12.0 + 13.0,)


def test_a_vacuum_keeps_what_kept_commits_name(dataset: Dataset) -> None:
    commits = [write(dataset, bars(range(day, day + 1))) for day in range(1, 6)]
    compact(dataset)
    (dataset.folder / "data" / ".tmp-1-left").write_text("by a writer that was killed")
    gone = dataset.vacuum(keep=2, commits=[commits[1][:8]])
    assert gone.commits == 3
    assert gone.files == 0, "the newest two commits name all files"
    gone = dataset.vacuum(keep=1, commits=[commits[1]])
    assert (gone.commits, gone.files) == (1, 3)
    assert not list(dataset.folder.rglob(".tmp-*"))
    assert dataset.at(commits[1]).verify() == 2
    assert dataset.at().scan("bars").collect().height == 5
    with pytest.raises(MarketDataError, match="must be a commit that was kept"):
        dataset.at(commits[3])
    with pytest.raises(MarketDataError, match="at least 6 characters"):
        dataset.at("0123")
    with pytest.raises(ConfigError, match="`keep` must be at least 1"):
        dataset.vacuum(keep=0)


def test_changed_bytes_are_noticed(clear: Dataset) -> None:
    commit = write(clear, bars())
    (data,) = clear.folder.rglob("*.parquet")
    data.write_bytes(data.read_bytes()[:-1] + b"?")
    with pytest.raises(MarketDataError, match="must have the content that commit"):
        clear.at().verify()
    manifest = clear.folder / "commits" / f"{commit}.json"
    manifest.write_text(manifest.read_text().replace("append", "upsert"))
    with pytest.raises(MarketDataError, match="is not the commit that it was written as"):
        clear.at()


def test_every_file_is_synced_before_it_is_renamed(dataset: Dataset) -> None:
    steps: list[tuple[str, str]] = []
    observer = lambda name, path: steps.append((name, path.name))  # noqa: E731
    files.observers.append(observer)
    try:
        write(dataset, bars())
    finally:
        files.observers.remove(observer)
    names = [name for name, _ in steps if name != "make folder"]
    written = [place for place, name in enumerate(names) if name == "write"]
    assert len(written) == 3, "data, manifest, HEAD"
    for place in written:
        assert names[place : place + 4] == ["write", "sync", "rename", "sync folder"]
    assert steps[-2:] == [("rename", "HEAD"), ("sync folder", "d")]


def test_the_same_rows_give_the_same_commit(tmp_path: Path) -> None:
    one, two = (Lake(tmp_path / name).dataset("d") for name in "ab")
    assert write(one, bars()) == write(two, bars())
    assert [each.id for each in one.history()] == [one.head()]


def test_kinds_of_ones_own_have_a_key(dataset: Dataset) -> None:
    frame = pl.DataFrame({"ts_event": [1], "instrument": ["A.X"], "name": ["f"], "value": [1.0]})
    key = ("instrument", "name", "ts_event")
    write(dataset, frame, "features", key=key, partition="month")
    with pytest.raises(ConfigError, match="must stay"):
        write(dataset, frame, "features", key=("instrument", "ts_event"))
    for bad in ({"key": ("instrument",)}, {"key": ("ts_event", "known_at")}, {"partition": "x"}):
        with pytest.raises(ConfigError):
            write(dataset, frame, "other", **bad)


def test_names_of_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.names() == []
    with pytest.raises(MarketDataError, match="it is empty: `qv data import"):
        lake.open("us")
    write(lake.dataset("us-daily"), bars())
    assert lake.names() == ["us-daily"]
    with pytest.raises(MarketDataError, match="did you mean 'us-daily'"):
        lake.open("us-dail")
    with pytest.raises(ConfigError, match="lower case"):
        lake.dataset("../us")
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    assert lake_dir(tmp_path) == tmp_path / "lake"
    monkeypatch.setenv("QUANTVISTA_LAKE", str(tmp_path))
    assert lake_dir(Path()) == tmp_path


def damaged(path: Path, how: str) -> None:
    """Spoil a file as disks and people do."""
    whole = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(whole[:4])
    else:  # another table of the same size or not, that any reader would take
        pl.read_parquet(path).with_columns(pl.col("close") * 10).write_parquet(path)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("gone", "must be there"),
        ("cut", "found other bytes"),
        ("other prices", "found other bytes"),
    ],
)
def test_no_reader_is_given_a_damaged_file(clear: Dataset, how: str, message: str) -> None:
    write(clear, bars())
    write(clear, bars(range(4, 6)))
    path = clear.folder / clear.at().manifest.files[0].path
    clear.at().scan("bars").collect()
    damaged(path, how)
    snapshot = clear.at()
    readers = (
        lambda: snapshot.scan("bars"),
        lambda: snapshot.arrow("bars"),
        lambda: snapshot.arrow_dataset("bars"),
        lambda: snapshot.sql("bars"),
        lambda: compact(clear),
        lambda: write(clear, bars(range(3, 4))),
        lambda: upsert(clear, bars(range(2, 3), 70.0, known_at=9)),
        snapshot.verify,
    )
    for read in readers:
        with pytest.raises(MarketDataError, match=message) as raised:
            read()
        assert str(path) in str(raised.value)
    assert snapshot.scan("bars", start=4).collect().height == 2, "the other file is whole"
    if how != "other prices":  # which may be as large
        with pytest.raises(MarketDataError, match=message):
            snapshot.verify(sizes_only=True)


def test_a_file_is_hashed_once_for_as_long_as_it_stays(
    clear: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def heard(path: Path) -> str:
        hashed.append(path.name)
        return files.sha256(path)

    monkeypatch.setattr(proof, "_proven", {})
    write(clear, bars())
    monkeypatch.setattr(storage, "sha256", heard)
    clear.at().scan("bars")
    assert hashed == [], "this process wrote it"
    proof._proven.clear()
    for _ in range(3):
        clear.at().scan("bars").collect()
    assert len(hashed) == 1
    (path,) = clear.folder.rglob("*.parquet")
    os.utime(path, ns=(1, 1))
    clear.at().scan("bars")
    assert len(hashed) == 2
    clear.at().verify()
    assert len(hashed) == 3, "which proves it anew"


@pytest.mark.parametrize("head", [b"\xff\xfe\x00", b"", b"x" * 64, b"0123"])
def test_a_head_that_names_nothing_is_refused_by_its_path(dataset: Dataset, head: bytes) -> None:
    write(dataset, bars())
    (dataset.folder / "HEAD").write_bytes(head)
    with pytest.raises(MarketDataError, match="HEAD: must name a commit"):
        dataset.at()


def test_a_file_that_polars_cannot_write_is_an_error_of_the_output(tmp_path: Path) -> None:
    def fail(aside: Path) -> None:
        aside.write_bytes(b"PAR1")
        raise pl.exceptions.ComputeError("underlying IO error: File too large (os error 27)\nmore")

    with pytest.raises(
        OutputError, match=r"cannot be written to .*: underlying IO error: File too"
    ):
        files.write_whole(tmp_path / "in" / "a.parquet", fail)
    assert list((tmp_path / "in").iterdir()) == []
