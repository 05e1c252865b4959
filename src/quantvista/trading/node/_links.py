"""A venue as the node sees it: its connection, what was heard of it, and what still is to be."""

from dataclasses import dataclass, field

from quantvista.trading.gateway import AccountSnapshot
from quantvista.trading.node._events import Translator
from quantvista.trading.node._sender import Sender
from quantvista.trading.node._terms import VenueLink

__all__ = ["Link"]


@dataclass
class Link:
    """One venue.

    Parameters
    ----------
    place : int
        Among the engine's venues.
    venue : VenueLink
        Its terms.
    translator : Translator
        Of its reports.
    sender : Sender
        Of commands to it.
    heard : int
        Its last report in the journal.
    """

    place: int
    venue: VenueLink
    translator: Translator
    sender: Sender
    heard: int = 0
    connected: bool = False
    forgot: bool = False
    renumber: bool = False
    foreign: bool = False
    snapshot: AccountSnapshot | None = None
    asked: bool = False
    due_at: int = 0
    clean: bool = False
    differences: list[str] = field(default_factory=list)
    last_report_ts: int = 0
    lag_ns: int = 0

    @property
    def reason(self) -> str:
        """Why nothing new may be risked there; empty if it may."""
        name = self.venue.id
        if self.forgot:
            return f"venue {name} has lost its memory: compare by hand, then resume"
        if not self.connected:
            return f"venue {name} is not connected"
        if self.foreign:
            return f"somebody else trades on the account at {name}: look, then resume"
        if not self.clean:
            found = self.differences
            return f"{name}: {found[0]}" if found else f"{name} is being compared with the books"
        return ""
