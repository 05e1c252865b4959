"""A batch of raw rows to rows of a kind, and those that cannot be, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from quantvista.data.importing._layouts import NEEDED, PRICES, VALUES
from quantvista.data.importing._names import Names, venue_of
from quantvista.data.importing._source import Batch
from quantvista.data.importing._time import closes, parse_time
from quantvista.data.importing._understanding import Understanding
from quantvista.errors import MarketDataError

__all__ = ["REJECTS", "as_text", "convert", "decimals", "reject_frame"]

_TAKERS: Mapping[str, Mapping[str, str]] = {
    # If the buyer was the maker, the seller took.
    "buyer_maker": {"true": "sell", "1": "sell", "false": "buy", "0": "buy"},
    "aggressor": {"buy": "buy", "b": "buy", "sell": "sell", "s": "sell"},
}
_NOBODY = ("", "none", "null", "nan", "na", "n/a", "n", "unknown", "undefined", "-")
REJECTS = pl.Schema({"row": pl.Int64(), "reason": pl.String(), "text": pl.String()})
_DAY_NS = 86_400 * 10**9
_NOTHING = ("", "na", "nan", "null", "none", "n/a", "-")
_TEXT_MAX = 500
_FIELDS = ("wide", "fields")


@dataclass
class _Sheet:
    """A batch, with the first reason against each of its rows."""

    frame: pl.DataFrame
    rows: pl.Series
    where: str
    decimal: str
    reason: pl.Series = field(init=False)
    cells: list[pl.DataFrame] = field(default_factory=list)
    plain: dict[str, pl.Series | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reason = pl.Series([None], dtype=pl.String).new_from_index(0, self.frame.height)

    def mark(self, bad: pl.Series, why: str | pl.Series) -> None:
        """Reject rows."""
        bad = bad.fill_null(True)
        if bad.any():
            text = pl.lit(why) if isinstance(why, str) else why
            first = self.reason.is_null() & bad
            self.reason = pl.select(pl.when(first).then(text).otherwise(self.reason)).to_series()

    def numbers(self, column: str) -> tuple[pl.Series, pl.Series]:
        """Values of a column, null where missing; and which of them are no finite numbers."""
        series = self.frame[column]
        if series.dtype == pl.Float32 or isinstance(series.dtype, pl.Decimal):
            series = series.cast(pl.String)  # 12.3 must not become 12.300000190734863
        elif (
            series.dtype == pl.String
            and self.decimal != ","
            and (quick := self.plain_numbers(column)) is not None
        ):
            return quick, quick.is_infinite()
        if series.dtype == pl.String:
            text = decimals(series.str.strip_chars(), self.decimal, f"{self.where}: '{column}'")
            text = text.set(text.str.to_lowercase().is_in(list(_NOTHING)), None)
            found = text.cast(pl.Float64, strict=False)
            bad = found.is_null() & text.is_not_null()
        elif series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
            found = series.cast(pl.Float64).fill_nan(None)
            bad = pl.Series([False]).new_from_index(0, len(series))
        else:
            raise MarketDataError(
                f"{self.where}: column '{column}' must hold numbers; found type {series.dtype}"
            )
        return found, bad | found.is_infinite().fill_null(False) | found.is_nan().fill_null(False)

    def plain_numbers(self, column: str) -> pl.Series | None:
        """Values of a column of text if each is a number as it stands, which most files have."""
        if column not in self.plain:
            text = self.frame[column]
            found = text.cast(pl.Float64, strict=False)
            whole = not text.null_count() and not found.null_count() and not found.is_nan().any()
            self.plain[column] = found if whole else None
        return self.plain[column]

    def number(self, column: str) -> pl.Series:
        """Values of a column; rows with other than numbers are rejected."""
        found, bad = self.numbers(column)
        if bad.any():
            shown = self.frame[column].cast(pl.String).str.slice(0, 40)
            self.mark(
                bad,
                pl.select(
                    pl.format("'" + column + "' is no number: {}", shown.fill_null(""))
                ).to_series(),
            )
        return found

    def rejected(self) -> pl.DataFrame:
        """Rows that were marked, as text."""
        bad = self.reason.is_not_null()
        found = pl.DataFrame(
            {
                "row": self.rows.filter(bad),
                "reason": self.reason.filter(bad),
                "text": as_text(self.frame.filter(bad)),
            },
            schema=REJECTS,
        )
        return pl.concat([found, *self.cells])


def decimals(text: pl.Series, mark: str, what: str) -> pl.Series:
    """Write numbers with a decimal point and without marks between thousands.

    Parameters
    ----------
    text : polars.Series of str
        Numbers and other text, which stays as it is.
    mark : str
        The decimal mark that was said; empty if none was.
    what : str
        Column, as messages call it.

    Returns
    -------
    polars.Series of str
        Those that are written in another way than was said are no numbers any more.

    Raises
    ------
    MarketDataError
        If there are commas in numbers and nobody said what they are.
    """
    if mark != "," and not text.str.contains(",", literal=True).any():
        return text
    if not mark:
        commas = text.filter(text.str.contains(r"^[-+]?[\d.]*,[\d.,]*$").fill_null(False))
        if len(commas):
            raise MarketDataError(
                f"{what} must say which mark is the decimal one; found {commas[0]!r}: say "
                "--decimal , or --decimal ."
            )
        return text
    point, between = (r"\.", ",") if mark == "." else (",", r"\.")
    number = rf"^[-+]?(?:\d{{1,3}}(?:{between}\d{{3}})+|\d+)?(?:{point}\d*)?(?:[eE][-+]?\d+)?$"
    written = text.str.contains(number).fill_null(False)
    plain = text.str.replace_all("." if mark == "," else ",", "", literal=True)
    plain = plain.str.replace(",", ".", literal=True)
    digits = text.str.contains(r"\d").fill_null(False)
    other = pl.when(digits).then(pl.format("no number: {}", text)).otherwise(text)
    return pl.select(pl.when(written).then(plain).otherwise(other)).to_series()


def as_text(frame: pl.DataFrame) -> pl.Series:
    """Write rows as text, for the quarantine."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in frame.columns]
    return frame.select(pl.concat_str(parts, separator=",").str.slice(0, _TEXT_MAX)).to_series()


