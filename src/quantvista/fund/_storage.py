"""``[storage]``: how what a fund writes is kept."""

from pydantic import Field

from quantvista.fund._data import Section

__all__ = ["StorageSection"]


class StorageSection(Section):
    """``[storage]``: whether journals are encrypted, and where the keys are."""

    encrypted: bool = Field(
        False, description="Whether the journals of the fund must be encrypted (AES-256-GCM)."
    )
    key_ring: str | None = Field(
        None,
        min_length=1,
        description="File of `qv keys make`; QV_KEY_RING and --key-ring go before it.",
    )
