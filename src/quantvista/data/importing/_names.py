"""Names that others give to our columns, and to instruments."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import check_instrument_id

__all__ = ["COINS", "TIMES", "Names", "find_columns", "id_of", "of_file_name", "plain", "venue_of"]

TIMES = (
    "ts_event",
    "ts",
    "timestamp",
    "datetime",
    "date_time",
    "open_time",
    "time",
    "transact_time",
    "date",
    "day",
    "dates",
    "trade_date",
    "session",
    "created_at",
    "published_at",
    "period_end",
    "fiscal_date_ending",
    "observation_date",
    "unnamed",
)
"""Names of columns of times, the surest first."""

_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "instrument": (
            *("instrument", "symbol", "ticker", "sym", "code", "asset", "pair"),
            *("stock", "series_id", "country"),
        ),
        "venue": ("exchange", "venue", "mic"),
        "ts_received": ("ts_received", "received_at", "recv_ns"),
        "known_at": (
            *("known_at", "vintage", "vintage_date", "realtime_start", "published", "released"),
            *("release_date", "filed", "filing_date", "report_date"),
        ),
        "open": ("open", "open_e4", "o", "open_price"),
        "high": ("high", "high_e4", "h", "high_price"),
        "low": ("low", "low_e4", "l", "low_price"),
        "close": (
            "close",
            "close_e4",
            "c",
            "close_price",
            "adj_close",
            "adjclose",
            "price",
            "last",
        ),
        "volume": ("volume", "vol", "v"),
        "bid": ("bid", "bid_e4", "bid_price"),
        "bid_size": ("bid_size", "bid_qty", "bid_volume"),
        "ask": ("ask", "ask_e4", "ask_price", "offer"),
        "ask_size": ("ask_size", "ask_qty", "ask_volume"),
        "price": ("price", "price_e4", "p"),
        "size": ("size", "qty", "quantity", "amount"),
        "aggressor": ("aggressor", "side", "taker_side"),
        "buyer_maker": ("is_buyer_maker", "isbuyermaker"),
        "text": ("text", "title", "headline", "body", "content", "tweet"),
        "field": ("field", "item", "metric", "concept", "indicator"),
        "value": ("value",),
        "rate": ("rate", "funding_rate"),
        "sector": ("sector", "gics_sector"),
        "name": ("name", "security", "company", "company_name"),
        "expiry": ("expiry", "expiration", "expiration_date"),
        "right": ("right", "option_type", "call_put", "cp_flag"),
        "strike": ("strike", "strike_price"),
        **{
            f"{side}_{price}": (f"{side}_{price}", f"{side}{price}")
            for side in ("bid", "ask")
            for price in ("open", "high", "low", "close")
        },
    }
)
_VENUES: Mapping[str, str] = MappingProxyType(
    {
        "NASDAQ": "XNAS",
        "NYSE": "XNYS",
        "AMEX": "XASE",
        "NYSEAMERICAN": "XASE",
        "NYSE AMERICAN": "XASE",
        "NYSEMKT": "XASE",
        "NYSEARCA": "ARCX",
        "NYSE ARCA": "ARCX",
        "BATS": "BATS",
        "LSE": "XLON",
    }
)
COINS = ("USDT", "USDC", "BUSD", "TUSD", "FDUSD", "USD", "EUR", "GBP", "BTC", "ETH", "BNB")
_TIMEFRAME = re.compile(r"(\d+)([smhdw])")
_SECONDS: Mapping[str, int] = MappingProxyType(
    {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
)


def plain(name: str) -> str:
    """Write a name as columns of ours are written.

    Examples
    --------
    >>> plain(" GICS Sub-Industry ")
    'gics_sub_industry'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_") or "column"


def find_columns(columns: Sequence[str], given: Mapping[str, str], where: str) -> dict[str, str]:
    """Find the file's names of our columns.

    Parameters
    ----------
    columns : sequence of str
        Of the file.
    given : mapping of str to str
        What was said: ours to theirs, empty for none.
    where : str
        The file.

    Returns
    -------
    dict of str to str
        Ours to theirs. A column of the file may have several names of ours.

    Raises
    ------
    ConfigError
        If what was said is not in the file.
    """
    for ours, theirs in given.items():
        if theirs and theirs not in columns:
            found = ", ".join(columns)
            raise ConfigError(
                f"`columns` {ours} must be a column of {where}; found {theirs!r}, there are {found}"
            )
    by_name: dict[str, str] = {}
    for name in columns:
        by_name.setdefault(plain(name), name)
    found_names: dict[str, str] = {}
    for ours, names in _NAMES.items():
        if ours in given:
            if given[ours]:
                found_names[ours] = given[ours]
            continue
        same = next((by_name[name] for name in names if name in by_name), None)
        if same is None and ours in ("volume", "sector"):
            start = "gics_sector" if ours == "sector" else "volume_"
            same = next((of for name, of in by_name.items() if name.startswith(start)), None)
        if same is not None:
            found_names[ours] = same
    return found_names


