"""From a ``[[venue]]`` of a fund file to the gateway of one of the fund's processes."""

import secrets

from quantvista.errors import ConfigError
from quantvista.fund import VenueSection
from quantvista.trading.control import Place
from quantvista.trading.gateway import Clock
from quantvista.trading.gateway.http import HttpTransport
from quantvista.trading.paper._auth import Credentials
from quantvista.trading.paper.gateway import PaperGateway

__all__ = ["linked_gateway"]


def linked_gateway(venue: VenueSection, place: Place, name: str, clock: Clock) -> PaperGateway:
    """Make a gateway with the key of a process; it is not connected yet.

    Parameters
    ----------
    venue : VenueSection
        Of kind paper.
    place : Place
        The state folder, which holds the keys.
    name : str
        Of the key.
    clock : Clock
        Ours.

    Raises
    ------
    ConfigError
        If the venue is of another kind, or there is no such key.
    ControlError
        If the file of keys is damaged, or others may read it.
    """
    if not venue.is_paper:
        raise ConfigError(
            f"`venue.kind` must be paper for a fund that runs; found {venue.kind} for "
            f"'{venue.id}'. `qv run` runs a fund over its data"
        )
    key = place.key(name, venue.id)
    if key is None:
        raise ConfigError(
            f"the key '{name}' of venue '{venue.id}' must be in {place.folder}/keys.json; found "
            "none. `qv up` makes the keys of a paper venue beside the fund file; of another one, "
            "make it there with `qv paper key` and put it in"
        )
    assert venue.url is not None, "a paper venue has a default"
    # Nonces must differ from those of a process before, whatever it drew.
    return PaperGateway(
        HttpTransport(venue.url),
        venue.venue or venue.id,
        Credentials(key.key, key.secret),
        clock,
        seed=secrets.randbits(63),
    )
