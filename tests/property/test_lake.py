"""The lake against a plain dict: whatever is appended, revised or compacted, reads are the same."""

import copy
import os
import tempfile
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantvista.data.lake import Dataset, Lake, compact, encrypt, encrypt_lake
from quantvista.errors import MarketDataError
from quantvista.keyring import KEY_RING_VARIABLE, add_key, make_ring

NAMES = ("A.X", "B.X", "C.X", "D.X")
TIMES = st.integers(0, 5)
EVER = 10**6

type Key = tuple[str, int]
type Model = dict[Key, dict[int, float]]  # known_at to value, by key
type Row = tuple[str, int, int, float]

ROWS = st.lists(
    st.tuples(st.sampled_from(NAMES), TIMES, st.integers(0, 9), st.sampled_from([1.0, 2.0, 3.0])),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row[:3],
)
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["append", "upsert", "revise", "compact", "vacuum"]), ROWS),
    min_size=1,
    max_size=8,
)
# The same of a lake that is encrypted at some time, and anew with another key.
HIDDEN = st.lists(
    st.tuples(
        st.sampled_from(["append", "upsert", "revise", "compact", "vacuum", "rotate", "encrypt"]),
        ROWS,
    ),
    min_size=1,
    max_size=8,
)


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "instrument": [row[0] for row in rows],
            "ts_event": [row[1] for row in rows],
            "ts_received": [row[1] for row in rows],
            "known_at": [row[1] + row[2] for row in rows],
            "close": [row[3] for row in rows],
        }
    )


def as_of(model: Model, when: int) -> dict[Key, float]:
    found = {}
    for key, vintages in model.items():
        known = [at for at in vintages if at <= when]
        if known:
            found[key] = vintages[max(known)]
    return found


def accepted(model: Model, operation: str, rows: list[Row]) -> Model | None:
    """What the model is afterwards; None if it must be refused."""
    after = copy.deepcopy(model)
    if operation == "append" and any(row[:2] in model for row in rows):
        return None
    for name, ts, lag, value in sorted(rows, key=lambda row: row[2]):
        vintages = after.setdefault((name, ts), {})
        at = ts + lag
        if at in vintages and vintages[at] != value:
            return None
        if operation == "revise":
            # Only what was stored before this transaction counts as known.
            before = model.get((name, ts), {})
            known = [other for other in before if other <= at]
            if known and before[max(known)] == value:
                if not vintages:
                    del after[name, ts]
                continue
        vintages[at] = value
    return after


def read(dataset: Dataset, commit: str | None, when: int | None) -> dict[Key, float]:
    snapshot = dataset.at(commit)
    if "bars" not in snapshot.kinds:
        return {}
    rows = snapshot.scan("bars", as_of=when).collect()
    found = {
        (name, ts): close for name, ts, close in rows["instrument", "ts_event", "close"].rows()
    }
    assert len(found) == rows.height
    return found


def apply(dataset: Dataset, operation: str, rows: list[Row]) -> None:
    with dataset.write() as writer:
        if operation == "append":
            writer.append("bars", frame(rows))
        else:
            writer.upsert("bars", frame(rows), skip_unchanged=operation == "revise")
        writer.commit()


@settings(max_examples=40)
@given(OPERATIONS, st.integers(0, 15), st.data())
def test_the_lake_reads_like_a_dict(
    operations: list[tuple[str, list[Row]]], when: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(Dataset(Path(folder) / "d"), operations, when, data)


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "lake.keys"))


@pytest.mark.usefixtures("ring")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HIDDEN, st.booleans(), st.integers(0, 15), st.data())
def test_an_encrypted_lake_reads_like_a_dict(
    operations: list[tuple[str, list[Row]]], at_once: bool, when: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ring = Path(os.environ[KEY_RING_VARIABLE])
        ring.unlink(missing_ok=True)
        make_ring(ring)
        lake = Lake(Path(folder))
        if at_once:
            encrypt_lake(lake)
        check(lake.dataset("d"), operations, when, data)


def check(
    dataset: Dataset, operations: list[tuple[str, list[Row]]], when: int, data: st.DataObject
) -> None:
    model: Model = {}
    past: dict[str, Model] = {}
    for operation, rows in operations:
        if operation == "compact":
            compact(dataset, rows=data.draw(st.integers(1, 20)))
        elif operation == "rotate":
            add_key(Path(os.environ[KEY_RING_VARIABLE]))
        elif operation == "encrypt":
            encrypt(dataset)
        elif operation == "vacuum":
            dataset.vacuum()
        else:
            after = accepted(model, operation, rows)
            if after is None:
                head = dataset.head()
                with pytest.raises(MarketDataError):
                    apply(dataset, operation, rows)
                assert dataset.head() == head
            else:
                apply(dataset, operation, rows)
                model = after
        if head := dataset.head():
            past[head] = copy.deepcopy(model)
    for commit, then in past.items():
        assert read(dataset, commit, when) == as_of(then, when)
    assert read(dataset, None, None) == as_of(model, EVER)
    snapshot = dataset.at()
    if "bars" in snapshot.kinds:
        everything = snapshot.scan("bars", vintages=True).collect()
        assert everything.height == sum(map(len, model.values()))
        _check_window(snapshot_rows(dataset, when), model, when)


def snapshot_rows(dataset: Dataset, when: int) -> dict[str, list[tuple[str, int, float]]]:
    """The same window by each reader."""
    options = {"as_of": when, "start": 1, "end": 4, "instruments": ["A.X", "C.X"]}
    columns = ["instrument", "ts_event", "close"]
    snapshot = dataset.at()
    lazy = snapshot.scan("bars", columns=columns, **options).collect()  # type: ignore[arg-type]
    arrow = snapshot.arrow("bars", columns=columns, **options)
    if dataset.is_encrypted:
        connection = snapshot.duckdb(as_of=when)
        query = (
            f"SELECT {', '.join(columns)} FROM bars WHERE ts_event >= 1 AND ts_event < 4 "
            "AND instrument IN ('A.X', 'C.X')"
        )
    else:
        connection = duckdb.connect()
        query = snapshot.sql("bars", columns=columns, **options)  # type: ignore[arg-type]
    return {
        "polars": sorted(lazy.rows()),
        "arrow": sorted(tuple(row.values()) for row in arrow.to_pylist()),
        "duckdb": sorted(connection.execute(query).fetchall()),
    }


def _check_window(found: dict[str, list[tuple[str, int, float]]], model: Model, when: int) -> None:
    expected = sorted(
        (name, ts, value)
        for (name, ts), value in as_of(model, when).items()
        if name in ("A.X", "C.X") and 1 <= ts < 4
    )
    for reader, rows in found.items():
        assert rows == expected, reader
