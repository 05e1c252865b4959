"""Differences that are known: each rule has a name, says who is right and why, and is recognised.

``docs/validation.md`` explains each at length; a test holds the page to this list. The first rule
that holds names a difference, so those that ask for more come first.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from quantvista.backtest.validate._case import Case, any_order
from quantvista.backtest.validate._result import Fill
from quantvista.backtest.validate._session import CONDITIONAL, LIMITED, PASSIVE, Order

__all__ = ["RULES", "Case", "Rule", "classify"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A known difference.

    Parameters
    ----------
    name : str
        Its heading in ``docs/validation.md``.
    right : {"ours", "theirs", "either"}
        Who decides as a market would; ``either`` where both are conventions.
    why : str
        In a line.
    holds : callable
        Whether it explains a difference.
    """

    name: str
    right: Literal["ours", "theirs", "either"]
    why: str
    holds: Callable[[Case], bool]


def classify(case: Case) -> Rule | None:
    """Find the rule that explains a difference, if there is one.

    Parameters
    ----------
    case : Case
        The difference.

    Returns
    -------
    Rule or None
        The first that holds.
    """
    return next((rule for rule in RULES if rule.holds(case)), None)


def _quantity(fills: list[Fill]) -> int:
    return sum(fill.quantity for fill in fills)


def _expired(case: Case, order: Order) -> bool:
    late = order.expires is not None and case.ts >= order.expires
    return late and bool(case.other(order)) and not case.mine(order)


def _crossed(case: Case, order: Order) -> bool:
    return any(fill.liquidity == "none" for fill in case.mine(order))


def _amended_to_fills(case: Case, order: Order) -> bool:
    done = _quantity([fill for fill in case.theirs.fills if fill.order == order.id])
    return any(
        each.quantity is not None and each.quantity <= done for each in case.amendments(order)
    )


def _post_only_amended(case: Case, order: Order) -> bool:
    end = case.ours.ends.get(order.id)
    ended = end is not None and end.reason == "post_only"
    return ended and bool(case.amendments(order)) and bool(case.other(order))


def _immediate_in_a_bar(case: Case, order: Order) -> bool:
    mine = case.mine(order)
    resting = bool(mine) and all(fill.liquidity == "maker" for fill in mine)
    immediate = case.session.kind == "bars" and order.tif in ("ioc", "fok")
    return immediate and resting and not case.other(order)


def _rested_at_the_open(case: Case, order: Order) -> bool:
    row, mine = case.row(order), case.mine(order)
    if row.kind != "bar" or order.limit is None or not mine:
        return False
    rested = case.command(order).ts < row.ts - case.session.bar_ns
    return rested and all(fill.price == row.a and fill.liquidity == "taker" for fill in mine)


def _limit_at_its_trigger(case: Case, order: Order) -> bool:
    """Both fill a triggered limit, NautilusTrader at the trigger or later than we do."""
    if order.type not in LIMITED:
        return False
    if case.session.kind == "bars":
        return bool(case.mine(order)) or bool(case.other(order))
    low, high = sorted((order.limit or 0, order.trigger or 0))
    between = any(low <= fill.price <= high for fill in case.other(order))
    return between and bool(case.mine(order))


def _triggered_by_a_trade(case: Case, order: Order) -> bool:
    differs = bool(case.other(order)) or bool(case.mine(order))
    return case.session.kind == "trades" and order.type in LIMITED and differs


def _no_queue(case: Case, order: Order) -> bool:
    resting = bool(case.other(order)) and all(
        fill.liquidity == "maker" for fill in case.other(order)
    )
    more = _quantity(case.other(order)) > _quantity(case.mine(order))
    return case.session.models.queue_position and order.type in LIMITED and resting and more


def _trail_rounded(case: Case, order: Order) -> bool:
    return order.type == "trailing_stop" and order.trail_unit == "bps"


