"""Every rule, by the smallest difference that it explains, and one that it does not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from quantvista.backtest.validate import RULES, Kind
from quantvista.backtest.validate._case import Case
from quantvista.backtest.validate._compare import compare
from quantvista.backtest.validate._result import End, Fill, Result
from quantvista.backtest.validate._rules import classify
from quantvista.backtest.validate._session import (
    Account,
    Command,
    Mark,
    Models,
    Order,
    Row,
    Session,
    Traded,
)

SHARE = Traded("S0", "equity", "", "USD", 2, 0, 1, 1, "0", "0")
QUOTES = (
    Row(100, "quote", 0, 0, 990, 10, 1_000, 10),
    Row(200, "quote", 0, 0, 980, 10, 985, 10),
    Row(300, "quote", 0, 0, 970, 10, 975, 10),
)
BARS = tuple(Row(ts, "bar", 0, 0, 1_000, 1_010, 990, 1_005, 400) for ts in (100, 200, 300))
TRADES = tuple(Row(ts, "trade", 0, 0, price, 10) for ts, price in ((100, 1_000), (200, 990)))
BOOK = (
    Row(100, "level", 0, 0, 990, 10),
    Row(101, "level", 1, 0, 1_000, 10),
    Row(200, "trade", 2, 0, 990, 5),
)


def fill(ts: int, order: int, quantity: int, price: int, how: str = "taker") -> Fill:
    assert how in ("maker", "taker", "none")
    return Fill(ts, order, "buy", quantity, price, Decimal(0), how)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Given:
    """A difference in short."""

    rule: str
    kind: Kind
    commands: Sequence[Command | Order]
    ours: Sequence[Fill]
    theirs: Sequence[Fill]
    rows: tuple[Row, ...] = ()
    tags: tuple[str, ...] = ()
    ends: tuple[tuple[int, str], ...] = ()
    ts: int = 150


def case(given: Given) -> Case:
    rows = (
        given.rows or {"quotes": QUOTES, "bars": BARS, "trades": TRADES, "books": BOOK}[given.kind]
    )
    commands = tuple(
        each if isinstance(each, Command) else Command(given.ts + index, "submit", each)
        for index, each in enumerate(given.commands)
    )
    session = Session(
        seed=1,
        kind=given.kind,
        account=Account("margin", (("USD", "1000000.00"),), single_currency=True),
        models=Models(
            liquidity_consumption=given.kind != "bars", queue_position=given.kind == "books"
        ),
        instruments=(SHARE,),
        tape=rows,
        commands=commands,
        marks=(Mark(1_000, (1_000,)),),
        bar_ns=100 if given.kind == "bars" else 0,
        tags=given.tags,
    )
    ends = {number: End(given.ts, "cancelled", reason) for number, reason in given.ends}
    ours = Result(tuple(given.ours), (), ends)
    theirs = Result(tuple(given.theirs), (), version="1.0")
    difference = compare(session, ours, theirs)
    assert difference is not None
    return Case(session, ours, theirs, difference)


def limit(number: int, price: int, **terms: object) -> Order:
    return replace(Order(number, 0, "buy", 10, "limit", limit=price), **terms)  # type: ignore[arg-type]


MARKET = Order(1, 0, "buy", 10)
TRAIL = Order(1, 0, "buy", 10, "trailing_stop", trail=5)
STOP_LIMIT = Order(1, 0, "buy", 10, "stop_limit", trigger=984, limit=995)
EXITS = (
    Order(2, 0, "sell", 10, "stop", trigger=995),
    Order(3, 0, "sell", 10, "limit", limit=1_100),
)
BRACKET = Command(150, "group", orders=(MARKET, *EXITS), kind="bracket")

CASES = (
    Given(
        "expired_after_the_event",
        "quotes",
        [limit(1, 990, tif="gtd", expires=180)],
        [],
        [fill(200, 1, 10, 990, "maker")],
    ),
    Given(
        "crossed_within_the_fund",
        "bars",
        [MARKET],
        [fill(200, 1, 10, 1_005, "none")],
        [fill(200, 1, 10, 1_000)],
    ),
    Given(
        "amended_to_what_is_filled",
        "quotes",
        [
            limit(1, 990),
            Command(250, "amend", id=1, quantity=4),
        ],
        [fill(200, 1, 4, 990, "maker"), fill(300, 1, 6, 990, "maker")],
        [fill(200, 1, 4, 990, "maker")],
    ),
    Given(
        "post_only_amended",
        "quotes",
        [limit(1, 980, post_only=True), Command(250, "amend", id=1, limit=990)],
        [],
        [fill(300, 1, 10, 980, "maker")],
        ends=((1, "post_only"),),
    ),
    Given(
        "immediate_in_a_bar",
        "bars",
        [limit(1, 995, tif="ioc")],
        [fill(200, 1, 10, 995, "maker")],
        [],
    ),
    Given(
        "rested_at_the_open",
        "bars",
        [limit(1, 1_002)],
        [fill(300, 1, 10, 1_000)],
        [fill(300, 1, 10, 1_002, "maker")],
    ),
    Given(
        "triggered_limit_at_its_trigger",
        "quotes",
        [STOP_LIMIT],
        [fill(200, 1, 10, 985)],
        [fill(200, 1, 10, 984)],
    ),
    Given(
        "triggered_limit_waits_for_a_trade",
        "trades",
        [replace(STOP_LIMIT, type="limit_if_touched", trigger=990, limit=990)],
        [],
        [fill(200, 1, 10, 990)],
    ),
    Given(
        "triggered_limit_without_a_queue",
        "books",
        [replace(STOP_LIMIT, limit=980)],
        [],
        [fill(200, 1, 5, 980, "maker")],
    ),
    Given(
        "trail_rounded_to_the_digit",
        "quotes",
        [replace(TRAIL, trail_unit="bps")],
        [fill(200, 1, 10, 985)],
        [],
    ),
    Given("trade_shown_as_quote", "books", [TRAIL], [], [fill(200, 1, 10, 1_000)]),
    Given(
        "resting_fill_moves_the_quote",
        "quotes",
        [limit(1, 990), limit(2, 988)],
        [fill(200, 1, 5, 990, "maker"), fill(200, 2, 5, 988, "maker")],
        [fill(200, 1, 5, 990, "maker")],
    ),
    Given(
        "linked_order_outlives_its_pair",
        "quotes",
        [Command(150, "group", orders=EXITS, kind="pair")],
        [replace(fill(150, 2, 10, 990), side="sell")],
        [
            replace(fill(150, 2, 10, 990), side="sell"),
            replace(fill(200, 3, 10, 1_100, "maker"), side="sell"),
        ],
        ends=((3, "linked"),),
    ),
    Given(
        "exit_enters_at_the_extreme",
        "bars",
        [Command(150, "group", orders=(limit(1, 996), *EXITS), kind="bracket")],
        [fill(200, 1, 10, 996, "maker"), replace(fill(200, 2, 10, 995), side="sell")],
        [fill(200, 1, 10, 996, "maker"), replace(fill(200, 2, 10, 990), side="sell")],
    ),
    Given(
        "reduce_only_grows",
        "quotes",
        [limit(1, 990, reduce_only=True)],
        [fill(200, 1, 10, 990, "maker")],
        [fill(200, 1, 15, 990, "maker")],
    ),
    Given(
        "exit_without_its_entry",
        "quotes",
        [BRACKET],
        [],
        [replace(fill(200, 3, 10, 980), side="sell")],
        ends=((3, "linked"),),
    ),
    Given(
        "rest_fills_a_tick_worse",
        "quotes",
        [replace(MARKET, quantity=15)],
        [fill(150, 1, 10, 1_000)],
        [fill(150, 1, 10, 1_000), fill(150, 1, 5, 1_001)],
    ),
    Given("rest_never_fills", "quotes", [MARKET], [fill(200, 1, 10, 985)], []),
    Given(
        "killed_order_uses_liquidity",
        "quotes",
        [replace(limit(2, 1_000), tif="fok", quantity=50), replace(MARKET, tif="ioc")],
        [fill(151, 1, 10, 1_000)],
        [],
    ),
    Given(
        "same_size_is_not_new",
        "quotes",
        [limit(1, 990)],
        [fill(200, 1, 10, 990, "maker")],
        [fill(200, 1, 2, 990, "maker")],
        tags=("repeats",),
    ),
    Given(
        "child_waits_for_a_trade",
        "trades",
        [BRACKET],
        [fill(200, 1, 10, 990)],
        [fill(200, 1, 10, 990), replace(fill(200, 2, 10, 990), side="sell")],
    ),
    Given(
        "trade_is_shared",
        "trades",
        [replace(MARKET, tif="ioc"), Order(2, 0, "sell", 10, tif="ioc")],
        [replace(fill(200, 2, 10, 990), side="sell")],
        [fill(200, 1, 10, 990), replace(fill(200, 2, 10, 990), side="sell")],
    ),
    Given(
        "who_goes_first",
        "quotes",
        [limit(1, 990), limit(2, 988)],
        [fill(200, 1, 6, 990, "maker"), fill(200, 2, 4, 988, "maker")],
        [fill(200, 1, 4, 990, "maker"), fill(200, 2, 6, 988, "maker")],
    ),
    Given(
        "cancelled_ahead",
        "books",
        [limit(1, 990)],
        [fill(200, 1, 5, 990, "maker")],
        [fill(200, 1, 2, 990, "maker")],
        tags=("cancels",),
    ),
)


def test_every_rule_has_a_case() -> None:
    assert [given.rule for given in CASES] == [rule.name for rule in RULES]


@pytest.mark.parametrize("given", CASES, ids=lambda given: given.rule)
def test_the_rule_explains_its_case(given: Given) -> None:
    found = classify(case(given))
    assert found is not None
    assert found.name == given.rule


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([fill(150, 1, 10, 1_000)], [fill(150, 1, 10, 1_002)]),
        ([fill(150, 1, 10, 1_000)], [fill(151, 1, 10, 1_000)]),
        ([], [fill(150, 1, 10, 1_000)]),
        ([fill(150, 1, 10, 1_000, "maker")], [fill(150, 1, 10, 1_000)]),
    ],
)
@pytest.mark.parametrize("kind", ["bars", "quotes", "trades", "books"])
def test_a_market_order_that_fills_otherwise_is_not_explained(
    kind: Kind, ours: list[Fill], theirs: list[Fill]
) -> None:
    given = Given("", kind, [replace(MARKET, tif="ioc")], ours, theirs)
    assert classify(case(given)) is None


def test_equity_that_differs_is_never_explained() -> None:
    given = Given("", "quotes", [MARKET], [fill(150, 1, 10, 1_000)], [])
    whole = case(given)
    difference = replace(whole.difference, what="equity")
    assert classify(replace(whole, difference=difference)) is None


def test_the_page_has_a_heading_for_each_rule() -> None:
    page = (Path(__file__).parents[4] / "docs" / "validation.md").read_text("utf-8")
    named = [line.removeprefix("### ").strip("`") for line in page.splitlines() if "### `" in line]
    assert named == [rule.name for rule in RULES]
    for rule in RULES:
        section = page.split(f"### `{rule.name}`\n", 1)[1].split("\n#", 1)[0]
        who = {"ours": "**Ours is right.**", "theirs": "**Theirs is right.**"}
        assert who.get(rule.right, "**Either.**") in section
