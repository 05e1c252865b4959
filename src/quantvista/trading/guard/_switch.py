"""The dead-man switch of a venue: if all of ours is gone, the venue itself cancels our orders."""

import asyncio
import logging

from quantvista.trading.gateway import Gateway, GatewayError

__all__ = ["keep_switch", "release_switch"]

_log = logging.getLogger(__name__)

_RENEWALS = 4  # in the time after which the venue acts: some of them may be lost
_AGAIN_S = 1.0
_ANSWER_S = 2.0


async def keep_switch(gateway: Gateway, after_s: float) -> None:
    """Say to a venue again and again that somebody is there, until cancelled.

    Parameters
    ----------
    gateway : Gateway
        Connected. Where the venue has no switch, nothing is done.
    after_s : float
        Seconds of silence after which the venue is to cancel everything.
    """
    longest = gateway.capabilities.dead_man_max_ns
    if longest is None:
        return
    after_ns = min(int(after_s * 10**9), longest)
    while True:
        pause = after_ns / 1e9 / _RENEWALS
        try:
            await asyncio.wait_for(gateway.dead_man(after_ns), _ANSWER_S)
        except (GatewayError, TimeoutError):
            pause = min(_AGAIN_S, pause)
        await asyncio.sleep(pause)


async def release_switch(gateway: Gateway) -> None:
    """Leave our orders where they are, since a person stops the fund in order."""
    try:
        if gateway.capabilities.dead_man_max_ns is not None:
            await asyncio.wait_for(gateway.dead_man(0), _ANSWER_S)
    except (GatewayError, TimeoutError) as error:
        _log.warning("the dead-man switch stays on", extra={"error": str(error)})
