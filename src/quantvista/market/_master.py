"""What instruments were called, and their terms, at any time and as it was known at any time."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

import polars as pl

from quantvista.errors import MarketDataError
from quantvista.market._instrument import Instrument

__all__ = ["FACTS", "SecurityMaster"]

FACTS = (
    "symbol",
    "venue",
    "status",
    "name",
    "sector",
    "currency",
    "kind",
    "tick_size",
    "lot_size",
    "multiplier",
)
"""Facts that have a meaning here; others may be stored beside them.

``status`` is ``listed`` or ``delisted``.
"""
_COLUMNS = ("instrument", "field", "value", "ts_event", "known_at")

type _Fact = tuple[int, int, str | None]  # effective from, known at, value


class SecurityMaster:
    """Effective-dated facts on permanent ids.

    Parameters
    ----------
    facts : polars.DataFrame
        All vintages of the kind ``reference`` of a dataset: ``instrument``, ``field``, ``value``
        (text; empty ends the fact), ``ts_event`` (from when it holds) and ``known_at``.

    Raises
    ------
    MarketDataError
        If a column is missing.

    Notes
    -----
    A look-up has two times: ``at``, for which the fact is wanted, and ``known_at``, by whose
    knowledge, the same unless it is said. An id is never reused; a symbol may be.

    Examples
    --------
    >>> rows = [("META.XNAS", "symbol", "FB", 1, 1), ("META.XNAS", "symbol", "META", 9, 5)]
    >>> names = ("instrument", "field", "value", "ts_event", "known_at")
    >>> master = SecurityMaster(pl.DataFrame(rows, schema=names, orient="row"))
    >>> master.value("META.XNAS", "symbol", 8), master.value("META.XNAS", "symbol", 9)
    ('FB', 'META')
    >>> master.find("FB", at=2), master.find("FB", at=9)
    ('META.XNAS', None)
    """

    def __init__(self, facts: pl.DataFrame) -> None:
        for name in _COLUMNS:
            if name not in facts.columns:
                found = ", ".join(facts.columns)
                raise MarketDataError(f"`facts` must have a column '{name}'; found {found}")
        self._facts: dict[str, dict[str, list[_Fact]]] = {}
        rows = facts.select(_COLUMNS).sort("ts_event", "known_at", maintain_order=True)
        for instrument, field, value, since, known in rows.iter_rows():
            of = self._facts.setdefault(instrument, {}).setdefault(field, [])
            of.append((since, known, value or None))

    @property
    def instruments(self) -> tuple[str, ...]:
        """All ids, ascending."""
        return tuple(sorted(self._facts))

    def value(
        self, instrument: str, field: str, at: int, *, known_at: int | None = None
    ) -> str | None:
        """Look up a fact.

        Parameters
        ----------
        instrument : str
            Id.
        field : str
            Such as ``sector``.
        at : int
            UTC nanoseconds.
        known_at : int or None
            By whose knowledge; ``None`` is ``at``.

        Returns
        -------
        str or None
            None if there is none.
        """
        history = self.history(instrument, field, known_at=at if known_at is None else known_at)
        held = [value for since, value in history if since <= at]
        return held[-1] if held else None

    def history(
        self, instrument: str, field: str, *, known_at: int | None = None
    ) -> tuple[tuple[int, str | None], ...]:
        """List from when which value holds.

        Parameters
        ----------
        instrument, field : str
            As of `value`.
        known_at : int or None
            By whose knowledge; ``None`` is all that was ever known.

        Returns
        -------
        tuple of (int, str or None)
            Ascending; of each time the last vintage.
        """
        found: dict[int, str | None] = {}
        for since, known, value in self._facts.get(instrument, {}).get(field, ()):
            if known_at is None or known <= known_at:
                found[since] = value
        return tuple(sorted(found.items()))

    def vintages(self, instrument: str, field: str) -> tuple[tuple[int, int, str | None], ...]:
        """List everything that was ever known of a fact.

        Parameters
        ----------
        instrument, field : str
            As of `value`.

        Returns
        -------
        tuple of (int, int, str or None)
            From when it holds, since when that is known, and the value; in that order.
        """
        return tuple(self._facts.get(instrument, {}).get(field, ()))

    def find(
        self, symbol: str, at: int, *, venue: str | None = None, known_at: int | None = None
    ) -> str | None:
        """Find which instrument a symbol meant.

        Parameters
        ----------
        symbol : str
            As it was then.
        at, known_at
            As of `value`.
        venue : str or None
            Where it traded, if several venues have such a symbol.

        Returns
        -------
        str or None
            Id; None if nothing listed was called so.

        Raises
        ------
        MarketDataError
            If several were.
        """
        found = [
            name
            for name in self.listed(at, known_at=known_at)
            if self.value(name, "symbol", at, known_at=known_at) == symbol
            and (venue is None or self.value(name, "venue", at, known_at=known_at) == venue)
        ]
        if len(found) > 1:
            raise MarketDataError(
                f"`symbol` must mean one instrument; found {', '.join(found)} for {symbol!r}: "
                "say the venue"
            )
        return found[0] if found else None

    def listed(self, at: int, *, known_at: int | None = None) -> tuple[str, ...]:
        """List the instruments that were listed.

        Those of which no status is ever said are, from the first thing that is known of them.

        Parameters
        ----------
        at, known_at
            As of `value`.

        Returns
        -------
        tuple of str
            Ids, ascending.
        """
        found = []
        for name in self.instruments:
            status = self.value(name, "status", at, known_at=known_at)
            if status == "listed" or (
                status is None
                and "status" not in self._facts[name]
                and any(self.value(name, each, at, known_at=known_at) for each in self._facts[name])
            ):
                found.append(name)
        return tuple(found)

    def instrument(
        self, name: str, at: int, *, base: Instrument | None = None, known_at: int | None = None
    ) -> Instrument:
        """Put together the terms of an instrument at a time.

        Parameters
        ----------
        name : str
            Id.
        at, known_at
            As of `value`.
        base : Instrument or None
            Terms of which nothing is known; ``None`` takes the defaults.

        Returns
        -------
        Instrument
            With the precisions that its steps need, at least those of ``base``.

        Raises
        ------
        MarketDataError
            If a step or a multiplier is no number.
        """
        made = base or Instrument(name)
        changes: dict[str, object] = {}
        for field in ("sector", "currency", "kind"):
            if (text := self.value(name, field, at, known_at=known_at)) is not None:
                changes[field] = text
        for field, precision in (
            ("tick_size", "price_precision"),
            ("lot_size", "quantity_precision"),
        ):
            if (text := self.value(name, field, at, known_at=known_at)) is not None:
                step = _decimal(name, field, text)
                digits = -int(step.normalize().as_tuple().exponent)
                changes[field] = step
                changes[precision] = max(digits, int(getattr(made, precision)))
        if (text := self.value(name, "multiplier", at, known_at=known_at)) is not None:
            changes["multiplier"] = int(_decimal(name, "multiplier", text))
        return replace(made, id=name, **changes)  # type: ignore[arg-type]


def _decimal(name: str, field: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise MarketDataError(
            f"`{field}` must be a number; found {text!r} for instrument '{name}'"
        ) from None
