"""Futures of one underlying: when to roll from a contract to the next, and continuous series."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError, MarketDataError

__all__ = ["Continuous", "Contracts", "Roll", "RollRule", "continuous", "roll_schedule"]

type Floats = NDArray[np.float64]
type Dates = NDArray[np.datetime64]
type Adjustment = Literal["none", "difference", "ratio"]


@dataclass(frozen=True, slots=True)
class Contracts:
    """Daily data of the contracts of one underlying.

    Parameters
    ----------
    dates : datetime64[D], shape (T,)
        Sessions, strictly increasing.
    ids : tuple of str, length n
        Contracts in ascending order of expiry.
    expiries : datetime64[D], shape (n,)
        Last trading dates, strictly increasing.
    close : float64, shape (T, n)
        NaN where a contract has no close.
    volume, open_interest : float64, shape (T, n), or None
        For rules that look at them; NaN counts as nothing.

    Raises
    ------
    MarketDataError
        If shapes differ, dates or expiries do not increase, or a contract has a close after its
        expiry.
    """

    dates: Dates
    ids: tuple[str, ...]
    expiries: Dates
    close: Floats
    volume: Floats | None = None
    open_interest: Floats | None = None

    def __post_init__(self) -> None:
        shape = (len(self.dates), len(self.ids))
        for name in ("close", "volume", "open_interest"):
            matrix = getattr(self, name)
            if matrix is not None and matrix.shape != shape:
                raise MarketDataError(f"`{name}` must have shape {shape}; found {matrix.shape}")
        if len(self.expiries) != len(self.ids) or not self.ids:
            rule = f"must have one date for each of {len(self.ids)} contracts, at least one"
            raise MarketDataError(f"`expiries` {rule}; found {len(self.expiries)}")
        for name in ("dates", "expiries"):
            values = getattr(self, name)
            if bool(np.any(values[1:] <= values[:-1])):
                raise MarketDataError(f"`{name}` must increase strictly")
        late = ~np.isnan(self.close) & (self.dates[:, None] > self.expiries)
        if late.any():
            row, column = np.unravel_index(int(np.argmax(late)), shape)
            raise MarketDataError(
                f"`close` must end at the expiry {self.expiries[column]} of '{self.ids[column]}'; "
                f"found {self.close[row, column]} on {self.dates[row]}"
            )


@dataclass(frozen=True, slots=True)
class RollRule:
    """When to leave a contract for the next.

    Parameters
    ----------
    by : {"calendar", "volume", "open_interest"}
        ``"calendar"`` rolls ``days_before`` weekdays before the expiry. The others roll in the
        session after the first close at which the next contract has more of it, and at the latest
        when the calendar says so. Nothing rolls back.
    days_before : int
        Weekdays between the last session of the old contract and its expiry, at least 0; with 0
        a contract is held through its last session.

    Raises
    ------
    ConfigError
        If there is no such rule.
    """

    by: Literal["calendar", "volume", "open_interest"] = "calendar"
    days_before: int = 1

    def __post_init__(self) -> None:
        if self.by not in ("calendar", "volume", "open_interest"):
            raise ConfigError(f"`by` must be calendar, volume or open_interest; found {self.by!r}")
        if self.days_before < 0:
            raise ConfigError(f"`days_before` must not be negative; found {self.days_before}")


@dataclass(frozen=True, slots=True)
class Roll:
    """A change of contract.

    Parameters
    ----------
    date : numpy.datetime64
        First session in which the new contract is held; the trade belongs to the close before.
    old, new : str
        Contracts.
    """

    date: np.datetime64
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Continuous:
    """One series made of many contracts.

    Parameters
    ----------
    dates : datetime64[D], shape (T,)
        Sessions.
    price : float64, shape (T,)
        Adjusted so that the last contract's prices are as they were; NaN where the contract that
        is held has no close.
    contract : int64, shape (T,)
        Which is held, counted in the order of expiry.
    rolls : tuple of Roll
        In order of time.
    """

    dates: Dates
    price: Floats
    contract: NDArray[np.int64]
    rolls: tuple[Roll, ...]


def roll_schedule(contracts: Contracts, rule: RollRule) -> tuple[Roll, ...]:
    """Work out when a rule rolls, looking at nothing after the close before a roll.

    Parameters
    ----------
    contracts : Contracts
        The first is held from the start, or the first that has not expired by then.
    rule : RollRule
        When to roll.

    Returns
    -------
    tuple of Roll
        In order of time.

    Raises
    ------
    ConfigError
        If the rule needs volume or open interest, and there is none.
    """
    activity = None
    if rule.by != "calendar":
        activity = contracts.volume if rule.by == "volume" else contracts.open_interest
        if activity is None:
            raise ConfigError(f"`by` {rule.by} must come with that column; found none")
    held = _first(contracts)
    rolls: list[Roll] = []
    for row in range(1, len(contracts.dates)):
        while held + 1 < len(contracts.ids) and (
            _due(contracts, rule, row, held)
            or (activity is not None and _busier(activity[row - 1], held))
        ):
            old, new = contracts.ids[held], contracts.ids[held + 1]
            rolls.append(Roll(contracts.dates[row], old, new))
            held += 1
    return tuple(rolls)


def continuous(
    contracts: Contracts, rolls: tuple[Roll, ...], adjustment: Adjustment = "difference"
) -> Continuous:
    """Join contracts to one series.

    Parameters
    ----------
    contracts : Contracts
        As for `roll_schedule`.
    rolls : tuple of Roll
        From `roll_schedule`.
    adjustment : {"none", "difference", "ratio"}
        What happens to prices before a roll: nothing; the difference of the two closes of the
        session before it is added; or their ratio is multiplied. The first keeps prices that were
        traded, the second keeps changes in money, the third keeps returns.

    Returns
    -------
    Continuous
        Back-adjusted: later rolls shift or scale all that lies before them alike, so changes
        (returns) between two sessions never depend on what comes after them.

    Raises
    ------
    MarketDataError
        If a contract has no close where it must, or a price that a ratio cannot have.
    ConfigError
        If there is no such adjustment.

    Examples
    --------
    >>> contracts = Contracts(
    ...     np.array(["2024-03-14", "2024-03-15", "2024-03-18"], "M8[D]"),
    ...     ("ES-2024H.XCME", "ES-2024M.XCME"),
    ...     np.array(["2024-03-15", "2024-06-21"], "M8[D]"),
    ...     np.array([[100.0, 101.0], [102.0, 103.5], [np.nan, 105.0]]),
    ... )
    >>> rolls = roll_schedule(contracts, RollRule(days_before=0))
    >>> continuous(contracts, rolls).price
    array([101.5, 103.5, 105. ])
    """
    if adjustment not in ("none", "difference", "ratio"):
        raise ConfigError(f"`adjustment` must be none, difference or ratio; found {adjustment!r}")
    count = len(contracts.dates)
    place = {name: index for index, name in enumerate(contracts.ids)}
    held = np.full(count, _first(contracts), dtype=np.int64)
    for roll in rolls:
        held[contracts.dates >= roll.date] = place[roll.new]
    price = contracts.close[np.arange(count), held]
    if adjustment == "ratio" and bool(np.any(price <= 0)):
        row = int(np.argmax(price <= 0))
        raise MarketDataError(
            f"`close` must be positive for a ratio; found {price[row]} on {contracts.dates[row]} "
            "(adjust by the difference)"
        )
    if adjustment != "none":
        for roll in reversed(rolls):
            row = int(np.searchsorted(contracts.dates, roll.date))
            old = _close(contracts, row - 1, place[roll.old])
            new = _close(contracts, row - 1, place[roll.new])
            # Raw closes: later rolls shift or scale both contracts alike.
            if adjustment == "difference":
                price[:row] += new - old
            else:
                price[:row] *= new / old
    return Continuous(contracts.dates, price, held, rolls)


def _first(contracts: Contracts) -> int:
    """Contract that is held at the start."""
    alive = contracts.expiries >= contracts.dates[0]
    if not alive.any():
        raise MarketDataError(
            f"`expiries` must reach the first date {contracts.dates[0]}; "
            f"found {contracts.expiries[-1]} as the last"
        )
    return int(np.argmax(alive))


def _due(contracts: Contracts, rule: RollRule, row: int, held: int) -> bool:
    """Whether the calendar rolls before a session.

    Weekdays are counted instead of the data's sessions, so that a schedule does not change when
    more data comes.
    """
    today, expiry = contracts.dates[row], contracts.expiries[held]
    left = int(np.busday_count(today, expiry)) + 1
    return bool(today > expiry or left <= rule.days_before)


def _busier(activity: Floats, held: int) -> bool:
    now, later = np.nan_to_num(activity[held]), np.nan_to_num(activity[held + 1])
    return bool(later > now)


def _close(contracts: Contracts, row: int, column: int) -> float:
    value = float(contracts.close[row, column])
    if np.isnan(value):
        raise MarketDataError(
            f"`close` must be there for both contracts in the session before a roll; found none of "
            f"'{contracts.ids[column]}' on {contracts.dates[row]}"
        )
    return value