def venue_of(text: str | None) -> str | None:
    """Name of a venue as ids have it.

    Examples
    --------
    >>> venue_of("NASDAQ"), venue_of("Coinbase Pro")
    ('XNAS', 'COINBASEPRO')
    """
    if text is None or not text.strip():
        return None
    name = text.strip().upper()
    return _VENUES.get(name) or re.sub(r"[^A-Z0-9]", "", name) or None


def id_of(name: str | None, venue: str | None) -> str | None:
    """Id of an instrument from its name in a file; None where it can be none.

    Signs that an id does not have become dashes, but letters of other alphabets none: too many
    names would be one. Of a name without a venue, one letter at the end is a class of shares.

    Examples
    --------
    >>> id_of("xrp/eth", "BINANCE"), id_of("AAPL.XNAS", None), id_of("AAPL", None)
    ('XRP-ETH.BINANCE', 'AAPL.XNAS', None)
    >>> id_of("BRK.B", "XNYS"), id_of("BRK.B", None)
    ('BRK.B.XNYS', None)
    """
    if name is None or not name.strip():
        return None
    text = name.strip().upper()
    if not text.isascii() or (venue is None and re.search(r"\.[A-Z]$", text)):
        return None
    made = re.sub(r"[^A-Z0-9._&]+", "-", text).strip("-._&")
    if venue and not made.endswith(f".{venue}"):
        made = f"{made}.{venue}"
    try:
        return check_instrument_id(made)
    except ConfigError:
        return None


class Names:
    """Names that became ids, so that no two of them become one.

    Parameters
    ----------
    where : str
        What messages call the place of the names.
    claim : callable or None
        Told of each id and its name once, and may refuse it.
    """

    def __init__(self, where: str, claim: Callable[[str, str], None] | None = None) -> None:
        self._where = where
        self._claim = claim
        self._names: dict[str, str] = {}

    def id_of(self, name: str | None, venue: str | None) -> str | None:
        """As `id_of`.

        Raises
        ------
        MarketDataError
            If another name has that id.
        """
        found = id_of(name, venue)
        if found is not None and name is not None:
            self.add(found, name)
        return found

    def add(self, made: str, name: str) -> None:
        """Note the name of an id; upper and lower case are one.

        Raises
        ------
        MarketDataError
            If another name has that id.
        """
        name = name.strip().upper()
        other = self._names.get(made)
        if other is None:
            if self._claim is not None:
                self._claim(made, name)
            self._names[made] = name
        elif other != name:
            raise MarketDataError(
                f"{self._where}: names must stay apart; found {other!r} and {name!r}, which would "
                f"both be {made}: rename one, or import them one by one with --instrument"
            )


def of_file_name(stem: str) -> tuple[str | None, int | None]:
    """Symbol and seconds of a bar that the name of a file says.

    Parameters
    ----------
    stem : str
        Such as ``AAPL.XNAS``, ``XRP_USDT_USDT-1h-futures`` (freqtrade), ``BTCUSDT-1m-2024-01``
        (Binance), ``20131007_spy_minute_trade`` or ``aapl`` (LEAN).

    Returns
    -------
    (str or None, int or None)
        ``SYMBOL`` or ``SYMBOL.VENUE``, and seconds.

    Examples
    --------
    >>> of_file_name("XRP_USDT_USDT-1h-futures"), of_file_name("BTCUSDT-1m-2024-01")
    (('XRP-USDT-PERP', 3600), ('BTC-USDT', 60))
    >>> of_file_name("20131007_spy_minute_trade"), of_file_name("AAPL.XNAS")
    (('SPY', 60), ('AAPL.XNAS', None))
    """
    if lean := re.fullmatch(r"\d{8}_([a-z0-9.]+)_(minute|second|tick)_(trade|quote)", stem.lower()):
        return lean[1].upper(), {"minute": 60, "second": 1, "tick": None}[lean[2]]
    head, *rest = stem.split("-")
    span = next((_TIMEFRAME.fullmatch(part) for part in rest if _TIMEFRAME.fullmatch(part)), None)
    seconds = int(span[1]) * _SECONDS[span[2]] if span else None
    known = span or any(part in ("trades", "aggTrades") for part in rest)
    if known and "_" in head:
        parts = head.upper().removeprefix("FREQTRADE_").split("_")
        futures = len(parts) == 3
        if len(parts) not in (2, 3):
            return None, seconds
        return "-".join([*parts[:2], *(["PERP"] if futures else [])]), seconds
    if known:
        quote = next((each for each in COINS if head.upper().endswith(each)), None)
        if quote and len(head) > len(quote):
            return f"{head.upper().removesuffix(quote)}-{quote}", seconds
    if re.fullmatch(r"[A-Za-z0-9^&-]{1,12}(\.[A-Z][A-Z0-9]*)?", stem):
        return stem.upper(), None
    return None, seconds
