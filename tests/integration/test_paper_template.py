"""The template of a fund for a paper venue: it trades in a run, and fits the venue beside it."""

from pathlib import Path

import polars as pl
import pytest

import quantvista as qv
from quantvista.engine import RawEngine
from quantvista.errors import QuantVistaError
from quantvista.fund import live_config, live_instruments, load_fund, write_template
from quantvista.fund.desk import load_strategies
from quantvista.trading.paper._config import load_config


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_template("paper", tmp_path)
    return tmp_path


def test_it_sends_hundreds_of_orders_over_its_generated_market(folder: Path) -> None:
    result = qv.run(folder / "fund.toml")
    assert result.summary["status"] == "complete"
    sent = dict(result.orders.group_by("sleeve").len().iter_rows())
    assert sent["maker"] > 300
    assert sent["swing"] > 10
    assert set(result.fills["liquidity"]) == {"maker", "taker"}
    assert result.orders.filter(pl.col("status") == "rejected").height == 0
    ended = {"filled", "cancelled", "accepted"}
    assert set(result.orders["status"]) <= ended


def test_its_venue_lists_what_it_trades_on_the_same_terms(folder: Path) -> None:
    loaded = load_fund(folder / "fund.toml")
    config, base = load_config(folder / "paper.toml")
    served = config.venue[0]
    terms, _ = served.build(base)
    fund, venue = loaded.fund, loaded.fund.venue[0]
    engine = live_config(fund, terms.instruments, epoch=1)
    RawEngine(engine)
    assert [each["id"] for each in engine["instruments"]] == list(venue.instruments)
    assert live_instruments(fund, terms.instruments) == terms.instruments
    assert (venue.venue, venue.url) == (served.id, f"http://{config.host}:{config.port}")
    assert served.accounts[venue.account or ""] == {fund.fund.currency: fund.fund.cash}
    assert (served.fee_bps, served.maker_bps) == (venue.fee_bps, venue.maker_bps)
    declared = {each.id: (each.tick_size, each.lot_size) for each in fund.instrument}
    assert declared == {each.id: (each.tick_size, each.lot_size) for each in terms.instruments}
    wanted = [each.universe for each in load_strategies(loaded).values()]  # type: ignore[attr-defined]
    assert wanted == [("BTC-USDT.PAPER",), ("ETH-USDT.PAPER",)]


def test_a_maker_of_an_instrument_that_is_not_there_is_refused(folder: Path) -> None:
    path = folder / "fund.toml"
    text = path.read_text().replace('instruments = ["BTC-USDT.PAPER"]', 'instruments = ["A.B"]')
    path.write_text(text)
    with pytest.raises(QuantVistaError, match=r"`universe` must name .* found 'A\.B'"):
        qv.run(path)
