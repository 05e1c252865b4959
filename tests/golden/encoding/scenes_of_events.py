"""The scenes beyond bars: markets of events, corporate actions, states of the fund."""

from __future__ import annotations

from typing import Any

from golden.encoding.scenes import DAY, MINUTE, MONEY, RATE, START, Scene, instrument, request

type Record = dict[str, Any]

PERPETUAL, FUTURE, QUOTED, TICKS, BARS = range(5)
FREE: Record = {"tiers": [{"maker": 0, "taker": 0}]}
BREAKER: Record = {"limit": 900_000_000, "window_ns": 60 * MINUTE, "state": "reduce_only"}


def _venue(name: str, **more: object) -> Record:
    usual: Record = {
        "id": name,
        "fee": FREE,
        "slippage": {"rate": 0, "ticks": 1},
        "limit_fill_on_touch": True,
        "participation_max": None,
        "on_close_cutoff_ns": 0,
    }
    return usual | more


def _margin_fund(name: str, **more: object) -> Record:
    usual: Record = {
        "semantics": 2,
        "fund": name,
        "epoch": 1,
        "seed": 7,
        "currencies": [
            {"code": "USD", "precision": 2, "credit_rate": 20_000_000, "debit_rate": 80_000_000},
            {"code": "EUR", "precision": 2},
        ],
        "account": {"kind": "margin", "positions": "netting", "trade_on_unsettled": True},
        "sleeves": [
            {
                "id": "one",
                "cash": 100_000 * MONEY,
                "balances": [(1, 5_000 * MONEY)],
                "limits": {
                    "weight_max": 40 * RATE,
                    "gross_max": 50 * RATE,
                    "drawdown_max": 999_000_000,
                    "order_rate": {"count": 500, "window_ns": 60 * MINUTE},
                },
            },
            {"id": "two", "cash": 50_000 * MONEY},
        ],
        "venues": [_venue("free")],
        "limits": {"price_band": 250_000_000},
    }
    return usual | more


def _events_fund() -> Record:
    share = {"volatility": 20_000_000, "average_volume": 50_000}
    difference = {"settlement": "difference", "margin_initial": 100_000_000, **share}
    return _margin_fund(
        "events",
        instruments=[
            instrument(
                "A.PERP",
                matching="l2",
                kind="perpetual",
                margin_maintenance=50_000_000,
                **difference,
            ),
            instrument(
                "B.FUT",
                matching="l3",
                kind="future",
                margin_maintenance=50_000_000,
                multiplier=10,
                expiry=START + 90 * DAY,
                negative_prices=True,
                **difference,
            ),
            instrument(
                "C.XEUR",
                matching="quotes",
                currency=1,
                venue=1,
                has_auctions=True,
                shortable=5_000,
                borrow_rate=30_000_000,
                settlement_days=2,
                effective_to=START + 900 * DAY,
            ),
            instrument("D.XSIM", matching="trades", shortable=1_000, **share),
            instrument("E.XSIM", shortable=1_000, **share),
        ],
        venues=[
            _venue("near", impact={"coefficient": RATE, "half_life_ns": 60 * MINUTE}),
            _venue(
                "slow",
                fee={
                    "tiers": [
                        {"volume_from": 0, "maker": 100_000, "taker": 500_000},
                        {"volume_from": 100 * MONEY, "maker": 50_000, "taker": 400_000},
                    ],
                    "per_unit": MONEY // 100,
                    "minimum": MONEY,
                    "window_days": 2,
                },
                slippage={"rate": 100_000, "ticks": 1},
                participation_max=500_000_000,
                on_close_cutoff_ns=MINUTE,
                latency={
                    "submit_ns": 10**9,
                    "amend_ns": 20 * MINUTE,
                    "cancel_ns": 30 * MINUTE,
                    "jitter_ns": 10**6,
                },
            ),
        ],
        limits={
            "price_band": 250_000_000,
            "fat_finger_quantity": 100_000,
            "fat_finger_notional": 10**6 * MONEY,
            "fat_finger_volume": 9 * RATE,
            "position_max": 10**6 * MONEY,
            "weight_max": 40 * RATE,
            "sector_max": 45 * RATE,
            "gross_max": 50 * RATE,
            "leverage_max": 50 * RATE,
            "net_max": 50 * RATE,
            "volatility_max": RATE,
            "instrument_volatility_max": RATE,
            "correlation_max": RATE,
            "regimes_blocked": 8,
            "bar_age_max_ns": 30 * DAY,
            "quote_age_max_ns": 30 * DAY,
            "order_rate": {"count": 500, "window_ns": 60 * MINUTE},
            "duplicate_window_ns": 10**9,
            "self_trade": True,
            "value_at_risk": {
                "scenarios": 3,
                "confidence": 900_000_000,
                "max": 5 * RATE,
                "step_max": 5 * RATE,
            },
            "crossed": "reduce_only",
            "breakers": {
                "drawdown": BREAKER,
                "day_loss": BREAKER,
                "dislocation": BREAKER,
                "rejects": BREAKER | {"limit": 50},
                "order_rate": BREAKER | {"limit": 500},
            },
        },
    )


