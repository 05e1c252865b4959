"""Words for people beside the venue's short codes."""

__all__ = ["reason_text"]

_WORDS = {
    "cash": "the account does not have the money for it",
    "no_short": "the account does not have so much to sell",
    "margin": "the account does not have the margin for it",
    "locate": "there is nothing to borrow for a short sale",
    "lot": "the quantity must be positive and whole lots",
    "tick": "a price is missing, or must not be there, or is no whole tick",
    "form": "these terms do not go together",
    "trigger": "the trigger is missing, or must not be there, or is no whole tick",
    "time_in_force": "this kind of order does not go with this time in force",
    "needs_data": "this instrument does not have the data that the order needs",
    "needs_ohlc": "this instrument does not have the data that the order needs",
    "post_only": "post-only goes with limit orders that may rest",
    "reduce_only": "it would open or enlarge a position",
    "halted": "the instrument is halted; such an order cannot wait",
    "no_price": "the instrument has no price yet",
    "no_rate": "a currency of the account has no price yet",
    "not_listed": "the instrument is not listed now",
    "price_band": "the price is too far away",
    "finished": "the order is finished, or was never there",
    "unknown": "there is no such order",
}


def reason_text(code: str) -> str:
    """Say a code in words.

    Examples
    --------
    >>> reason_text("cash")
    'the account does not have the money for it'
    """
    return _WORDS.get(code, code.replace("_", " "))
