"""The same command twice writes the same bytes, in the shape that DESIGN section 7 promises."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quantvista.fund import write_template
from support.command import qv

TS, TEXT, FLOAT = pa.timestamp("ns", tz="UTC"), pa.string(), pa.float64()
EXACT = pa.decimal128(38, 12)
COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "equity": {
        "ts": TS,
        "equity": EXACT,
        "cash": EXACT,
        "gross": EXACT,
        "net": EXACT,
        "benchmark": FLOAT,
    },
    "targets": {"ts": TS, "instrument": TEXT, "sleeve": TEXT, "weight_e9": pa.int64()},
    "orders": {
        "ts": TS,
        "order_id": TEXT,
        "instrument": TEXT,
        "sleeve": TEXT,
        "side": TEXT,
        "quantity": EXACT,
        "filled": EXACT,
        "type": TEXT,
        "tif": TEXT,
        "limit_price": EXACT,
        "status": TEXT,
        "reason": TEXT,
        "trigger_price": EXACT,
        "trail": EXACT,
        "trail_rate": EXACT,
        "expire_at": TS,
        "display_quantity": EXACT,
        "post_only": pa.bool_(),
        "reduce_only": pa.bool_(),
        "leg": TEXT,
        "origin": TEXT,
        "parent": TEXT,
        "group": TEXT,
    },
    "fills": {
        "ts": TS,
        "fill_id": TEXT,
        "order_id": TEXT,
        "instrument": TEXT,
        "sleeve": TEXT,
        "venue": TEXT,
        "side": TEXT,
        "quantity": EXACT,
        "price": EXACT,
        "currency": TEXT,
        "fee": EXACT,
        "slippage": EXACT,
        "kind": TEXT,
        "liquidity": TEXT,
        "leg": TEXT,
    },
    "positions": {
        "ts": TS,
        "instrument": TEXT,
        "sleeve": TEXT,
        "quantity": EXACT,
        "mark_price": EXACT,
        "value": EXACT,
        "cost": EXACT,
        "leg": TEXT,
    },
    "sleeves": {"ts": TS, "sleeve": TEXT, "equity": EXACT, "cash": EXACT},
    "verdicts": {
        "ts": TS,
        "order_id": TEXT,
        "rule": TEXT,
        "figure": EXACT,
        "limit": EXACT,
        "outcome": TEXT,
    },
    "comparisons": {"ts": TS, "name": TEXT, "equity": FLOAT},
    "postings": {
        "ts": TS,
        "sleeve": TEXT,
        "currency": TEXT,
        "kind": TEXT,
        "instrument": TEXT,
        "amount": EXACT,
        "equity": EXACT,
    },
    "balances": {
        "ts": TS,
        "sleeve": TEXT,
        "currency": TEXT,
        "settled": EXACT,
        "unsettled": EXACT,
        "value": EXACT,
    },
    "states": {
        "ts": TS,
        "event": TEXT,
        "sleeve": TEXT,
        "state": TEXT,
        "cause": TEXT,
        "rule": TEXT,
        "figure": EXACT,
        "limit": EXACT,
    },
    "actions": {"ts": TS, "instrument": TEXT, "action": TEXT, "symbol": TEXT, "price": EXACT},
    "markouts": {
        "ts": TS,
        "fill_id": TEXT,
        "instrument": TEXT,
        "mid": EXACT,
        "mid_1s": EXACT,
        "mid_5s": EXACT,
        "mid_30s": EXACT,
        "mid_60s": EXACT,
        "mid_end": EXACT,
    },
}
FILES = {*(f"{name}.parquet" for name in COLUMNS), "summary.json", "run.toml", "report.html"}
WORDS = {
    ("orders", "side"): {"buy", "sell"},
    ("orders", "type"): {"market", "limit", "on_open", "on_close"},
    ("orders", "tif"): {"day", "gtc", "ioc"},
    ("fills", "kind"): {"trade", "cross", "settlement"},
    ("verdicts", "outcome"): {"accepted", "cut", "rejected", "held"},
}


def make(folder: Path, template: str) -> None:
    """A template's fund, shortened to two years."""
    write_template(template, folder)
    path = folder / "fund.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("start")]
    place = lines.index("[data]") + 1
    lines[place:place] = ["start = 2018-06-01", "end = 2020-06-30"]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("template", ["demo", "event"])
def test_same_command_twice_writes_the_same_bytes(template: str, tmp_path: Path) -> None:
    found, said = [], []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        make(folder, template)
        done = qv("run", "fund.toml", "--out", "result", cwd=folder, env={"PYTHONHASHSEED": seed})
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
        out = folder / "result"
        found.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert said[0] == said[1]
    assert set(found[0]) == set(found[1]) == FILES
    different = [name for name, content in found[0].items() if content != found[1][name]]
    assert not different
    check_shape(tmp_path / "1" / "result")


def check_shape(out: Path) -> None:
    for name, columns in COLUMNS.items():
        table = pq.read_table(out / f"{name}.parquet")
        assert dict(zip(table.schema.names, table.schema.types, strict=True)) == columns, name
        assert table.schema.names == list(columns), name
        times = table["ts"].cast(pa.int64()).to_pylist()
        assert times == sorted(times), f"{name} by event time"
        for (of, column), words in WORDS.items():
            if of == name:
                assert set(table[column].to_pylist()) <= words
    for name in ("equity", "orders", "fills", "positions", "sleeves", "verdicts"):
        assert pq.read_metadata(out / f"{name}.parquet").num_rows > 0, name
    orders = pq.read_table(out / "orders.parquet")
    ids = orders["order_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["schema_version"], summary["status"]) == (1, "complete")
    text = (out / "summary.json").read_text()
    assert text == json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_same_fund_gives_the_same_bytes_in_one_process(tmp_path: Path) -> None:
    from quantvista import backtest

    make(tmp_path, "demo")
    for name in ("a", "b", "a"):  # the second `a` writes over the first
        backtest.run(tmp_path / "fund.toml", out=tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert set(files) == FILES - {"report.html"}
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
