"""What a file is: its kind, its columns, its times, and whose rows they are."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from quantvista.data.importing._convert import decimals
from quantvista.data.importing._layouts import NEEDED, OHLC, PRICES, VALUES, without_header
from quantvista.data.importing._names import TIMES, find_columns, of_file_name, plain
from quantvista.data.importing._options import ImportOptions
from quantvista.data.importing._source import UNNAMED, Source
from quantvista.data.importing._time import Time, closes, guess_time, parse_time
from quantvista.data.importing._understanding import Understanding
from quantvista.data.importing._whose import find_whose
from quantvista.errors import MarketDataError

__all__ = ["understand_source"]

_OURS = ("row", "ts_event")  # columns that rows have of their own on their way
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "trades": ("aggressor", "buyer_maker"),
    "news": ("text",),
    "fundamentals": ("field",),
    "series": ("field",),
    "quote_bars": ("expiry", "right", "strike"),
    "quotes": ("expiry", "right", "strike"),
}
_DAY_S = 86_400
_SPANS = ((300, "1y"), (80, "3mo"), (27, "1mo"), (6, "1w"), (0, "1d"))  # by days between stamps
_DECI_CENTS = 10_000.0
_STRICT = ("levels", "orders", "auctions", "statuses", "rates")


def understand_source(source: Source, options: ImportOptions) -> Understanding:
    """Guess how a file is to be read; what was said comes first.

    Parameters
    ----------
    source : Source
        The file.
    options : ImportOptions
        What was said.

    Returns
    -------
    Understanding
        Complete: nothing is guessed later.

    Raises
    ------
    MarketDataError
        If it cannot be guessed; the message says what to say.
    """
    sample = source.sample()
    renamed, constants = without_header(source, sample)
    if renamed.get("column_1") == "price factor":
        return _factors(source, options)
    sample = sample.rename(renamed).with_columns(**{k: pl.lit(v) for k, v in constants.items()})
    columns = find_columns(sample.columns, options.columns, source.where)
    time = _time(sample, options, source)
    said = "bars" if options.columns.get("close") else None
    kind = options.kind or said or _kind(source, sample, columns, time, options.time_format)
    base = Understanding(
        source.where,
        source.format,
        kind,
        time=time,
        venue=options.venue,
        delay_s=options.delay_s,
        known_at=options.known_at,
        decimal=options.decimal or "",
        renamed=renamed,
        constants=constants,
    )
    reader = _reader(kind, sample, columns)
    if reader:
        return _with_reader(base, source, sample, options, reader)
    made = _layout(base, source, sample, columns, options.kind is not None)
    made = replace(made, times=_more_times(made, sample, options))
    made = find_whose(made, source, sample, options)
    made = _scaled(made, sample, options)
    if made.kind in ("bars", "quote_bars", "quotes", "trades", "funding"):
        return _stamped(made, source, sample, options)
    if made.time is None and made.known_at is None:
        raise MarketDataError(
            f"{source.where}: a table of {kind} without times must say when it became known: "
            f"--known-at 2024-01-31; columns are {', '.join(sample.columns)}"
        )
    return _spanned(made, sample) if made.kind == "series" else made


def _factors(source: Source, options: ImportOptions) -> Understanding:
    if options.instrument is None:
        raise MarketDataError(
            f"{source.where}: a factor file must say whose it is: --instrument AAPL.XNAS"
        )
    return Understanding(
        source.where,
        source.format,
        "actions",
        "reader",
        instrument=options.instrument,
        calendar=options.calendar or "XNYS",
        known_at=options.known_at,
        reader="factors",
        guessed=("splits and dividends of LEAN's factors, known at the open of their ex-date",),
    )


def _time(sample: pl.DataFrame, options: ImportOptions, source: Source) -> Time | None:
    names = {plain(name): name for name in sample.columns}
    given = next(
        (options.columns[n] for n in ("ts", "date", "ts_event") if options.columns.get(n)), None
    )
    if given is not None:
        time = guess_time(sample[given], options, source.where)
        if time is None:
            raise MarketDataError(
                f"{source.where}: column '{given}' must hold times; found {sample[given][0]!r}: "
                "say --time-format or --unit"
            )
        return time
    if "date" in names and "ms" in names:
        zone = options.time_zone or ""
        return Time(names["date"], "date", zone=zone, of_day=names["ms"])
    clock = names.get("time")
    if "date" in names and clock is not None and sample[clock].dtype == pl.String:
        both = sample[names["date"]].cast(pl.String) + " " + sample[clock]
        found = guess_time(both.alias(names["date"]), options, source.where)
        if found is not None and re.match(r"\s*\d?\d:\d\d", sample[clock].drop_nulls()[0]):
            return replace(found, beside=clock)
    for name in TIMES:
        if name in names and (found := guess_time(sample[names[name]], options, source.where)):
            return found
    return None


def _more_times(
    made: Understanding, sample: pl.DataFrame, options: ImportOptions
) -> dict[str, Time]:
    """When rows were received and known, where columns say it."""
    found = {}
    for name in ("ts_received", "known_at"):
        if name in made.columns:
            theirs = made.columns[name]
            time = guess_time(sample[theirs], options, made.where)
            if time is None:
                raise MarketDataError(
                    f"{made.where}: column '{theirs}' must hold times; found {sample[theirs][0]!r}"
                    f': leave it out with --column {name}=""'
                )
            found[name] = time
    return found


def _kind(
    source: Source,
    sample: pl.DataFrame,
    columns: dict[str, str],
    time: Time | None,
    time_format: str | None,
) -> str:
    """Tell the kind by the columns; the most particular comes first."""
    has = set(columns)
    names = {plain(name) for name in sample.columns}
    if {"bid_close", "ask_close"} <= has:
        return "quote_bars"
    if {"bid", "ask"} <= has:
        return "quotes"
    if {"side", "price", "size"} <= names and names & {"message", "snapshot"}:
        return "levels"
    if {"action", "order_id"} <= names:
        return "orders"
    if {"ex_date", "action"} <= names:
        return "actions"
    if {"open", "high", "low", "close"} <= has:
        return "funding" if "funding_rate" in source.stem else "bars"
    if {"price", "size"} <= has:
        return "trades"
    if {"field", "value"} <= has:
        return "fundamentals" if "instrument" in has and "known_at" in has else "series"
    if "text" in has:
        return "news"
    if time is None and "instrument" in has:
        return "reference"
    if time is not None:
        close = plain(columns.get("close", ""))
        if "close" in columns and (
            close in ("close", "adj_close") or "instrument" in has or len(sample.columns) <= 3
        ):
            return "bars"
        return "bars" if _is_wide(sample, time, source.where) else "series"
    raise MarketDataError(
        f"{source.where}: must have a column of times; found {', '.join(sample.columns)}"
        f"{_unread_time(sample, time_format)}"
    )


def _unread_time(sample: pl.DataFrame, time_format: str | None) -> str:
    """Say what to do where no column holds times that can be read."""
    names = {plain(name): name for name in sample.columns}
    column = next((names[name] for name in TIMES if name in names), None)
    if column is None or not len(known := sample[column].drop_nulls()):
        return ": say --column ts=NAME, or --kind reference or news with --known-at"
    text = f"; '{column}' holds {str(known[0])!r}"
    if time_format is not None:
        return f"{text}, which is not written {time_format}: say another --time-format"
    return f"{text}, which is no known way to write a time: say --time-format '%d/%m/%y %H:%M'"


def _is_wide(sample: pl.DataFrame, time: Time, where: str) -> bool:
    """Whether every column beside the time is called like an instrument and holds prices."""
    others = [name for name in sample.columns if name not in _of_time(time) and name != UNNAMED]
    if not all(re.fullmatch(r"[A-Z0-9^][A-Z0-9.^&=-]*", name) for name in others):
        return False
    for name in others:
        numbers = sample[name].cast(pl.Float64, strict=False).drop_nulls()
        if (numbers <= 0).any():
            found = numbers.filter(numbers <= 0)[0]
            raise MarketDataError(
                f"{where}: column '{name}' is called like an instrument; found {found:g}, which is "
                "no price: say --kind series, or --kind bars if it is one"
            )
    return bool(others)


def _reader(kind: str, sample: pl.DataFrame, columns: dict[str, str]) -> str:
    """Format of ``[[data.events]]`` that decodes such a table; empty for most."""
    names = {plain(name) for name in sample.columns}
    if kind in _STRICT:
        return kind
    if kind == "actions":
        return "actions"
    if {"date", "ms"} <= names and kind in ("quotes", "trades"):
        return f"lean_{kind}"
    if kind == "trades" and {"timestamp", "side", "price", "amount"} <= names:
        return "freqtrade_trades"
    return ""


def _with_reader(
    base: Understanding, source: Source, sample: pl.DataFrame, options: ImportOptions, reader: str
) -> Understanding:
    made = replace(base, layout="reader", reader=reader, columns=dict(options.columns))
    if reader.startswith("lean"):
        made = _zoned(made, sample, options)
    if reader in ("actions", "rates"):
        return made
    return find_whose(made, source, sample, options)


def _zoned(made: Understanding, sample: pl.DataFrame, options: ImportOptions) -> Understanding:
    """Zone of LEAN's days: those of US equities, which are in deci-cents, begin in New York."""
    assert made.time is not None
    if options.time_zone is not None:
        return made
    whole = any(name.endswith("_e4") for name in sample.columns) or any(
        _is_whole(sample[name]) for name in ("open", "bid_open", "price") if name in sample
    )
    zone = "America/New_York" if whole else "UTC"
    note = f"days begin at midnight of {zone} (--time-zone says another)"
    return replace(made, time=replace(made.time, zone=zone), guessed=(*made.guessed, note))