def events() -> Scene:
    """Two sleeves of a margin account, on every kind of data, with every model and limit."""
    scene = Scene(_events_fund())
    _figures(scene)
    _markets(scene)
    _orders(scene)
    _slow_orders(scene)
    _days(scene)
    _end(scene)
    return scene


def _figures(scene: Scene) -> None:
    """What the gate and the accounts need to know."""
    scene.add("currency_rate", {"currency": 1, "rate": 1_100_000_000_000}, "currency_rate")
    rates = {"currency": 1, "credit_rate": 10_000_000, "debit_rate": 50_000_000}
    scene.add("interest_rates", rates, "interest_rates")
    terms = {"instrument": QUOTED, "shortable": 4_000, "borrow_rate": 40_000_000}
    scene.add("short_terms", terms, "short_terms")
    for kind, of, value in (
        ("fund_volatility", None, 9_000_000),
        ("regime", None, 1),
        *(
            (kind, index, 10_000_000)
            for kind in ("volatility", "correlation")
            for index in range(5)
        ),
        *(("average_volume", index, 40_000) for index in range(5)),
    ):
        figure: Record = {"kind": kind, "instrument": of, "value": value}
        named = f"risk_figure_{kind}" if of in (None, 0) else ""
        scene.add("risk_figure", figure | {"expires_at": START + 90 * DAY}, named)
    for index in range(5):
        returns = [-10_000_000 * (index + 1), 0, 15_000_000]
        columns = {"instrument": index, "returns": returns, "expires_at": START + 90 * DAY}
        scene.add("scenarios", columns, "scenarios" if index == 0 else "")


def _level(index: int, side: str, price: int, size: int, *, more: bool = False) -> Record:
    level = {"side": side, "price": price, "size": size, "more": more}
    return {"instrument": index, "level": level}


def _entry(id: int, side: str, price: int, size: int, *, more: bool = False) -> Record:
    order = {"id": id, "side": side, "price": price, "size": size, "more": more}
    return {"instrument": FUTURE, "order": order}


def _quote(index: int, bid: int | None, ask: int | None, size: int = 500) -> Record:
    sizes = {"bid_size": None if bid is None else size, "ask_size": None if ask is None else size}
    return {"instrument": index, "quote": {"bid": bid, "ask": ask, **sizes}}


def _trade(index: int, price: int, size: int, aggressor: str | None = None) -> Record:
    return {"instrument": index, "trade": {"price": price, "size": size, "aggressor": aggressor}}


