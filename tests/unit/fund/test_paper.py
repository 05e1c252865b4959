"""Venues of kind paper: what a file says of them, and the engine of a fund that runs there."""

import json
import tomllib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from quantvista.engine import LimitRates, RawEngine
from quantvista.errors import ConfigError
from quantvista.fund import (
    Fund,
    live_config,
    live_instruments,
    load_fund,
    resolved_toml,
    venue_places,
)
from quantvista.market import Instrument

BTC = Instrument(
    "BTC-USDT.PAPER",
    currency="USDT",
    kind="pair",
    base="BTC",
    price_precision=1,
    quantity_precision=5,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.00001"),
    matching="quotes",
)
ETH = replace(BTC, id="ETH-USDT.PAPER", base="ETH")
OTHER = replace(BTC, id="XRP-USDT.PAPER", base="XRP")
PAPER: dict[str, Any] = {
    "id": "paper",
    "kind": "paper",
    "instruments": [BTC.id, ETH.id],
    "fee_bps": "10",
    "maker_bps": "8",
    "slippage_bps": "3",
    "latency": {"submit_ms": 5},
    "participation_max": "0.5",
}


def content(*venues: dict[str, Any], **sections: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "fund": {"name": "coins", "currency": "USDT", "cash": "1000.00", "calendar": "24/7"},
        "data": {"events": [{"source": "generated:market"}]},
        "sleeve": [
            {"id": "b", "strategy": "market_maker", "share": "0.5"},
            {"id": "a", "strategy": "market_maker", "share": "0.5"},
        ],
        "account": {"balances": {"BTC": "0.5"}},
        "venue": list(venues) or [PAPER],
        **sections,
    }


def fund(*venues: dict[str, Any], **sections: Any) -> Fund:  # noqa: ANN401
    return load_fund(content(*venues, **sections)).fund


def test_what_is_not_said_of_a_paper_venue_is_written_out() -> None:
    made = fund()
    venue = made.venue[0]
    assert (venue.url, venue.account, venue.venue) == ("http://127.0.0.1:8710", "main", "paper")
    assert (venue.key, venue.manual, venue.adopt_into) == ("node", "adopt", None)
    assert made.adopts_into(venue) == "a"
    said = fund(
        {**PAPER, "venue": "fast", "account": "two", "adopt_into": "b", "url": "https://h:1/x/"}
    )
    assert said.adopts_into(said.venue[0]) == "b"
    assert (said.venue[0].venue, said.venue[0].url) == ("fast", "https://h:1/x")


def test_a_paper_venue_is_the_same_when_read_again() -> None:
    made = fund(PAPER, {"id": "other", "fee_bps": "1"})
    text = resolved_toml(made)
    assert load_fund(tomllib.loads(text, parse_float=Decimal)).fund == made
    assert 'url = "http://127.0.0.1:8710"' in text
    assert "url" not in resolved_toml(fund({"id": "sim"}))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({**PAPER, "instruments": []}, "`venue.instruments` is required for the paper venue 'paper'"),
    ({**PAPER, "markets": ["PAPER"]}, "`venue.markets` is of simulated venues"),
    ({**PAPER, "url": "127.0.0.1:8710"}, "`venue[0].url` must be the address of a server"),
    ({**PAPER, "url": "ftp://host"}, "`venue[0].url` must be the address of a server"),
    ({**PAPER, "url": "http://host:x"}, "`venue[0].url` must be the address of a server"),
    ({**PAPER, "url": "http://host/?key=1"}, "`venue[0].url` must be the address of a server"),
    ({**PAPER, "url": "http://me:pass@host"}, "`venue[0].url` must have no user or password"),
    ({**PAPER, "manual": "ignore"}, "`venue[0].manual` must be 'adopt' or 'refuse'"),
    ({**PAPER, "manual": "refuse", "adopt_into": "a"}, "`venue.adopt_into` must come with manual"),
    ({**PAPER, "adopt_into": "c"}, "`venue.adopt_into` must be a sleeve of the fund; found 'c'"),
    ({**PAPER, "instruments": [BTC.id, BTC.id]}, "`venue.instruments` must name each once"),
    ({"id": "sim", "url": "http://host"}, "`venue.url` is of paper venues; remove it from 'sim'"),
    ({"id": "sim", "instruments": [BTC.id]}, "`venue.instruments` is of paper venues"),
    ({"id": "sim", "manual": "adopt"}, "`venue.manual` is of paper venues"),
]


