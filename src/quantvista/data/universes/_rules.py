"""The rules of a universe, as they stand in a file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from quantvista.errors import ConfigError

__all__ = ["UniverseRules", "read_rules"]

type _Names = tuple[str, ...]


class UniverseRules(BaseModel):
    """Which instruments belong to a universe, and when that is decided.

    First the filters, then the rank among what they leave. All of them read what was known at the
    close of the session of the decision.

    Examples
    --------
    >>> UniverseRules(top=100, keep=120, price_min=5.0).sessions
    60
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = Field(1, description="Of these rules' form.")
    calendar: str = Field("XNYS", description="Whose sessions.")
    rebalance: Literal["daily", "week", "month", "quarter"] = Field(
        "month", description="How often it is decided."
    )
    session: Literal["first", "last"] = Field("last", description="Of the period, which decides.")
    lag: int = Field(0, ge=0, le=250, description="Sessions from the decision until it holds.")
    by: Literal["dollar_volume"] = Field("dollar_volume", description="What ranks.")
    statistic: Literal["mean", "median"] = Field("median", description="Of the trailing sessions.")
    sessions: int = Field(60, ge=1, le=10_000, description="How many trailing sessions.")
    top: int | None = Field(None, ge=1, description="Enter with a rank up to it; default: all.")
    keep: int | None = Field(None, ge=1, description="Stay with a rank up to it; default: top.")
    dollar_volume_min: float | None = Field(None, gt=0, description="What ranks, at least.")
    price_min: float | None = Field(None, gt=0, description="Last raw close, at least.")
    price_max: float | None = Field(None, gt=0, description="Last raw close, at most.")
    history_min: int = Field(1, ge=1, description="Sessions with a bar so far.")
    listed_days_min: int = Field(0, ge=0, description="Days since the listing.")
    stale_max: int = Field(5, ge=1, le=250, description="Sessions in which there must be a bar.")
    sectors: _Names = Field((), strict=False, description="Only these.")
    sectors_out: _Names = Field((), strict=False, description="Not these.")
    kinds: _Names = Field((), strict=False, description="Only these, such as equity.")
    currencies: _Names = Field((), strict=False, description="Only prices in these.")
    include: _Names = Field((), strict=False, description="In as long as they trade, unranked.")
    exclude: _Names = Field((), strict=False, description="Never in.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.keep is not None and (self.top is None or self.keep < self.top):
            raise ValueError(f"`keep` must not be below `top`, {self.top}")
        if self.price_min and self.price_max and self.price_min > self.price_max:
            raise ValueError(f"`price_min` must not be above `price_max`, {self.price_max}")
        if both := sorted(set(self.include) & set(self.exclude)):
            raise ValueError(f"`include` must not name what `exclude` names: {both[0]}")
        return self

    @property
    def needs_volume(self) -> bool:
        """Whether anything depends on what was traded."""
        return self.top is not None or self.dollar_volume_min is not None

    @property
    def reference_rules(self) -> tuple[str, ...]:
        """Rules in use that read facts of instruments."""
        names = ("sectors", "sectors_out", "kinds", "currencies")
        return tuple(name for name in names if getattr(self, name))


def read_rules(path: Path | None, changes: Mapping[str, Any]) -> UniverseRules:
    """Read rules from a TOML file, and change some.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; ``None`` starts with the defaults.
    changes : mapping
        By name; they go before the file.

    Returns
    -------
    UniverseRules
        Checked.

    Raises
    ------
    ConfigError
        Naming the file, and what is wrong.
    """
    where = f"{path}: " if path is not None else ""
    said: dict[str, Any] = {}
    if path is not None:
        try:
            said = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}cannot be read: {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{where}must be TOML: {error}") from None
    try:
        return UniverseRules(**{**said, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        text = str(first["msg"]).removeprefix("Value error, ")
        name = ".".join(str(each) for each in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(UniverseRules.model_fields)
            text = f"there is no such rule; there are {known}"
        found = f"; found {first['input']!r}" if name else ""
        raise ConfigError(f"{where}{f'`{name}`: ' if name else ''}{text}{found}") from None