def _layout(
    base: Understanding,
    source: Source,
    sample: pl.DataFrame,
    columns: dict[str, str],
    said: bool,
) -> Understanding:
    """Sort the columns: ours, a column for each instrument or field, and the rest."""
    kind = base.kind
    if kind == "funding" and "rate" not in columns and "open" in columns:
        columns = {**columns, "rate": columns["open"]}
    wanted = (
        *VALUES[kind],
        *_TEXTS.get(kind, ()),
        "instrument",
        "venue",
        "ts_received",
        "known_at",
    )
    ours = {name: columns[name] for name in wanted if name in columns}
    used = {*ours.values(), *_of_time(base.time)}
    rest = [name for name in sample.columns if name not in used and name != UNNAMED]
    if UNNAMED in sample.columns and UNNAMED not in used:
        base = replace(base, guessed=(*base.guessed, "the first column has no name: left out"))
    if kind == "bars" and not any(name in ours for name in OHLC):
        values = {name: name for name in rest}
        note = "closes, a column for each instrument (--kind series if they are no prices)"
        guessed = base.guessed if said else (*base.guessed, note)
        return replace(base, layout="wide", columns=ours, values=values, guessed=guessed)
    if kind in ("series", "fundamentals") and "value" not in ours:
        values = {plain(name): name for name in rest if _is_number(sample[name], base)}
        if not values:
            raise MarketDataError(
                f"{source.where}: must have a column of numbers; found {', '.join(sample.columns)}"
            )
        if left := [name for name in rest if name not in values.values()]:
            note = f"left out, for they hold other than numbers: {', '.join(left)}"
            base = replace(base, guessed=(*base.guessed, note))
        return replace(base, layout="fields", columns=ours, values=values)
    if kind == "reference":
        if "instrument" not in ours:
            raise MarketDataError(
                f"{source.where}: must have a column of instruments; found "
                f"{', '.join(sample.columns)}: say --column instrument=NAME"
            )
        return replace(base, layout="fields", columns=ours, values={plain(n): n for n in rest})
    for name in NEEDED.get(kind, ()):
        if name not in ours:
            found = ", ".join(sample.columns)
            rule = f"{kind} must have a column {name!r}"
            raise MarketDataError(
                f"{source.where}: {rule}; found {found}: say --column {name}=NAME"
            )
    if kind == "quotes" and not ours.keys() & {"bid", "ask"}:
        found = ", ".join(sample.columns)
        rule = "quotes must have a column 'bid' or 'ask'"
        raise MarketDataError(f"{source.where}: {rule}; found {found}: say --column bid=NAME")
    if kind == "funding":
        rest = []
    kept: dict[str, str] = {}
    for theirs in rest:
        name = plain(theirs)
        while name in wanted or name in _OURS or name in kept:
            name += "_"
        kept[name] = theirs
    numbers = frozenset(name for name, theirs in kept.items() if _is_number(sample[theirs], base))
    return replace(base, columns=ours, kept=kept, numbers=numbers)