def _trade_as_quote(case: Case, order: Order) -> bool:
    """Something that follows or waits for the quote, on a book with trades."""
    watching = order.type in ("trailing_stop", "market_if_touched", "limit_if_touched")
    sent = case.command(order).ts
    traded = any(
        row.kind == "trade" and row.instrument == order.instrument and sent < row.ts <= case.ts
        for row in case.session.tape
    )
    return case.session.kind == "books" and watching and traded


def _behind_a_resting_fill(case: Case, order: Order) -> bool:
    """We fill an order that NautilusTrader leaves, where it filled one before it in its list."""
    waiting = order.type in PASSIVE and bool(case.mine(order)) and not case.other(order)
    return waiting and any(
        _moves_the_quote(case, fill) for fill in case.of(case.difference.theirs, order)
    )


def _moves_the_quote(case: Case, fill: Fill) -> bool:
    """Look whether a fill was of an order with a limit that the market came to."""
    order = case.session.orders()[fill.order]
    return fill.liquidity == "maker" or order.type in LIMITED


def _trails_a_resting_fill(case: Case, order: Order) -> bool:
    sent = case.command(order).ts
    return order.type == "trailing_stop" and any(
        _moves_the_quote(case, fill) for fill in case.before(case.theirs.fills, order, sent)
    )


def _meets_a_resting_fill(case: Case, order: Order) -> bool:
    """Look for a resting fill before an order came, or an order that fills in parts beside it.

    NautilusTrader's quote then stands at the limit of that other order until the next event.
    """
    sent = case.command(order).ts
    row = case.row(order)
    resting = [
        fill
        for fill in case.before(case.theirs.fills, order, row.ts)
        if fill.order != order.id and (_moves_the_quote(case, fill) or _rests(case, fill))
    ]
    at_once = any(fill.ts == case.ts for fill in case.other(order))
    fresh = sent >= row.ts or (order.type in CONDITIONAL and at_once and not case.mine(order))
    return fresh and bool(resting)


def _rests(case: Case, fill: Fill) -> bool:
    """Whether the order of a fill had something left that rests."""
    order = case.session.orders()[fill.order]
    done = [each for each in case.theirs.fills if each.order == order.id and each.ts <= case.ts]
    return (
        order.type in PASSIVE
        and order.tif not in ("ioc", "fok")
        and (_quantity(done) < order.quantity)
    )


def _outlives(case: Case, order: Order) -> bool:
    """NautilusTrader fills one of a pair whose other filled when it came."""
    end = case.ours.ends.get(order.id)
    linked = end is not None and end.reason == "linked"
    return case.command(order).kind == "pair" and linked and bool(case.other(order))


def _enters_at_the_extreme(case: Case, order: Order) -> bool:
    """Look for an exit in the bar in which a resting entry released it."""
    command = case.command(order)
    if case.session.kind != "bars" or command.kind != "bracket" or order is command.orders[0]:
        return False
    entry = command.orders[0].id
    return any(f.order == entry and f.liquidity == "maker" for f in case.difference.theirs)


def _grown(case: Case, order: Order) -> bool:
    """NautilusTrader fills more of a resting reduce-only order than was ever asked for."""
    asked = max(order.quantity, *(each.quantity or 0 for each in case.amendments(order)), 0)
    done = _quantity([fill for fill in case.theirs.fills if fill.order == order.id])
    return order.reduce_only and done > asked


def _orphan(case: Case, order: Order) -> bool:
    """NautilusTrader fills an exit whose entry has no fill."""
    command = case.command(order)
    if command.kind != "bracket" or order is command.orders[0] or case.mine(order):
        return False
    entry = command.orders[0].id
    return bool(case.other(order)) and not any(f.order == entry for f in case.theirs.fills)


