"""The keys that journals are encrypted with, from the ring that is named."""

import os

from quantvista._native import KeyRing
from quantvista.keyring import KEY_RING_VARIABLE, Ring, read_ring

__all__ = ["key_ring", "ring_of"]


def key_ring(*, required: bool = False) -> KeyRing | None:
    """Take the ring that the environment names.

    Parameters
    ----------
    required : bool
        Whether there must be one.

    Returns
    -------
    KeyRing or None
        None where none is named.

    Raises
    ------
    ConfigError
        If it cannot be read, or there is none and must be.
    """
    if not required and not os.environ.get(KEY_RING_VARIABLE):
        return None
    return ring_of(read_ring())


def ring_of(ring: Ring) -> KeyRing:
    """Hand a ring to journals."""
    return KeyRing(list(ring.keys))