def _of_time(time: Time | None) -> tuple[str, ...]:
    return () if time is None else tuple(n for n in (time.column, time.of_day, time.beside) if n)


def _is_number(series: pl.Series, made: Understanding) -> bool:
    if series.dtype == pl.String:
        text = series.drop_nulls().str.strip_chars()
        text = text.filter(~text.str.to_lowercase().is_in(["", "na", "nan", "null", "none", "-"]))
        text = decimals(text, made.decimal, f"{made.where}: '{series.name}'")
        return len(text) > 0 and text.cast(pl.Float64, strict=False).null_count() == 0
    return series.dtype.is_numeric()


def _is_whole(series: pl.Series) -> bool:
    if series.dtype == pl.String:
        return bool(series.drop_nulls().str.contains(r"^\d+$").all())
    return series.dtype.is_integer()


def _scaled(made: Understanding, sample: pl.DataFrame, options: ImportOptions) -> Understanding:
    """Prices of LEAN's equities are in deci-cents."""
    if options.scale is not None:
        return replace(made, scale=options.scale)
    prices = [theirs for ours, theirs in made.columns.items() if ours in PRICES]
    named = any(name.endswith("_e4") for name in prices)
    lean = made.time is not None and bool(made.time.of_day)
    if named or (lean and prices and all(_is_whole(sample[name]) for name in prices)):
        note = "prices in deci-cents, as LEAN has those of equities (--scale 1 if not)"
        return replace(made, scale=_DECI_CENTS, guessed=(*made.guessed, note))
    return made