def _slipped_a_tick(case: Case, order: Order) -> bool:
    """NautilusTrader fills what is more than the quote or trade shows one tick further."""
    if case.session.kind not in ("quotes", "trades"):
        return False
    first, rest = case.other(order)[:1], case.other(order)[1:]
    worse = case.tick(order) if order.side == "buy" else -case.tick(order)
    return bool(first) and any(fill.price == first[0].price + worse for fill in rest)


def _never_filled(case: Case, order: Order) -> bool:
    """We fill the rest of an order without a limit later, NautilusTrader never."""
    open_ended = order.type not in ("limit", *LIMITED) and order.tif not in ("ioc", "fok")
    return (
        open_ended
        and bool(case.mine(order))
        and not any(fill.order == order.id and fill.ts >= case.ts for fill in case.theirs.fills)
    )


def _killed(case: Case, order: Order) -> bool:
    """Look for a fill-or-kill order of the same side that both systems killed before."""
    if not case.session.models.liquidity_consumption or not _worse(case, order):
        return False
    return any(
        each.tif == "fok"
        and each.instrument == order.instrument
        and each.side == order.side
        and case.command(each).ts <= case.ts
        and not any(fill.order == each.id for fill in case.theirs.fills)
        for each in case.session.orders().values()
    )


def _worse(case: Case, order: Order) -> bool:
    """Look whether NautilusTrader fills less of an order, or at worse prices."""
    ours, theirs = case.mine(order), case.other(order)
    if _quantity(theirs) != _quantity(ours):
        return _quantity(theirs) < _quantity(ours)
    paid = sum(fill.quantity * fill.price for fill in theirs)
    more = paid - sum(fill.quantity * fill.price for fill in ours)
    return more > 0 if order.side == "buy" else more < 0


def _same_size(case: Case, order: Order) -> bool:
    less = _quantity(case.other(order)) < _quantity(case.mine(order))
    return "repeats" in case.session.tags and less


def _child_waits(case: Case, order: Order) -> bool:
    """Look whether it is an exit, or one of a linked pair, on trades."""
    command = case.command(order)
    child = command.do == "group" and order in command.orders[command.kind == "bracket" :]
    return case.session.kind == "trades" and child


def _shares_a_trade(case: Case, order: Order) -> bool:
    row = case.row(order)
    if case.session.kind != "trades" or row.kind != "trade":
        return False
    there = [
        _quantity([fill for fill in fills if case.instrument(fill) == order.instrument])
        for fills in (case.difference.ours, case.difference.theirs)
    ]
    return there[0] <= row.b < there[1]


def _goes_first(case: Case, order: Order) -> bool:
    ours, theirs = (
        case.of(fills, order) for fills in (case.difference.ours, case.difference.theirs)
    )
    by_order = [Counter[int](), Counter[int]()]
    for counts, fills in zip(by_order, (ours, theirs), strict=True):
        for fill in fills:
            counts[fill.order] += fill.quantity
    return by_order[0] != by_order[1] and _quantity(ours) == _quantity(theirs)


def _cancelled_ahead(case: Case, order: Order) -> bool:
    more = _quantity(case.mine(order)) > _quantity(case.other(order))
    shrinks = case.session.models.queue_position and "cancels" in case.session.tags
    return shrinks and order.limit is not None and more