def _markets(scene: Scene) -> None:
    """Every kind of market data."""
    scene.add("book_cleared", {"instrument": PERPETUAL, "more": True}, "book_cleared")
    scene.add("book_level", _level(PERPETUAL, "buy", 9_990, 300, more=True), "book_level", wait=0)
    scene.add("book_level", _level(PERPETUAL, "sell", 10_010, 300), wait=0)
    scene.add("book_order", _entry(1, "buy", 4_990, 40, more=True), "book_order")
    scene.add("book_order", _entry(2, "sell", 5_010, 40), wait=0)
    scene.add("quote", _quote(QUOTED, 2_000, 2_002), "quote")
    scene.add("trade", _trade(TICKS, 3_000, 100, "buy"), "trade")
    scene.add("trade", _trade(TICKS, 3_000, 100), "trade_of_nobody")
    scene.add("trade", _trade(QUOTED, 2_001, 5, "sell"))
    scene.bar(BARS, [7_000, 7_050, 6_950, 7_000])
    scene.barrier()
    halted = {"instrument": TICKS, "status": "halted"}
    scene.add("status", halted, "status_halted")
    scene.add("status", halted | {"status": "trading"}, "status_trading")


def _orders(scene: Scene) -> None:
    """Orders of every kind, lists and changes, where nothing is in transit."""
    scene.order(PERPETUAL, "buy", 20)
    scene.order(FUTURE, "sell", 3)
    resting = {"kind": "limit", "tif": "gtc", "limit_price": 9_990}
    terms = request(PERPETUAL, "buy", 30, **resting, post_only=True, display_quantity=10)
    scene.add("submit_order", terms, "submit_order_iceberg")
    scene.add("trade", _trade(PERPETUAL, 9_990, 305, "sell"))  # some of it fills as maker
    resting["limit_price"] = 4_990
    scene.order(FUTURE, "buy", 2, **resting)
    stop: Record = {"kind": "stop_limit", "tif": "gtd", "expire_at": START + 40 * DAY}
    stop |= {"trigger_price": 10_100, "limit_price": 10_200, "trigger_by": "mark"}
    scene.add("submit_order", request(PERPETUAL, "buy", 5, **stop), "submit_order_stop_limit")
    for name, trail in (("amount", {"amount": 50}), ("rate", {"rate": 10_000_000})):
        terms = request(PERPETUAL, "sell", 5, kind="trailing_stop", tif="gtc", trail=trail)
        terms["reduce_only"] = True
        scene.add("submit_order", terms, f"submit_order_trailing_{name}")
    scene.order(TICKS, "buy", 40, kind="stop", tif="gtc", trigger_price=3_020)
    scene.add("trade", _trade(TICKS, 3_025, 10, "buy"))  # triggers, and fills a part
    exits = [
        request(BARS, "sell", 10, kind="stop", tif="gtc", trigger_price=6_500),
        request(BARS, "sell", 10, kind="limit", tif="gtc", limit_price=7_500),
    ]
    entry = request(BARS, "buy", 10, kind="limit", tif="gtc", limit_price=6_800)
    scene.add("submit_list", {"orders": [entry, *exits], "link": "bracket"}, "submit_list_bracket")
    low = request(BARS, "buy", 10, kind="limit", tif="gtc", limit_price=6_600)
    high = request(BARS, "buy", 10, kind="stop", tif="gtc", trigger_price=7_200)
    scene.add("submit_list", {"orders": [low, high], "link": "oco"}, "submit_list_oco")
    child = request(BARS, "sell", 10, kind="on_close", tif="day")
    first = request(BARS, "buy", 10, tif="gtc")
    scene.add("submit_list", {"orders": [first, child], "link": "oto"}, "submit_list_oto")
    amendment: Record = {"order": 5, "quantity": 6, "limit_price": 10_190}
    amendment |= {"trigger_price": 10_090, "expire_at": START + 41 * DAY}
    scene.add("amend_order", amendment, "amend_order")
    scene.add("amend_order", {"order": 6, "trail": {"amount": 60}}, "amend_order_trail")
    scene.add("amend_order", {"order": 999, "quantity": 1})
    replacement = request(FUTURE, "buy", 1, kind="limit", tif="gtc", limit_price=4_990)
    scene.add("replace_order", {"order": 4, "request": replacement}, "replace_order")


