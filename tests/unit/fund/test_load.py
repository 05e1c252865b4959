import datetime
import os
from decimal import Decimal
from pathlib import Path

import pytest

from quantvista.errors import ConfigError
from quantvista.fund import Fund, LoadedFund, load_fund, resolved_toml, template_path
from quantvista.strategies import Trend

MINIMAL = """
[fund]
name = "tiny"
cash = "1000.00"
[data]
source = "prices.csv"
[[sleeve]]
id = "all"
strategy = "equal_weight"
"""


@pytest.fixture
def minimal(tmp_path: Path) -> LoadedFund:
    (tmp_path / "fund.toml").write_text(MINIMAL)
    return load_fund(tmp_path / "fund.toml")


def test_minimal_fund_has_the_documented_defaults(minimal: LoadedFund, tmp_path: Path) -> None:
    fund = minimal.fund
    assert minimal.base == tmp_path
    assert (fund.fund.currency, fund.fund.calendar, fund.fund.seed) == ("USD", "XNYS", 7)
    assert fund.sleeve[0].share == 1
    assert fund.risk.price_band == Decimal("0.25")
    assert fund.risk.weight_max is None
    assert fund.portfolio.rebalance == "month_end"
    assert fund.venue[0].on_close_cutoff_s == 600
    assert fund.venue[0].fee_rate_e9 == 0


def test_demo_fund_is_the_one_of_the_design() -> None:
    fund = load_fund(template_path("demo")).fund
    assert [sleeve.strategy for sleeve in fund.sleeve] == ["trend", "momentum"]
    assert fund.data.benchmark == "SP500.INDEX"
    assert (fund.risk.weight_max, fund.risk.sector_max) == (Decimal("0.15"), Decimal("0.40"))
    assert fund.venue[0].fee_rate_e9 == 100_000
    assert fund.venue[0].slippage_rate_e9 == 200_000


@pytest.mark.parametrize("written", ["0.1", '"0.1"', "1e-1", "0.10"])
def test_decimals_are_exact_however_they_are_written(tmp_path: Path, written: str) -> None:
    path = tmp_path / "fund.toml"
    path.write_text(MINIMAL + f"[risk]\nweight_max = {written}\n")
    assert load_fund(path).fund.risk.weight_max == Decimal("0.1")


def test_ten_tenths_add_up_to_one() -> None:
    sleeves = [{"id": f"s{i}", "strategy": "trend", "share": 0.1} for i in range(10)]
    fund = {"name": "tenths", "cash": "1000.00"}
    loaded = load_fund({"fund": fund, "data": {"source": "p.csv"}, "sleeve": sleeves})
    assert sum(sleeve.share for sleeve in loaded.fund.sleeve) == 1


def test_thirds_may_be_written_to_nine_digits() -> None:
    shares = ("0.333333333", "0.333333333", "0.333333334")
    sleeves = [{"id": f"s{i}", "strategy": "trend", "share": s} for i, s in enumerate(shares)]
    load_fund(
        {
            "fund": {"name": "thirds", "cash": 1000},
            "data": {"source": "p.csv"},
            "sleeve": sleeves,
        }
    )


def test_params_reach_strategies_as_plain_numbers(tmp_path: Path) -> None:
    path = tmp_path / "fund.toml"
    path.write_text(MINIMAL + "params = { a = 0.5, b = [0.25, 1], c = { d = 0.1 } }\n")
    params = load_fund(path).fund.sleeve[0].params
    assert params == {"a": 0.5, "b": [0.25, 1], "c": {"d": 0.1}}
    assert type(params["a"]) is float


def test_dates_are_read_as_dates_or_text(tmp_path: Path) -> None:
    path = tmp_path / "fund.toml"
    text = MINIMAL.replace("[[sleeve]]", 'start = 2020-01-02\nend = "2020-12-31"\n[[sleeve]]')
    path.write_text(text)
    data = load_fund(path).fund.data
    assert (data.start, data.end) == (datetime.date(2020, 1, 2), datetime.date(2020, 12, 31))


