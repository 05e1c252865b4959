"""``[guard]``: what an independent process watches while a fund trades, and what it then does."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from quantvista.fund._data import Section
from quantvista.fund._types import Amount, Fraction, Money, Seconds

__all__ = [
    "CountTrigger",
    "DiskTrigger",
    "FirmSection",
    "GuardSection",
    "LossTrigger",
    "MoveTrigger",
    "OrderTrigger",
    "ReconciliationTrigger",
    "TimeTrigger",
    "TrafficTrigger",
]

_Level = Literal["alert", "reduce", "halt", "flatten"]


def _level(default: str) -> Any:  # noqa: ANN401 - a field of any of its four values
    return Field(default, description="What follows: alert, reduce, halt or flatten.")


class LossTrigger(Section):
    """A loss as a share."""

    limit: Fraction = Field(description="More than this share.")
    level: _Level = _level("halt")


class CountTrigger(Section):
    """A number in a time."""

    count: int = Field(ge=0, le=10**9, description="More than this.")
    window_s: Seconds = Field(description="In so many seconds.")
    level: _Level = _level("halt")


class OrderTrigger(CountTrigger):
    """Orders in a time, or working at once."""

    open_max: int = Field(500, ge=0, le=10**6, description="Or more than this working at once.")


class TrafficTrigger(CountTrigger):
    """Reports in a time, or what the node writes into its journal."""

    journal_mb: int = Field(
        1024, ge=1, le=10**6, description="Or more than this in the node's journal."
    )


class TimeTrigger(Section):
    """Something that lasts."""

    after_s: Seconds = Field(description="Longer than so many seconds.")
    level: _Level = _level("halt")


class ReconciliationTrigger(TimeTrigger):
    """What the node has and what the venue has differ."""

    tolerance: Fraction = Field(
        Decimal("0.001"), description="Difference of money that counts, as a share of equity."
    )


class MoveTrigger(Section):
    """The move of a price."""

    limit: Fraction = Field(description="More than this share.")
    window_s: Seconds = Field(description="In so many seconds.")
    level: _Level = _level("reduce")


class DiskTrigger(Section):
    """Room on the disk of the state folder."""

    free_mb: int = Field(ge=1, le=10**9, description="Less than so many megabytes free.")
    level: _Level = _level("halt")


class FirmSection(Section):
    """``[guard.firm]``: limits over this fund and others, in this fund's currency."""

    states: tuple[str, ...] = Field(
        (), strict=False, description="State folders of the other funds."
    )
    gross_max: Money | None = Field(None, description="All positions of all of them.")
    day_loss_max: Money | None = Field(None, description="Loss of all of them in a day.")
    level: _Level = _level("halt")


def _allow_false(schema: dict[str, Any]) -> None:
    """Let editors know the word for what is switched off."""
    for each in schema["properties"].values():
        if {"type": "null"} in each.get("anyOf", ()):
            each["anyOf"].append({"const": False})


class GuardSection(Section):
    """``[guard]``: each trigger has a threshold and a level; ``false`` switches one off."""

    model_config = ConfigDict(json_schema_extra=_allow_false)

    drawdown: LossTrigger | None = Field(
        LossTrigger(limit=Decimal("0.2")), description="Fall from the highest equity."
    )
    day_loss: LossTrigger | None = Field(
        LossTrigger(limit=Decimal("0.1")), description="Loss since the day began."
    )
    rejects: CountTrigger | None = Field(
        CountTrigger(count=100, window_s=Decimal(60), level="reduce"),
        description="Refused orders.",
    )
    stale: TimeTrigger | None = Field(
        TimeTrigger(after_s=Decimal(60), level="reduce"),
        description="Age of the price of anything that is held or ordered, while it can trade.",
    )
    dislocation: MoveTrigger | None = Field(
        MoveTrigger(limit=Decimal("0.1"), window_s=Decimal(60)), description="A jump of a price."
    )
    orders: OrderTrigger | None = Field(
        OrderTrigger(count=3000, window_s=Decimal(60)), description="Orders that run away."
    )
    messages: TrafficTrigger | None = Field(
        TrafficTrigger(count=20_000, window_s=Decimal(60)), description="Reports that run away."
    )
    reconciliation: ReconciliationTrigger | None = Field(
        ReconciliationTrigger(after_s=Decimal(30)),
        description="Node and venue disagree on positions or money.",
    )
    clock: TimeTrigger | None = Field(
        TimeTrigger(after_s=Decimal(2), level="reduce"),
        description="Difference of the venue's or the node's clock from ours.",
    )
    disk: DiskTrigger | None = Field(DiskTrigger(free_mb=256), description="Room on the disk.")
    heartbeat: TimeTrigger | None = Field(
        TimeTrigger(after_s=Decimal(15)), description="Time without an answer of the node."
    )
    journal: TimeTrigger | None = Field(
        TimeTrigger(after_s=Decimal(300), level="alert"),
        description="Time in which the node's journal did not grow, while it trades.",
    )
    venue: TimeTrigger | None = Field(
        TimeTrigger(after_s=Decimal(60)), description="Time without an answer of the venue."
    )
    firm: FirmSection = Field(FirmSection(), description="Limits over several funds.")
    lease_s: Seconds = Field(Decimal(5), description="How long a permission to trade lasts.")
    unknown_s: Seconds = Field(
        Decimal(5), description="What is not known for so long takes the permission away."
    )
    start_s: Seconds = Field(
        Decimal(60), description="Time in which the node must have begun to answer."
    )
    fence_s: Seconds = Field(
        Decimal(3), description="Time in which the node must confirm; then it is killed."
    )
    dead_man_s: Seconds | None = Field(
        Decimal(60),
        description="Silence after which the venue itself cancels all orders, where it can.",
    )
    recheck_s: Seconds = Field(Decimal(10), description="Between checks that all is still clear.")
    slice_share: Fraction = Field(
        Decimal("0.25"), description="Of what was there, in each order that flattens."
    )
    slice_max: Money | None = Field(None, description="Most money in each of them.")
    slice_pause_s: Seconds = Field(Decimal(1), description="Seconds between them.")
    slice_band: Fraction | None = Field(
        Decimal("0.02"),
        lt=1,
        description="How far from the quote they may trade, as a share; false for any price.",
    )
    keep: dict[str, Amount] = Field(
        default_factory=dict,
        description="Money of other currencies that flattening leaves; what was there at first.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _switched_off(cls, value: object) -> object:
        """Take ``false`` for what is switched off, since a file has no other word for it."""
        return None if value is False else value
