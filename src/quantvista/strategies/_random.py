"""Random numbers of a sleeve: seeded, independent of other sleeves, restorable."""

import json
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from quantvista.errors import StrategyError

__all__ = ["dump_rng", "load_rng", "make_rng"]


def make_rng(seed: int, sleeve: str) -> Generator:
    """Make the generator of one sleeve.

    Parameters
    ----------
    seed : int
        Seed of the fund.
    sleeve : str
        Id of the sleeve. Adding a sleeve does not change the numbers of the others.

    Returns
    -------
    Generator
        Over Philox4x64, whose 128-bit key is BLAKE2b of seed and id.

    References
    ----------
    Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11.

    Examples
    --------
    >>> first, again = make_rng(7, "trend"), make_rng(7, "trend")
    >>> bool(first.integers(1000) == again.integers(1000))
    True
    """
    digest = blake2b(f"{seed}:{sleeve}".encode(), digest_size=16).digest()
    return Generator(Philox(key=int.from_bytes(digest, "little")))


def dump_rng(rng: Generator) -> bytes:
    """Serialise where a generator stands, as JSON with sorted keys."""
    state = rng.bit_generator.state
    return json.dumps(_plain(state), sort_keys=True, separators=(",", ":")).encode()


def load_rng(rng: Generator, data: bytes) -> None:
    """Put a generator back to where `dump_rng` found it.

    Raises
    ------
    StrategyError
        If ``data`` is no saved Philox state.
    """
    try:
        state: dict[str, Any] = json.loads(data)
        state["state"] = {
            name: np.array(state["state"][name], dtype=np.uint64) for name in ("counter", "key")
        }
        state["buffer"] = np.array(state["buffer"], dtype=np.uint64)
        rng.bit_generator.state = state
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise StrategyError(
            f"`data` must be a saved random state; found {error!r}; loading a snapshot"
        ) from None


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return [int(each) for each in value]
    return value