@pytest.mark.parametrize(("venue", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_venue_that_is_neither_is_refused(venue: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fund(venue)
    assert message in str(caught.value)


def test_instruments_trade_where_they_are_named() -> None:
    made = fund({"id": "sim"}, PAPER)
    assert venue_places(made, [BTC, OTHER]) == {BTC.id: 1, OTHER.id: 0}
    with pytest.raises(ConfigError, match=r"`venue\.instruments` must name .* 'XRP-USDT\.PAPER'"):
        venue_places(fund(), [OTHER])


def test_a_running_fund_has_remote_venues_with_nothing_but_fees() -> None:
    """The engine takes it, and would refuse any other model of such a venue."""
    config = live_config(fund(), [OTHER, ETH, BTC], epoch=3)
    RawEngine(config)
    venue = config["venues"][0]
    assert (config["epoch"], venue["id"], venue["remote"]) == (3, "paper", True)
    assert [(each["maker"], each["taker"]) for each in venue["fee"]["tiers"]] == [(800000, 1000000)]
    assert venue["slippage"] == {"rate": 0, "ticks": 0}
    assert venue["participation_max"] is None
    assert set(venue["latency"].values()) == {0}
    assert [each["id"] for each in config["instruments"]] == [BTC.id, ETH.id]
    assert [each["code"] for each in config["currencies"]] == ["USDT", "BTC", "ETH"]
    assert config["currencies"][1]["source"] == {"pair": {"instrument": 0, "inverse": False}}
    assert [each["cash"] for each in config["sleeves"]] == [500 * 10**12] * 2
    assert [each["balances"] for each in config["sleeves"]] == [[(1, 25 * 10**10)]] * 2
    json.dumps(config)


def test_shares_limits_and_told_currencies_are_taken() -> None:
    config = live_config(
        fund(),
        [BTC, ETH],
        epoch=1,
        shares={"a": Decimal(1), "b": Decimal(3)},
        limits=LimitRates(price_band=7),
        told=["EUR"],
    )
    assert [each["cash"] for each in config["sleeves"]] == [250 * 10**12, 750 * 10**12]
    assert config["limits"]["price_band"] == 7
    assert [each["code"] for each in config["currencies"]] == ["USDT", "BTC", "ETH", "EUR"]
    assert config["currencies"][3]["source"] == "input"


def test_terms_are_the_venues_and_sectors_are_the_files() -> None:
    instrument = {"id": BTC.id, "kind": "pair", "base": "BTC", "sector": "Coins"}
    data = {"events": [{"source": "generated:market"}], "sectors": {ETH.id: "Other", BTC.id: "X"}}
    found = live_instruments(fund(instrument=[instrument], data=data), [ETH, BTC])
    assert found == (replace(BTC, sector="Coins"), replace(ETH, sector="Other"))


@pytest.mark.parametrize(
    ("sections", "listed", "message"),
    [
        ({}, [BTC], r"`venue\.instruments` must be what the venue 'paper' lists, BTC-USDT\.PAPER"),
        ({}, [], "which is nothing; found 'BTC-USDT"),
        (
            {"instrument": [{"id": BTC.id, "tick_size": "0.01"}]},
            [BTC, ETH],
            r"`instrument\.tick_size` of 'BTC-USDT\.PAPER' must be that of the venue 'paper', 0\.1",
        ),
        (
            {"account": {"balances": {"EUR": "5"}}},
            [BTC, ETH],
            r"`account\.balances` must name currencies of the fund, USDT, BTC, ETH; found 'EUR'",
        ),
        ({}, [BTC, replace(ETH, currency="EUR")], "what ETH is worth in USDT; found no pair"),
        ({}, [BTC, replace(ETH, kind="perpetual", settlement="", base="")], "margin for a perp"),
        ({"venue": [{"id": "sim"}]}, [BTC], r"`venue\.kind` must be paper .* found simulated"),
    ],
    ids=range(7),
)
def test_what_cannot_run_is_refused(
    sections: dict[str, Any], listed: list[Instrument], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        live_config(fund(**sections), listed, epoch=1)
