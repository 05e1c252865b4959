"""Runs that are recorded: the journal proves them, explains them, and shows where they part."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from quantvista import backtest
from quantvista.backtest.recorded import RUN_KINDS, RunEnded, derive, explain, replay
from quantvista.errors import ConfigError, JournalError, StrategyError
from quantvista.fund import LoadedFund, load_fund, template_path
from quantvista.journal import INPUT, OUTPUT, Journal, Note, Reader, Record
from support.command import qv
from support.funds_on_disk import make_fund, prices

SLEEVES = (
    {"id": "a", "strategy": "trend", "share": 0.5, "params": {"lookback": 20}},
    {"id": "b", "strategy": "momentum", "share": 0.5, "params": {"lookback": 40, "skip": 5}},
)


def small(folder: Path, seed: int = 3) -> LoadedFund:
    return make_fund(folder, prices(seed, 120, 4), SLEEVES)


def records(folder: Path) -> list[Record]:
    return [record for batch in Reader(folder) for record in batch]


def written(folder: Path, kept: Sequence[Record]) -> Path:
    """Write records as the journal of a run, for what a journal would not let happen."""
    with Journal(folder, "run/small") as journal:
        for each in kept:
            journal.append(each.kind, each.version, each.ts, each.payload)
    return folder


def without_an_input(kept: list[Record]) -> list[Record]:
    """Leave out the first that led to anything."""
    places = range(len(kept) - 1)
    first = next(i for i in places if [each.kind for each in kept[i : i + 2]] == [1, 2])
    return kept[:first] + kept[first + 1 :]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[LoadedFund, Path, backtest.Outcome]:
    folder = tmp_path_factory.mktemp("recorded")
    loaded = small(folder / "fund")
    outcome = backtest.run(loaded, journal=folder / "journal")
    return loaded, folder / "journal", outcome


def test_recording_changes_nothing(run: tuple[LoadedFund, Path, backtest.Outcome]) -> None:
    loaded, _, outcome = run
    assert backtest.run(loaded).summary == outcome.summary


def test_the_engine_comes_to_the_same_from_its_inputs(
    run: tuple[LoadedFund, Path, backtest.Outcome],
) -> None:
    _, folder, outcome = run
    found = replay(folder)
    assert found.agrees
    assert (found.level, found.status) == ("R1", "complete")
    assert found.state_hash == outcome.summary["fingerprint"]["state_hash"]
    assert found.decisions == len(outcome.targets.select("ts", "sleeve").unique())
    kinds = [record.kind for record in records(folder)]
    assert found.inputs == kinds.count(INPUT.number)
    assert found.outputs == kinds.count(OUTPUT.number)


def test_data_and_strategies_come_to_the_same(
    run: tuple[LoadedFund, Path, backtest.Outcome],
) -> None:
    loaded, folder, _ = run
    found, changed = derive(folder, loaded)
    assert found.agrees
    assert changed == []
    assert found.level == "R2"


def test_other_prices_are_found_at_the_first_bar_that_differs(tmp_path: Path) -> None:
    close = prices(3, 120, 4)
    loaded = make_fund(tmp_path / "fund", close, SLEEVES)
    backtest.run(loaded, journal=tmp_path / "journal")
    close[70, 2] += 0.01
    changed_fund = make_fund(tmp_path / "fund", close, SLEEVES)
    found, changed = derive(tmp_path / "journal", changed_fund)
    assert changed == ["The data is not the same."]
    parting = found.parting
    assert parting is not None
    assert parting.kind == "input"
    assert parting.recorded["event"]["bar"]["instrument"] == 2
    ((path, before, after),) = parting.differences()
    assert path == "event.bar.bar.close"
    assert abs(after - before) > 0


def test_another_parameter_is_found_at_the_first_decision_that_differs(tmp_path: Path) -> None:
    loaded = small(tmp_path / "fund")
    backtest.run(loaded, journal=tmp_path / "journal")
    other = make_fund(
        tmp_path / "fund",
        prices(3, 120, 4),
        ({**SLEEVES[0], "params": {"lookback": 21}}, SLEEVES[1]),
    )
    found, changed = derive(tmp_path / "journal", other)
    assert changed == ["The fund file says something else."]
    assert found.parting is not None
    assert found.parting.kind == "decided"
    assert found.parting.recorded["sleeve"] == "a"


def test_an_output_that_was_changed_is_found(
    run: tuple[LoadedFund, Path, backtest.Outcome], tmp_path: Path
) -> None:
    kept = records(run[1])
    place = next(i for i, each in enumerate(kept) if b"order_filled" in each.payload)
    shorter = written(tmp_path / "shorter", kept[:place] + kept[place + 1 :])
    parting = replay(shorter).parting
    assert parting is not None
    assert parting.sequence == place + 1
    assert "order_filled" in parting.replayed

    again = written(tmp_path / "longer", [*kept[: place + 1], *kept[place:]])
    parting = replay(again).parting
    assert parting is not None
    assert parting.sequence == place + 2

    missing = written(tmp_path / "input", without_an_input(kept))
    assert replay(missing).parting is not None


def test_an_input_that_the_engine_refuses_is_a_difference(
    run: tuple[LoadedFund, Path, backtest.Outcome], tmp_path: Path
) -> None:
    kept = records(run[1])
    first = next(i for i, each in enumerate(kept) if each.kind == INPUT.number)
    twice = written(tmp_path / "twice", [*kept[: first + 1], *kept[first:]])
    parting = replay(twice).parting
    assert parting is not None
    assert "refuses it" in parting.replayed


def test_another_end_is_found(
    run: tuple[LoadedFund, Path, backtest.Outcome], tmp_path: Path
) -> None:
    kept = records(run[1])
    last = kept[-1]
    body = RUN_KINDS.body(last)
    lie = RunEnded(body.status, "0" * 64).encode()
    told = Record(last.sequence, last.ts, last.kind, last.version, lie)
    parting = replay(written(tmp_path / "lie", [*kept[:-1], told])).parting
    assert parting is not None
    assert [path for path, _, _ in parting.differences()] == ["state_hash"]


def test_a_run_that_fails_is_recorded_until_then(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from quantvista import PortfolioStrategy\n"
        "class Mine(PortfolioStrategy):\n"
        "    warm_up = 1\n"
        "    def forecast(self, panel):\n"
        "        if len(panel.ts) and panel.ts[-1] > 1_427_000_000_000_000_000:\n"
        "            raise ValueError('enough')\n"
        "        return panel.close[-1] * 0 + 1\n"
    )
    sleeves = ({"id": "a", "strategy": "mine.py:Mine", "share": 1.0},)
    loaded = make_fund(tmp_path, prices(3, 120, 4), sleeves)
    with pytest.raises(StrategyError, match="enough"):
        backtest.run(loaded, journal=tmp_path / "journal")
    end = RUN_KINDS.body(records(tmp_path / "journal")[-1])
    assert end.status == "failed"
    assert "enough" in end.error
    for found in (replay(tmp_path / "journal"), derive(tmp_path / "journal", loaded)[0]):
        assert found.agrees
        assert found.status == "failed"


def test_a_parting_within_a_strategys_run_is_the_first_one(tmp_path: Path) -> None:
    loaded = load_fund(template_path("market_maker"))
    backtest.run(loaded, journal=tmp_path / "journal")
    kept = records(tmp_path / "journal")
    places = [i for i, each in enumerate(kept) if b"submit_order" in each.payload]
    changed = written(tmp_path / "changed", kept[: places[3]] + kept[places[3] + 1 :])
    parting = derive(changed, loaded)[0].parting
    assert parting is not None
    assert parting.sequence == places[3] + 1


@pytest.mark.parametrize("status", ["", "incomplete"])
def test_a_run_that_was_stopped_agrees_as_far_as_it_went(
    run: tuple[LoadedFund, Path, backtest.Outcome], tmp_path: Path, status: str
) -> None:
    kept = records(run[1])
    part = kept[: next(i for i, each in enumerate(kept) if i > 300 and each.kind == INPUT.number)]
    if status:
        engine = replay(written(tmp_path / "part", part)).state_hash
        last = part[-1]
        end = RunEnded(status, engine)
        kind = RunEnded.KIND
        part.append(Record(0, last.ts, kind.number, kind.version, end.encode()))
    folder = written(tmp_path / "stopped", part)
    for found in (replay(folder), derive(folder, run[0])[0]):
        assert found.agrees
        assert found.status == status
        assert found.inputs == [each.kind for each in part].count(INPUT.number)


def test_an_order_is_explained_from_bar_to_fill(
    run: tuple[LoadedFund, Path, backtest.Outcome],
) -> None:
    _, folder, outcome = run
    orders = outcome.orders
    cut = orders.filter(orders["status"] == "filled")["order_id"][0]
    found = explain(folder, cut)
    assert [each.what for each in found.causes] == ["bar", "decided", "target_portfolio"]
    assert {"order_accepted", "verdict", "order_filled"} <= {each.what for each in found.events}
    sequences = [each.sequence for each in (*found.causes, *found.events)]
    assert sequences == sorted(sequences)
    kept = {record.sequence: record for record in records(folder)}
    target = RUN_KINDS.body(kept[found.causes[-1].sequence])
    assert "target_portfolio" in target["event"]
    row = orders.row(by_predicate=pl.col("order_id") == cut, named=True)
    assert found.instrument == row["instrument"]
    assert found.title.startswith(row["side"])
    json.dumps(found.to_dict())


def test_the_order_of_an_event_strategy_is_explained(tmp_path: Path) -> None:
    loaded = load_fund(template_path("market_maker"))
    outcome = backtest.run(loaded, journal=tmp_path / "journal")
    assert replay(tmp_path / "journal").agrees
    found = explain(tmp_path / "journal", outcome.orders["order_id"][-1])
    assert found.causes[0].what in ("quote", "trade")
    assert found.causes[-1].what == "submit_order"
    assert found.events[0].what in ("order_submitted", "order_accepted", "order_rejected")


def test_orders_that_are_not_there_are_told(
    run: tuple[LoadedFund, Path, backtest.Outcome],
) -> None:
    _, folder, outcome = run
    last = outcome.orders["order_id"].to_list()[-1]
    with pytest.raises(ConfigError, match=f"small-1-000001 to {last}; found 1000000"):
        explain(folder, 1_000_000)
    with pytest.raises(ConfigError, match="a name like small-1-000017; found other-1-000001"):
        explain(folder, "other-1-000001")


def test_other_journals_and_used_folders_are_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "notes", "notes") as journal:
        journal.write(Note(text="hello"), ts=1)
    with pytest.raises(JournalError, match="journal of a run"):
        replay(tmp_path / "notes")
    with pytest.raises(ConfigError, match="must hold a journal"):
        explain(tmp_path, 1)
    with pytest.raises(ConfigError, match="never written over"):
        backtest.run(small(tmp_path / "fund"), journal=tmp_path / "notes")


def test_commands_say_it(run: tuple[LoadedFund, Path, backtest.Outcome], tmp_path: Path) -> None:
    _, folder, _ = run
    good = qv("replay", folder, cwd=tmp_path)
    assert good.returncode == 0
    assert "the replay agrees (R1" in good.stdout
    shown = qv("explain", folder, "1", cwd=tmp_path)
    assert shown.returncode == 0
    assert "What followed" in shown.stdout
    assert all(len(line) <= 110 for line in shown.stdout.splitlines())
    kept = records(folder)
    broken = written(tmp_path / "broken", without_an_input(kept))
    bad = qv("replay", broken, cwd=tmp_path)
    assert bad.returncode == 1
    assert "parts from the journal" in bad.stdout
    assert json.loads(qv("replay", broken, "--json", cwd=tmp_path).stdout)["agrees"] is False
    told = json.loads(qv("explain", folder, "1", "--json", cwd=tmp_path).stdout)
    assert told["order"] == "small-1-000001"
    segment = next(folder.glob("*.qvj"))
    shutil.copytree(folder, tmp_path / "damaged")
    bytes_ = bytearray(segment.read_bytes())
    bytes_[2_000] ^= 1
    (tmp_path / "damaged" / segment.name).write_bytes(bytes_)
    damaged = qv("replay", tmp_path / "damaged", cwd=tmp_path)
    assert damaged.returncode == 3
    assert "error:" in damaged.stderr