def _slow_orders(scene: Scene) -> None:
    """Where latency is: commands on their way, short sales, a minimum fee."""
    scene.order(QUOTED, "sell", 300, tif="gtc")
    scene.add("quote", _quote(QUOTED, 2_000, 2_002, 100))
    scene.order(QUOTED, "sell", 300, kind="limit", tif="gtc", limit_price=2_003)
    scene.add("trade", _trade(QUOTED, 2_003, 100, "buy"))  # a part fills: it has paid a minimum
    resting: Record = {"kind": "limit", "tif": "gtc", "limit_price": 1_990, "sleeve": 1}
    for _ in range(3):
        scene.order(QUOTED, "buy", 10, **resting, post_only=True, display_quantity=2)
        resting["limit_price"] -= 1
    scene.add("quote", _quote(QUOTED, 2_000, 2_002, 20))
    # On its way a command may say anything: it is judged when it is there.
    last = 21
    scene.add("cancel_order", {"order": last})
    terms: Record = {"limit_price": 1_985, "trigger_price": 1_990, "trail": {"amount": 3}}
    terms["expire_at"] = START + 50 * DAY
    scene.add("amend_order", {"order": last - 1, "quantity": 7, **terms})
    terms |= {"trigger_by": "bid", "display_quantity": 2, "post_only": True, "reduce_only": True}
    replacement = request(QUOTED, "buy", 4, kind="limit", tif="gtd", **terms, sleeve=1)
    scene.add("replace_order", {"order": last - 2, "request": replacement})
    scene.order(QUOTED, "buy", 1, kind="on_open", tif="gtc")
    scene.order(QUOTED, "buy", 1, kind="limit", tif="gtc")  # refused: it has no limit
    scene.add("status", {"instrument": TICKS, "status": "halted"})
    scene.add("book_cleared", {"instrument": FUTURE, "more": True})
    scene.snapshot("events")
    scene.add("book_order", _entry(1, "buy", 4_990, 30, more=True), wait=0)
    scene.add("book_order", _entry(2, "sell", 5_010, 40), wait=0)
    scene.add("quote", _quote(QUOTED, None, 2_004))
    auction: Record = {"kind": "open", "price": 2_001, "volume": 900}
    scene.add("auction", {"instrument": QUOTED, "auction": auction}, "auction", wait=60 * MINUTE)


def _days(scene: Scene) -> None:
    """Days that end: interest, fees, settlement; money that comes and goes."""
    scene.add("funding", {"instrument": PERPETUAL, "rate": 100_000}, "funding")
    flow: Record = {"sleeve": 0, "currency": 0, "amount": 1_000 * MONEY}
    scene.add("cash_flow", flow, "cash_flow_deposit")
    scene.add("cash_flow", flow | {"amount": -500 * MONEY}, "cash_flow_withdrawal")
    scene.add("cash_flow", flow | {"amount": -(10**7) * MONEY})
    scene.order(TICKS, "buy", 40, kind="market_if_touched", trigger_price=2_900)
    scene.ts += DAY
    scene.bar(BARS, [6_900, 6_950, 6_780, 6_850])
    scene.barrier()
    scene.add("day_ended", {"trading": True}, "day_ended")
    scene.add("day_ended", {"trading": False}, "day_ended_without_trading", wait=DAY)
    scene.snapshot("days")
    for _ in range(2):
        scene.add("day_ended", {"trading": True}, wait=DAY)


def _end(scene: Scene) -> None:
    """A market that falls: a margin call, and what it closes."""
    scene.order(PERPETUAL, "buy", 4_000)
    for price in (9_900, 7_000):
        scene.add("book_cleared", {"instrument": PERPETUAL, "more": True})
        scene.add("book_level", _level(PERPETUAL, "buy", price, 9_000, more=True), wait=0)
        scene.add("book_level", _level(PERPETUAL, "sell", price + 20, 9_000), wait=0)
        if price == 9_900:
            scene.order(PERPETUAL, "buy", 9_000)


