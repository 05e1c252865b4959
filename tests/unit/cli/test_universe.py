"""``qv data universe``: from bars to a table of members, and what is said of it."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from quantvista.market import sessions

type Qv = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    days = sessions("XNYS", "2024-01-02", "2024-04-30").labels.astype(str).tolist()
    lines = ["date,instrument,close,volume"]
    for row, day in enumerate(days):
        lines += [f"{day},A.XNYS,10.00,{100 + row}", f"{day},B.XNYS,20.00,{90 - row}"]
        if row < 40:
            lines.append(f"{day},C.XNYS,30.00,500")
    (tmp_path / "bars.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_members_are_written_and_the_page_drawn(qv: Qv, here: Path) -> None:
    code, out, err = qv(
        *("data", "universe", "--top", "2", "--sessions", "5", "-i", "bars.csv"),
        *("-o", "members.csv", "--html", "page.html"),
    )
    assert (code, err) == (0, "")
    assert "There is no reference data: an instrument is listed while it has bars." in out
    assert "4 decisions, 2.0 members on average, 3 instruments in all" in out
    table = pl.read_csv(here / "members.csv")
    kept = table.filter(pl.col("ts_end").is_null() & (pl.col("instrument") == "C.XNYS"))
    assert kept["ts_event"].to_list() == ["2024-01-31T21:00:00Z"]
    gone = table.filter(pl.col("reason_end") == "stale")
    assert gone["instrument"].to_list() == ["C.XNYS"]
    page = (here / "page.html").read_text()
    assert "Universe of bars.csv" in page
    assert "top = 2" in page


def test_a_file_of_rules_and_the_lake(qv: Qv, here: Path) -> None:
    (here / "rules.toml").write_text("version = 1\ntop = 1\nsessions = 5\n")
    assert qv("data", "import", "bars.csv", "--into", "mine")[0] == 0
    code, out, _ = qv(
        *("data", "universe", "rules.toml", "--top", "2", "-i", "lake:mine"),
        *("-o", "lake:mine", "--json"),
    )
    said = json.loads(out)
    assert (code, said["rules"]["top"], said["rules"]["sessions"]) == (0, 2, 5)
    assert said["members"] == ["A.XNYS", "B.XNYS"]
    assert [each["candidates"] for each in said["decisions"]] == [3, 3, 2, 2]
    assert said["decisions"][0]["ts"] == "2024-01-31T21:00:00Z"
    shown = json.loads(qv("data", "show", "mine", "--json")[1])
    assert shown["commit"] == said["commit"]
    assert shown["kinds"]["members"]["revised"]
    again = qv("data", "universe", "rules.toml", "--top", "2", "-i", "lake:mine", "-o", "lake:mine")
    assert again[0] == 0
    other = qv("data", "universe", "rules.toml", "-i", "lake:mine", "-o", "lake:mine")
    assert other[0] == 3
    assert "must hold members by the same rules" in " ".join(other[2].split())
    code, out, _ = qv(
        *("features", "compute", "r=rank(close)", "-i", "lake:mine", "--universe", "lake:mine"),
        *("--json",),
    )
    assert code == 0
    assert json.loads(out)["values"]["r"] < json.loads(out)["rows"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--top", "0"), 2, "`top`: Input should be greater than or equal to 1"),
        (("--sector", "Energy"), 2, "`sectors` must come with reference data"),
        (("none.toml",), 2, "none.toml: cannot be read"),
        (("--top", "1", "-o", "members.txt"), 2, "`--output` must end in .csv or .parquet"),
        (("--within", "none.csv"), 3, "`universe` none.csv cannot be read"),
    ],
)
def test_mistakes_are_named(qv: Qv, arguments: tuple[str, ...], code: int, message: str) -> None:
    found, _, err = qv("data", "universe", *arguments, "-i", "bars.csv")
    assert found == code
    assert message in " ".join(err.split())
