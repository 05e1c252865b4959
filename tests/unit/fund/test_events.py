"""Events, instruments and corporate actions in the fund file."""

import tomllib
from pathlib import Path

import pytest

from quantvista.errors import ConfigError
from quantvista.fund import LoadedFund, load_fund, resolved_toml

FUND = """version = 1
[fund]
name = "maker"
cash = "10000.00"
calendar = "24/7"
currencies = { PEPE = 8 }

[data]
clock_s = 60

[[data.events]]
source = "generated:market"
params = { seconds = 60, symbol = "PEPE-USD" }

[[data.events]]
source = "q.csv"
instrument = "Q.X"
set_aside = ["crossed"]

[[data.actions]]
ex_date = 2024-01-02
instrument = "Q.X"
action = "split"
ratio = "2:1"

[[instrument]]
id = "Q.X"
kind = "pair"
base = "PEPE"
tick_size = "0.0001"
margin_initial = 0.05

[[sleeve]]
id = "all"
strategy = "equal_weight"
"""
QUOTES = """ts,bid,ask
2024-01-01T14:30:00Z,1.0000,1.0002
2024-01-02T14:30:00Z,1.0001,1.0002
2024-01-02T14:30:01Z,1.1,1.0
"""


@pytest.fixture
def fund(tmp_path: Path) -> LoadedFund:
    return load_fund(write(tmp_path, FUND))


def write(folder: Path, text: str) -> Path:
    (folder / "q.csv").write_text(QUOTES)
    (folder / "fund.toml").write_text(text)
    return folder / "fund.toml"


def test_a_fund_of_events_is_loaded_from_its_file(fund: LoadedFund) -> None:
    assert fund.fund.data.has_events
    data = fund.event_data()
    assert data.ids == ("PEPE-USD.SIM", "Q.X")
    assert data.currencies == (("USD", 2), ("PEPE", 8))
    pair = data.instruments[1]
    assert (pair.settlement, pair.matching, pair.tick_units) == ("exchange", "quotes", 1)
    assert data.engine_actions == ({"split": {"instrument": 1, "numerator": 2, "denominator": 1}},)
    assert any("1 of 3 quotes, which are crossed" in each for each in data.assumptions)
    assert [bias.name for bias in data.biases] == ["generated", "unknown_origin"]


def test_the_resolved_fund_reads_as_the_same_fund(fund: LoadedFund) -> None:
    again = tomllib.loads(resolved_toml(fund.fund))
    assert load_fund(again).fund == fund.fund


def test_files_of_events_and_actions_are_inputs(tmp_path: Path) -> None:
    text = FUND.replace("clock_s = 60", 'actions_file = "a.csv"\nfactors = { "Q.X" = "f.csv" }')
    names = [path.name for path in load_fund(write(tmp_path, text)).inputs]
    assert names == ["fund.toml", "a.csv", "f.csv", "q.csv"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("set_aside =", "set_asid =", ":18: `data.events[1].set_asid` is unknown; did you mean `s"),
        ('["crossed"]', '["bad"]', ":18: `data.events[1].set_aside[0]` must be 'crossed'"),
        ('source = "q.csv"', "", ":15: `data.events[1].source` is required"),
        ('kind = "pair"', 'kind = "option"', ":28: `instrument[0].kind` is not supported: it nee"),
        ('kind = "pair"', 'kin = "pair"', ":28: `instrument[0].kin` is unknown; did you mean `kin"),
        ('id = "Q.X"', 'id = "q"', ":27: `instrument[0].id` must be written like"),
        ("margin_initial = 0.05", "margin_initial = 5", ":31: `instrument[0].margin_initial` must"),
        ('ratio = "2:1"', 'ratio = "2"', "`data.actions.ratio` must be written as new:old"),
        ('action = "split"', 'action = "spilt"', "`data.actions.action` must be one of split"),
        ('"Q.X"\naction', '"Q.X"\naktion = 1\naction', "`data.actions[0].aktion` is unknown; did"),
        ("PEPE = 8", "USD = 8", ":6: `fund.currencies` must not change a currency that is known"),
        ("[[instrument]]", "[instrument]", "`instrument` must be tables, written [[instrument]]"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in FUND
    with pytest.raises(ConfigError) as caught:
        load_fund(write(tmp_path, FUND.replace(old, new, 1)))
    assert message in str(caught.value)


def test_an_instrument_is_declared_once_and_data_has_a_source(tmp_path: Path) -> None:
    twice = FUND + '\n[[instrument]]\nid = "Q.X"\n'
    with pytest.raises(ConfigError, match=r"`instrument.id` must be unique; found 'Q.X' twice"):
        load_fund(write(tmp_path, twice))
    content = {
        "fund": {"name": "a", "cash": 1},
        "data": {},
        "sleeve": [{"id": "a", "strategy": "trend"}],
    }
    with pytest.raises(ConfigError, match=r"`data.source` is required, or \[\[data.events\]\]"):
        load_fund(content)