RULES: tuple[Rule, ...] = (
    Rule(
        "expired_after_the_event",
        "ours",
        "NautilusTrader matches the first event after an order's expiry before it expires it",
        any_order(_expired, alive=False),
    ),
    Rule(
        "crossed_within_the_fund",
        "either",
        "opposite market orders meet at the close without a fee before they go to the market",
        any_order(_crossed),
    ),
    Rule(
        "amended_to_what_is_filled",
        "either",
        "we refuse to lower an order to what it has filled, NautilusTrader cancels the rest",
        any_order(_amended_to_fills, alive=False),
    ),
    Rule(
        "post_only_amended",
        "either",
        "an amended post-only order that would take is cancelled; there the change is refused",
        any_order(_post_only_amended, alive=False),
    ),
    Rule(
        "immediate_in_a_bar",
        "either",
        "immediate is a whole bar for us, and its first price for NautilusTrader",
        any_order(_immediate_in_a_bar, alive=False),
    ),
    Rule(
        "rested_at_the_open",
        "ours",
        "an opening at or beyond a resting limit fills at the opening price, as an auction does",
        any_order(_rested_at_the_open),
    ),
    Rule(
        "triggered_limit_at_its_trigger",
        "ours",
        "NautilusTrader fills a triggered limit at its trigger price, which nobody may have shown",
        any_order(_limit_at_its_trigger),
    ),
    Rule(
        "triggered_limit_waits_for_a_trade",
        "either",
        "on trades a triggered limit meets the next trade, there the one that triggered it",
        any_order(_triggered_by_a_trade),
    ),
    Rule(
        "triggered_limit_without_a_queue",
        "ours",
        "in NautilusTrader a limit that was triggered has nobody before it in the book",
        any_order(_no_queue),
    ),
    Rule(
        "trail_rounded_to_the_digit",
        "ours",
        "percent trails are rounded to whole ticks here, to digits of a float there",
        any_order(_trail_rounded),
    ),
    Rule(
        "trade_shown_as_quote",
        "ours",
        "while NautilusTrader matches a trade of a book, triggers see its price as the quote",
        any_order(_trade_as_quote),
    ),
    Rule(
        "resting_fill_moves_the_quote",
        "ours",
        "a resting fill sets NautilusTrader's own quote to the limit until the next event",
        any_order(
            lambda case, order: (
                _behind_a_resting_fill(case, order)
                or _trails_a_resting_fill(case, order)
                or _meets_a_resting_fill(case, order)
            )
        ),
    ),
    Rule(
        "linked_order_outlives_its_pair",
        "ours",
        "where the first of a pair fills as it comes, NautilusTrader still takes the second",
        any_order(_outlives, alive=False),
    ),
    Rule(
        "exit_enters_at_the_extreme",
        "ours",
        "an entry that rested in a bar releases its exits at its limit, there at the high or low",
        any_order(_enters_at_the_extreme, alive=False),
    ),
    Rule(
        "reduce_only_grows",
        "ours",
        "NautilusTrader sets resting reduce-only orders to the size of the position at each fill",
        any_order(_grown, alive=False),
    ),
    Rule(
        "exit_without_its_entry",
        "ours",
        "where an entry meets nothing its exits end with it; in NautilusTrader they work",
        any_order(_orphan, alive=False),
    ),
    Rule(
        "rest_fills_a_tick_worse",
        "ours",
        "what is more than the quote shows fills one tick further there, whatever its size",
        any_order(_slipped_a_tick),
    ),
    Rule(
        "rest_never_fills",
        "ours",
        "the rest of a market order that met nothing is forgotten there, and waits here",
        any_order(_never_filled),
    ),
    Rule(
        "killed_order_uses_liquidity",
        "ours",
        "in NautilusTrader a fill-or-kill order uses up what it would have taken, though killed",
        any_order(_killed),
    ),
    Rule(
        "same_size_is_not_new",
        "ours",
        "a quote or trade that repeats price and size brings nothing new in NautilusTrader",
        any_order(_same_size),
    ),
    Rule(
        "child_waits_for_a_trade",
        "either",
        "exits that a trade released wait for the next one; NautilusTrader fills them by the same",
        any_order(_child_waits, alive=False),
    ),
    Rule(
        "trade_is_shared",
        "ours",
        "all our orders share one trade; there both sides have the whole of it",
        any_order(_shares_a_trade),
    ),
    Rule(
        "who_goes_first",
        "either",
        "of orders that share an offer, ours without a limit go first; there the best price does",
        any_order(_goes_first),
    ),
    Rule(
        "cancelled_ahead",
        "either",
        "a level that shrinks below our place brings us forward; there only its trades do",
        any_order(_cancelled_ahead),
    ),
)