def _stamped(
    made: Understanding, source: Source, sample: pl.DataFrame, options: ImportOptions
) -> Understanding:
    """Which instant a row is known at: a session's close, or the close of its bar."""
    time = made.time
    if time is None:
        raise MarketDataError(
            f"{source.where}: {made.kind} must have times; found {', '.join(sample.columns)}: say "
            "--column ts=NAME"
        )
    if time.of_day:
        made = _zoned(made, sample, options)
    elif time.form == "date":
        if options.calendar:
            return replace(made, calendar=options.calendar)
        calendar = _calendar(sample, made)
        said = f"sessions of {calendar} (--calendar says others)"
        return replace(made, calendar=calendar, guessed=(*made.guessed, said))
    assert made.time is not None
    lean = bool(time.of_day) or any(name.endswith("_e4") for name in sample.columns)
    if time.form == "local" and not options.time_zone:
        zone = "America/New_York" if lean else "UTC"
        note = f"times without an offset are of {zone} (--time-zone says another)"
        made = replace(made, time=replace(time, zone=zone), guessed=(*made.guessed, note))
    if made.time is not None and made.time.form == "local" and made.time.zone != "UTC":
        note = (
            "the hour that comes twice in autumn is told by the order of the rows; there once, it "
            "is the first (an offset in the file would say)"
        )
        made = replace(made, guessed=(*made.guessed, note))
    if made.kind not in ("bars", "quote_bars"):
        return made
    period = options.period_s or made.period_s or _period(sample, made)
    stamp = options.stamp
    if stamp is None:
        known = lean or bool(of_file_name(source.stem)[1]) or "pair" in map(plain, sample.columns)
        known = known or plain(time.column) == "open_time"
        ours = plain(time.column) == "ts_event" and "ts_received" in made.columns
        ours = ours or (options.in_place and plain(time.column) in ("ts", "ts_event"))
        stamp = "close" if ours and not known else "open"
        doubt = "" if known else ", the careful way in doubt"
        note = (
            f"bars of {period} s are stamped with their {stamp}{doubt if stamp == 'open' else ''}"
        )
        other = "close" if stamp == "open" else "open"
        made = replace(made, guessed=(*made.guessed, f"{note} (--stamp {other} if not)"))
    return replace(made, stamp=stamp, period_s=period)


def _stamps(sample: pl.DataFrame, made: Understanding) -> Any:  # noqa: ANN401 - an array
    """Distinct ascending times of the sample, of its first instrument."""
    assert made.time is not None
    if (column := made.columns.get("instrument")) is not None:
        sample = sample.filter(pl.col(column) == sample[column].drop_nulls()[0])
    time = made.time if made.time.zone else replace(made.time, zone="UTC")
    return parse_time(sample, time)[0].drop_nulls().unique().sort().to_numpy()


def _period(sample: pl.DataFrame, made: Understanding) -> int:
    """Most frequent distance of two bars, in seconds."""
    steps = np.diff(_stamps(sample, made)) // 10**9
    steps = steps[steps > 0]
    if not len(steps):
        return 60
    values, counts = np.unique(steps, return_counts=True)
    return int(min(values[counts.argmax()], _DAY_S))


def _calendar(sample: pl.DataFrame, made: Understanding) -> str:
    """Calendar whose sessions the dates of a sample are."""
    assert made.time is not None
    days = parse_time(sample, made.time)[0].drop_nulls().unique()
    if not len(days):
        found = sample[made.time.column].drop_nulls()
        raise MarketDataError(
            f"{made.where}: '{made.time.column}' must hold dates; found {found.head(1).to_list()}: "
            "say --time-format"
        )
    weekday = (days.to_numpy() + 3) % 7  # 1970-01-01 was a Thursday
    if (weekday >= 5).any():
        return "24/7"
    return "XNYS" if (closes(days, "XNYS") < 0).mean() <= 0.01 else "24/5"


def _spanned(made: Understanding, sample: pl.DataFrame) -> Understanding:
    """Find what a time of a series begins: it is known at its end, at the earliest."""
    if made.time is None or "known_at" in made.columns or made.known_at is not None:
        return made
    stamps = _stamps(sample, made)
    if made.time.form != "date":
        return made
    step = float(np.median(np.diff(stamps))) if len(stamps) > 1 else 1.0
    span = next(name for days, name in _SPANS if step >= days)
    note = (
        f"when values were published is not in the file: each is known {span} after its stamp, at "
        "the earliest (--delay adds to it)"
    )
    return replace(made, span=span, guessed=(*made.guessed, note))
