"""What recorded inputs are, seen without decoding them: most of a journal are prices."""

import re

__all__ = ["ends_day", "is_market", "is_operator", "is_price", "is_report"]

# An input is a header of 13 bytes, four numbers of at most 9 bytes, and a map of one name. Names
# come with their length before them, and are too long to be met in a number by chance.
_NAME_AT, _NAME_END = 13, 64
_PRICE = re.compile(rb"\x81(?:\xa5quote|\xa5trade|\xaabook_level|\xacbook_cleared)")
_REPORT = re.compile(rb"\x81\xa6report")
_OPERATOR = re.compile(rb"\x81\xa8operator")
_DAY = re.compile(rb"\x81\xa9day_ended")
_NOT_MARKET = re.compile(
    rb"\x81(?:\xa6report|\xa8operator|\xb0target_portfolio|\xacsubmit_order|\xabsubmit_list"
    rb"|\xabamend_order|\xadreplace_order|\xaccancel_order|\xb2activate_semantics)"
)


def is_market(payload: bytes) -> bool:
    """Whether an input is neither a decision, nor a report, nor an operator's."""
    return _NOT_MARKET.search(payload, _NAME_AT, _NAME_END) is None


def is_price(payload: bytes) -> bool:
    """Whether it is a quote, a trade, or of a book."""
    return _PRICE.search(payload, _NAME_AT, _NAME_END) is not None


def is_report(payload: bytes) -> bool:
    """Whether it is what a venue said of an order or a trade."""
    return _REPORT.search(payload, _NAME_AT, _NAME_END) is not None


def is_operator(payload: bytes) -> bool:
    """Whether it is an operator's."""
    return _OPERATOR.search(payload, _NAME_AT, _NAME_END) is not None


def ends_day(payload: bytes) -> bool:
    """Whether it ends a day."""
    return _DAY.search(payload, _NAME_AT, _NAME_END) is not None