def reject_frame(rejects: list[tuple[int, str, str]]) -> pl.DataFrame:
    """Make a table of rejected rows."""
    return pl.DataFrame(rejects, schema=REJECTS, orient="row")


def convert(
    batch: Batch, made: Understanding, known: Names | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Convert a batch.

    Parameters
    ----------
    batch : Batch
        Raw rows.
    made : Understanding
        How they are read.
    known : Names or None
        Of the batches and files before.

    Returns
    -------
    (polars.DataFrame, polars.DataFrame)
        Rows of the kind with all coordinates, in the order of the file, and a column ``row``; and
        what was rejected: ``row``, ``reason``, ``text``.
    """
    frame = batch.frame.rename(dict(made.renamed))
    frame = frame.with_columns(**{name: pl.lit(day) for name, day in made.constants.items()})
    sheet = _Sheet(frame, pl.Series("row", batch.rows), made.where, made.decimal)
    _refuse_line_breaks(sheet, made)
    columns = {"row": sheet.rows, **_times(sheet, made)}
    if (names := _instruments(sheet, made, known or Names(made.where))) is not None:
        columns["instrument"] = names
    if made.layout in _FIELDS:
        found = _melted(sheet, made, columns)
    else:
        columns |= _values(sheet, made)
        columns |= _kept(sheet, made)
        found = pl.DataFrame(columns).filter(sheet.reason.is_null())
    rejected = sheet.rejected()
    if batch.rejects:
        rejected = pl.concat([rejected, reject_frame(batch.rejects)])
    return found, rejected.sort("row")


def _refuse_line_breaks(sheet: _Sheet, made: Understanding) -> None:
    """Line breaks within fields of numbers are quotes that do not match."""
    if made.kind in ("news", "reference"):
        return
    numbers = {made.columns[each] for each in VALUES[made.kind] if each in made.columns}
    for name in sheet.frame.columns:
        series = sheet.frame[name]
        if series.dtype == pl.String:
            if name in numbers and sheet.plain_numbers(name) is not None:
                continue
            broken = series.str.contains("\n", literal=True).fill_null(False)
            if broken.any():
                row = sheet.rows[broken.arg_max() or 0]
                raise MarketDataError(
                    f"{made.where}: quotes must match; found a line break within column '{name}' "
                    f"in row {row}"
                )


def _times(sheet: _Sheet, made: Understanding) -> dict[str, pl.Series]:
    """Coordinates of the rows."""
    count = sheet.frame.height
    if made.time is None:
        stamp = pl.Series([made.known_at], dtype=pl.Int64).new_from_index(0, count)
        return dict.fromkeys(("ts_event", "ts_received", "known_at"), stamp)
    whose = made.columns.get("instrument")
    names = None if whose is None else sheet.frame[whose].cast(pl.String)
    once = made.kind in ("bars", "quote_bars") and "strike" not in made.columns
    found, why = parse_time(sheet.frame, made.time, names, once)
    sheet.mark(found.is_null(), why)
    columns: dict[str, pl.Series] = {}
    if made.calendar:
        known = found.is_not_null().to_numpy()
        stamps = np.full(count, -1, dtype=np.int64)
        stamps[known] = closes(found.drop_nulls(), made.calendar)
        sheet.mark(pl.Series(stamps < 0) & found.is_not_null(), f"no session of {made.calendar}")
        columns["date"] = found.cast(pl.Int32).cast(pl.Date)
        event = pl.Series(stamps)
    elif made.time.form == "date" and not made.time.of_day:
        event = found * _DAY_NS
    else:
        event = found
    if made.stamp == "open":
        event = event + made.period_s * 10**9
    columns["ts_event"] = event
    received = event
    if made.span:
        later = event.cast(pl.Datetime("ns")).dt.offset_by(made.span)
        received = later.to_physical()
    received = received + made.delay_s * 10**9
    own = {name: _coordinate(sheet, made, name) for name in made.times}
    columns["ts_received"] = own.get("ts_received", own.get("known_at", received))
    known_at = own.get("known_at", columns["ts_received"])
    if made.known_at is not None:
        known_at = pl.select(pl.max_horizontal(known_at, pl.lit(made.known_at))).to_series()
    columns["known_at"] = known_at
    sheet.mark((received < event).fill_null(False), "known after the year 2261")
    early = (known_at < columns["ts_received"]).fill_null(False)
    sheet.mark(early, "known before it was received")
    return columns


def _coordinate(sheet: _Sheet, made: Understanding, name: str) -> pl.Series:
    """Another time of the rows; a date is over before its news is known."""
    time = made.times[name]
    found, why = parse_time(sheet.frame, time)
    sheet.mark(found.is_null(), why)
    return (found + 1) * _DAY_NS if time.form == "date" else found


def _instruments(sheet: _Sheet, made: Understanding, known: Names) -> pl.Series | None:
    count = sheet.frame.height
    if made.layout == "wide":
        return None
    if "strike" in made.columns:
        return _options(sheet, made)
    if (column := made.columns.get("instrument")) is None:
        return pl.Series([made.instrument], dtype=pl.String).new_from_index(0, count)
    names = sheet.frame[column].cast(pl.String)
    of_venue = made.columns.get("venue")
    if of_venue is not None and made.venue is None:
        pairs = pl.DataFrame({"name": names, "venue": sheet.frame[of_venue].cast(pl.String)})
        unique = pairs.unique()
        ids = [known.id_of(name, venue_of(venue)) for name, venue in unique.iter_rows()]
        table = unique.with_columns(pl.Series("id", ids, dtype=pl.String))
        on = ["name", "venue"]
        found = pairs.join(table, on=on, how="left", nulls_equal=True, maintain_order="left")["id"]
    else:
        of = {name: known.id_of(name, made.venue) for name in names.unique()}
        found = names.replace_strict(of, return_dtype=pl.String)
    bad = found.is_null() & names.is_not_null() if made.kind == "news" else found.is_null()
    sheet.mark(bad, f"'{column}' is no name of an instrument")
    return found


def _options(sheet: _Sheet, made: Understanding) -> pl.Series:
    """Ids of options: underlying, expiry, right and strike."""
    frame, columns = sheet.frame, made.columns
    right = frame[columns["right"]].cast(pl.String).str.to_uppercase().str.slice(0, 1)
    sheet.mark(~right.is_in(["C", "P"]), f"'{columns['right']}' is neither call nor put")
    strike = sheet.number(columns["strike"])
    sheet.mark(~(strike > 0), f"'{columns['strike']}' is no strike")
    expiry = frame[columns["expiry"]].cast(pl.String).str.to_date("%Y-%m-%d", strict=False)
    sheet.mark(expiry.is_null(), f"'{columns['expiry']}' is no date")
    assert made.instrument is not None
    symbol, _, venue = made.instrument.rpartition(".")
    price = strike.cast(pl.String).str.replace(r"\.0$", "")
    return pl.select(
        pl.format(symbol + "-{}-{}{}." + venue, expiry.dt.strftime("%Y%m%d"), right, price)
    ).to_series()


def _values(sheet: _Sheet, made: Understanding) -> dict[str, pl.Series]:
    """Columns of the kind."""
    found: dict[str, pl.Series] = {}
    for name in VALUES[made.kind]:
        if name in made.columns:
            values = sheet.number(made.columns[name])
            found[name] = _divided(values, made.scale) if name in PRICES else values
            infinite = found[name].is_infinite() & ~values.is_infinite()
            sheet.mark(infinite.fill_null(False), f"'{made.columns[name]}' is too large")
    if found and made.kind not in ("news", "reference"):
        empty = pl.DataFrame(found).select(pl.all_horizontal(pl.all().is_null())).to_series()
        sheet.mark(empty, "no values")
    for name in NEEDED.get(made.kind, ()):
        if name not in found:
            continue  # text, which is looked at below
        sheet.mark(found[name].is_null(), f"'{made.columns[name]}' is empty")
    if made.kind == "trades":
        found |= _aggressor(sheet, made)
    if made.kind == "news":
        text = sheet.frame[made.columns["text"]].cast(pl.String)
        sheet.mark(text.str.strip_chars().fill_null("") == "", "no text")
        found["text"] = text
    if "field" in made.columns and made.kind in ("series", "fundamentals"):
        found["field"] = sheet.frame[made.columns["field"]].cast(pl.String)
        sheet.mark(found["field"].is_null(), "no name of a field")
    elif made.kind in ("series", "fundamentals"):
        found["field"] = pl.Series(["value"]).new_from_index(0, sheet.frame.height)
    if "strike" in made.columns:
        assert made.instrument is not None
        found["underlying"] = pl.Series([made.instrument]).new_from_index(0, sheet.frame.height)
        found["strike"] = sheet.numbers(made.columns["strike"])[0]
        for name in ("expiry", "right"):
            found[name] = sheet.frame[made.columns[name]].cast(pl.String)
    return found


def _divided(values: pl.Series, scale: float) -> pl.Series:
    """Divide as IEEE does; Polars multiplies by the inverse, which is off in the last digit."""
    if scale == 1.0:
        return values
    with np.errstate(over="ignore"):  # what is infinite then is rejected by who asks
        return pl.Series(values.to_numpy() / scale).fill_nan(None)


def _aggressor(sheet: _Sheet, made: Understanding) -> dict[str, pl.Series]:
    """Who took; rows with a word that says neither a side nor nothing are rejected."""
    for name, of in _TAKERS.items():
        if name in made.columns:
            theirs = made.columns[name]
            word = sheet.frame[theirs].cast(pl.String).str.strip_chars().str.to_lowercase()
            bad = word.is_not_null() & ~word.is_in([*of, *_NOBODY])
            if bad.any():
                text = pl.format("'" + theirs + "' is no side: {}", word.str.slice(0, 40))
                sheet.mark(bad, pl.select(text).to_series())
            return {"aggressor": word.replace_strict(of, default=None, return_dtype=pl.String)}
    return {}


def _kept(sheet: _Sheet, made: Understanding) -> dict[str, pl.Series]:
    """Columns that are none of ours."""
    found = {}
    for name, theirs in made.kept.items():
        series = sheet.frame[theirs]
        if name in made.numbers and series.dtype == pl.String:
            found[name] = sheet.number(theirs)
        elif isinstance(series.dtype, pl.Datetime | pl.Duration | pl.Time | pl.List | pl.Struct):
            found[name] = (
                series.cast(pl.String) if series.dtype != pl.Struct else series.struct.json_encode()
            )
        else:
            found[name] = series.cast(pl.String) if series.dtype == pl.Null else series
    return found


def _melted(sheet: _Sheet, made: Understanding, columns: dict[str, pl.Series]) -> pl.DataFrame:
    """Make a row for each value: of an instrument where the layout is wide, else of a field."""
    key = "instrument" if made.layout == "wide" else "field"
    value = "close" if made.layout == "wide" else "value"
    base = pl.DataFrame(columns)
    parts = []
    if made.kind == "reference":  # what it was called is a fact like the others
        column = made.columns["instrument"]
        symbol = sheet.frame[column].cast(pl.String).alias(value)
        parts.append(
            base.with_columns(pl.lit("symbol").alias(key), pl.lit(-1).alias("__place"), symbol)
        )
    for place, (name, theirs) in enumerate(made.values.items()):
        if made.kind == "reference":
            values = sheet.frame[theirs].cast(pl.String).str.strip_chars()
            values = values.set(values == "", None)
        else:
            values, bad = sheet.numbers(theirs)
            if made.layout == "wide":
                values = _divided(values, made.scale)
                bad = bad | values.is_infinite().fill_null(False)
            if bad.any():
                text = sheet.frame[theirs].cast(pl.String)
                sheet.cells.append(
                    pl.DataFrame(
                        {"row": sheet.rows, "reason": f"'{theirs}' is no number", "text": text}
                    ).filter(bad)
                )
            values = values.set(bad, None)
        whose = [pl.lit(name).alias(key), pl.lit(place).alias("__place")]
        parts.append(base.with_columns(*whose, values.alias(value)))
    good = sheet.reason.is_null()
    whole = pl.concat([part.filter(good & part[value].is_not_null()) for part in parts])
    return whole.sort("row", "__place").drop("__place")