def actions() -> Scene:
    """Everything that companies do to what they have issued."""
    names = ("A.XSIM", "B.XSIM", "C.XSIM", "D.XSIM", "E.XSIM")
    scene = Scene(
        _margin_fund(
            "actions",
            instruments=[instrument(name, shortable=1_000) for name in names],
            currencies=[{"code": "USD", "precision": 2}],
            sleeves=[{"id": "one", "cash": 100_000 * MONEY}],
        )
    )

    def day(*left: int) -> None:
        scene.ts += DAY
        for index in left:
            scene.bar(index, [10_000, 10_100, 9_900, 10_000])
        scene.barrier()

    day(0, 1, 2, 3, 4)
    for index in range(5):
        scene.order(index, "buy", 11 + index)
    day(0, 1, 2, 3, 4)
    scene.order(0, "buy", 4, kind="limit", tif="gtc", limit_price=9_800)
    ratio = {"instrument": 0, "numerator": 3, "denominator": 2}
    into: Record = {"into": 1, "into_price": 10_000}
    digits = {"price_precision": 3, "quantity_precision": 1, "tick_size": 5, "lot_size": 10}
    for name, terms in (
        ("split", ratio),
        ("stock_dividend", ratio | {"numerator": 1, "denominator": 20}),
        ("cash_dividend", {"instrument": 0, "amount": MONEY // 4}),
        ("symbol_change", {"instrument": 0, "symbol": "AA.XSIM"}),
        ("spin_off", ratio | into | {"numerator": 1, "denominator": 4, "cost_share": RATE // 5}),
        ("precision", {"instrument": 1, **digits}),
        ("merger_cash", {"instrument": 2, "price": 10_200}),
        ("merger_stock", ratio | into | {"instrument": 3, "into": 0, "cash": MONEY}),
        ("delisting", {"instrument": 4, "price": 500}),
    ):
        scene.add("action", {name: terms}, f"action_{name}")
    scene.add("instrument_ended", {"instrument": 1, "price": 90_000}, "instrument_ended_at")
    scene.snapshot("actions")
    return scene


def states() -> Scene:
    """Commands of the operator, and breakers."""
    scene = Scene(
        _margin_fund(
            "states",
            account={"kind": "margin", "positions": "hedging", "trade_on_unsettled": False},
            instruments=[instrument("A.XSIM", matching="quotes", shortable=1_000)],
            currencies=[{"code": "USD", "precision": 2}],
            sleeves=[{"id": "one", "cash": 100_000 * MONEY}, {"id": "two", "cash": MONEY}],
        )
    )
    scene.add("quote", _quote(0, 9_990, 10_010))
    for side, leg in (("buy", "long"), ("sell", "short")):
        scene.add("submit_order", request(0, side, 10, leg=leg), f"submit_order_{leg}")
    sleeve = {"sleeve": {"sleeve": 1, "state": "off"}}
    limit = {"change_limit": {"name": "gross_max", "value": 5 * RATE}}
    off: Record = {"change_limit": {"name": "gross_max", "value": None}}
    for name, command in (
        ("sleeve", sleeve),
        ("change_limit", limit),
        ("change_limit_none", off),
        ("reduce", "reduce"),
        ("resume", "resume"),
        ("flatten", "flatten"),
        ("halt", "halt"),
    ):
        scene.add("operator", command, f"operator_{name}")
    scene.snapshot("states")
    return scene


def broken() -> Scene:
    """Live until the books overflow: an engine that is no longer certain of them stops."""
    scene = Scene(
        _margin_fund(
            "broken",
            instruments=[instrument("A.XSIM", multiplier=10**12)],
            currencies=[{"code": "USD", "precision": 2}],
            sleeves=[{"id": "one", "cash": 10**6 * MONEY}],
        )
    )
    flow = {"sleeve": 0, "currency": 0, "amount": 2**127 - 1}
    scene.add("cash_flow", flow, "cash_flow_huge")
    scene.fails = True
    scene.snapshot("broken")
    return scene