def test_strategy_may_be_a_class_or_an_instance_in_python(tmp_path: Path) -> None:
    def fund(strategy: object) -> Fund:
        return Fund.model_validate(
            {
                "fund": {"name": "tiny", "cash": "1000.00"},
                "data": {"source": "p.csv"},
                "sleeve": [{"id": "mine", "strategy": strategy}],
            }
        )

    loaded = load_fund(fund(Trend), base=tmp_path)
    assert loaded.fund.sleeve[0].strategy is Trend
    assert loaded.base == tmp_path
    assert "_trend:Trend" in resolved_toml(loaded.fund)
    assert "lookback = 99" in resolved_toml(fund(Trend(lookback=99)))
    with pytest.raises(ValueError, match="or in Python a strategy"):
        fund(int)


def test_loaded_fund_passes_through(minimal: LoadedFund) -> None:
    assert load_fund(minimal) is minimal


def test_fund_is_frozen(minimal: LoadedFund) -> None:
    with pytest.raises(ValueError, match="frozen"):
        minimal.fund.risk.weight_max = Decimal(1)  # type: ignore[misc]


def test_market_data_is_found_beside_the_fund(minimal: LoadedFund) -> None:
    (minimal.base / "prices.csv").write_text("date,A.XNYS\n2024-01-02,1.25\n")
    assert minimal.market_data().close.tolist() == [[1.25]]


def test_sector_limit_needs_sectors(minimal: LoadedFund) -> None:
    path = minimal.base / "fund.toml"
    path.write_text(MINIMAL + "[risk]\nsector_max = 0.5\n")
    (minimal.base / "prices.csv").write_text("date,A.XNYS\n2024-01-02,1.25\n")
    with pytest.raises(ConfigError, match="must name a sector for each instrument"):
        load_fund(path).market_data()


def test_venue_is_appended_in_the_fund_file_too(minimal: LoadedFund) -> None:
    (minimal.base / "prices.csv").write_text("date,A,BRK.B,I\n2024-01-02,1.25,2.50,9.00\n")
    data = (
        'source = "prices.csv"\nvenue = "XNYS"\nbenchmark = "I"\n'
        'instruments = ["A", "BRK.B.XNYS"]\nsectors = { A = "Tech", "BRK.B" = "Financials" }'
    )
    path = minimal.base / "fund.toml"
    path.write_text(MINIMAL.replace('source = "prices.csv"', data))
    loaded = load_fund(path)
    market = loaded.market_data()
    assert market.ids == ("A.XNYS", "BRK.B.XNYS")
    assert market.sectors == ("Tech", "Financials")
    assert market.benchmark_id == "I.XNYS"
    path.write_text(resolved_toml(loaded.fund))
    assert load_fund(path).fund == loaded.fund


def test_storage_names_the_ring_where_nobody_named_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QV_KEY_RING", "")  # so that it is put back
    monkeypatch.delenv("QV_KEY_RING")
    text = MINIMAL + '[storage]\nencrypted = true\nkey_ring = "keys/coins.keys"\n'
    (tmp_path / "fund.toml").write_text(text)
    loaded = load_fund(tmp_path / "fund.toml")
    assert loaded.must_encrypt()
    assert os.environ["QV_KEY_RING"] == str(tmp_path / "keys" / "coins.keys")
    monkeypatch.setenv("QV_KEY_RING", "/elsewhere")
    assert loaded.must_encrypt()
    assert os.environ["QV_KEY_RING"] == "/elsewhere"
    assert "encrypted = true" in resolved_toml(loaded.fund)


def test_a_fund_without_storage_is_kept_in_the_clear(minimal: LoadedFund) -> None:
    assert not minimal.must_encrypt()
    assert "storage" not in resolved_toml(minimal.fund)
