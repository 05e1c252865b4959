"""A writer that is killed between any two writes loses nothing that was committed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from quantvista.data.lake import Dataset, compact
from quantvista.errors import MarketDataError, OutputError
from quantvista.keyring import KEY_RING_VARIABLE, make_ring
from support import lake_writer
from support.lake_writer import ACKNOWLEDGED, DATASET, OPERATIONS

TESTS = Path(__file__).parents[1]


def kill(folder: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "support.lake_writer", *arguments],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])},
        check=True,
        timeout=300,
    )


def acknowledged(folder: Path) -> list[str]:
    path = folder / ACKNOWLEDGED
    return path.read_text().split() if path.exists() else []


def content(dataset: Dataset) -> dict[str, pl.DataFrame]:
    snapshot = dataset.at()
    return {
        kind: snapshot.scan(kind, vintages=True).collect().sort(pl.all()) for kind in snapshot.kinds
    }


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("clear", 1), id="clear"),
        pytest.param(("encrypted", 13), id="encrypted-some"),
        pytest.param(("encrypted", 1), id="encrypted", marks=pytest.mark.slow),
    ],
)
def killed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Path]]:
    folder = tmp_path_factory.mktemp("steps")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEY_RING_VARIABLE, raising=False)
        how, every = request.param
        if how == "encrypted":
            ring = tmp_path_factory.mktemp("keys") / "lake.keys"
            make_ring(ring)
            patch.setenv(KEY_RING_VARIABLE, str(ring))
        kill(folder, "steps", str(folder), str(every))
        yield sorted(folder.iterdir())


def test_killed_at_every_step_keeps_every_commit(killed: list[Path]) -> None:
    *stopped, whole = killed
    chain = acknowledged(whole)
    assert len(chain) == 5
    is_every = int(stopped[1].name) == 1
    assert len(stopped) > (60 if is_every else 4), "each folder, file, rename and sync is a step"
    seen = set()
    for folder in stopped:
        dataset = Dataset(folder / DATASET)
        done = acknowledged(folder)
        head = dataset.head()
        # What was acknowledged is there, or the commit after it, never half of one.
        assert done == chain[: len(done)]
        assert head in ([None] if not done else [done[-1]]) + chain[len(done) : len(done) + 1]
        seen.add(head)
        dataset.at().verify()
        for commit in done[-2:]:
            dataset.at(commit).verify()
    assert seen == {None, *chain} or (seen <= {None, *chain} and not is_every)


def test_a_killed_writer_leaves_the_same_dataset_to_the_next(killed: list[Path]) -> None:
    expected = content(Dataset(killed[-1] / DATASET))
    chain = acknowledged(killed[-1])
    for folder in killed[
        : -1 : max(1, len(killed) // 13)
    ]:  # the steps in between differ in nothing that is read
        dataset = Dataset(folder / DATASET)
        head = dataset.head()
        place = chain.index(head) + 1 if head else 0
        # Vacuum commits nothing, so that its place among the operations is not in the chain.
        rest = [operation for operation in OPERATIONS if operation is not lake_writer._vacuum]
        for operation in rest[place:]:
            operation(dataset)
        found = content(dataset)
        assert found.keys() == expected.keys()
        assert all(found[kind].equals(expected[kind]) for kind in expected)
        dataset.vacuum(keep=1)
        dataset.at().verify()
        left = {path for path in dataset.folder.rglob("*") if path.is_file()}
        head, storage = dataset.opened()
        named = [each.path for each in dataset.at().manifest.files] + [f"commits/{head}.json"]
        assert left - {dataset.folder / "HEAD", dataset.folder / ".lock"} == {
            storage.place(each) for each in named
        }


def test_killed_at_random_keeps_every_commit(tmp_path: Path) -> None:
    kill(tmp_path, "random", str(tmp_path), "7", "8")
    for folder in sorted(tmp_path.iterdir()):
        done = acknowledged(folder)
        dataset = Dataset(folder / DATASET)
        history = [each.id for each in dataset.history()][::-1]
        assert history[: len(done)] == done
        assert len(history) <= len(done) + 1
        dataset.at().verify()
        assert dataset.at().kinds == (("bars", "trades") if history else ())
        if history:
            assert dataset.at().rows("bars") == 9 * len(history)


def test_a_killed_process_frees_the_lock_and_a_live_one_holds_it(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / DATASET)
    with dataset.write() as writer:
        writer.append("bars", lake_writer.rows(0, 1, 0, 1.0))
        with pytest.raises(OutputError, match="one writer at a time"), dataset.write():
            pass
        with pytest.raises(OutputError, match="one writer at a time"):
            compact(dataset)
        writer.commit()
    with dataset.write() as writer:
        writer.append("bars", lake_writer.rows(0, 1, 0, 1.0))
        with pytest.raises(MarketDataError, match="keys must be new"):
            writer.commit()
    assert dataset.at().rows("bars") == 3
