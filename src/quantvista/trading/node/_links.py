"""A venue as the node sees it: its connection, what was heard of it, and what still is to be."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantvista.market import Instrument
from quantvista.trading.gateway import AccountSnapshot, GatewayError, Report
from quantvista.trading.node._bodies import Doubted
from quantvista.trading.node._events import Event, Translator, Untranslatable
from quantvista.trading.node._purse import Purse
from quantvista.trading.node._sender import Answer, Sender
from quantvista.trading.node._sense import unbookable
from quantvista.trading.node._terms import VenueLink

__all__ = ["Link", "doubted", "reached"]

_log = logging.getLogger(__name__)
_PAUSE_S = 0.2
_PAUSE_MAX_S = 5.0


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
    purse : Purse
        What money must be there.

    Attributes
    ----------
    besides : dict of str to int
        What else is on the account, by currency in 1e-12: it is not the fund's.
    """

    place: int
    venue: VenueLink
    translator: Translator
    sender: Sender
    heard: int = 0
    purse: Purse = field(default_factory=Purse)
    besides: dict[str, int] = field(default_factory=dict)
    connected: bool = False
    forgot: bool = False
    renumber: bool = False
    foreign: bool = False
    unbooked: bool = False
    snapshot: AccountSnapshot | None = None
    asked: bool = False
    due_at: int = 0
    compared_at: int = 0
    clean: bool = False
    differences: list[str] = field(default_factory=list)
    last_report_ts: int = 0
    lag_ns: int = 0
    _refusal: str = ""

    @property
    def doubts(self) -> set[tuple[str, str]]:
        """What a person is to judge: venue and cause, as records name them."""
        causes = {"foreign": self.foreign, "forgot": self.forgot, "unbooked": self.unbooked}
        return {(self.venue.id, cause) for cause, on in causes.items() if on}

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
        if self.unbooked:
            return f"{name} told of something that the books cannot hold: look, then resume"
        if not self.clean:
            found = self.differences
            return f"{name}: {found[0]}" if found else f"{name} is being compared with the books"
        return ""

    def clock_reason(self, skew_ns: int) -> str:
        """Say whether its clock differs from ours by more than that; empty if not."""
        is_off = self.connected and abs(self.venue.gateway.clock_offset_ns) > skew_ns
        return f"the clock of {self.venue.id} differs from ours" if is_off else ""

    def doubt_again(self, doubts: Collection[tuple[str, str]]) -> None:
        """Take over what a process before left for people to judge."""
        self.foreign = (self.venue.id, "foreign") in doubts
        self.forgot = (self.venue.id, "forgot") in doubts
        self.unbooked = (self.venue.id, "unbooked") in doubts

    def take_up(self, order: Mapping[str, Any], client_id: str) -> bool:
        """Ask about an order that a process before had sent, and cancel it if that was wanted.

        Parameters
        ----------
        order : mapping
            One that works, as the engine has it.
        client_id : str
            Its name at the venue.

        Returns
        -------
        bool
            Whether the engine still takes it for sent, and must hear that nothing is known.
        """
        if order["status"] in ("submitted", "unknown"):
            self.sender.ask(order["id"], client_id)
        if order["cancel_requested"]:
            self.sender.cancel(order["id"], client_id)
        return bool(order["status"] == "submitted")

    def events_of(
        self, report: Report, instruments: Sequence[Instrument], note: Callable[[str], None]
    ) -> list[Event] | None:
        """Write a report as inputs; one that cannot be booked is None, and for people.

        A comparison of the account finds it too. An engine would refuse it, and the next process
        would get it again.
        """
        at = self.translator.places.get(getattr(report, "instrument", ""))
        problem = unbookable(report, None if at is None else instruments[at])
        try:
            if not problem:
                return self.translator.report(report)
        except Untranslatable as error:
            problem = str(error)
        self.unbooked = True
        _log.warning("report not booked: %s", problem, extra={"venue": self.venue.id})
        note(f"{self.venue.id} told of what cannot be booked: {problem}")
        return None

    def refused(self, answer: Answer, note: Callable[[str], None]) -> bool:
        """Say whether the venue refused an order; ``note`` is told once as long as it is the same.

        What never left, for want of leave or of a connection, is no refusal of the venue's.
        """
        why = answer.text.partition(":")[0]
        if answer.answer != "rejected" or not answer.ts or why == "not_sent":
            return False
        if why != self._refusal:
            note(f"{self.venue.id} refused order {answer.order}: {answer.text}")
        self._refusal = why
        return True

    def judged(self) -> bool:
        """Take it that a person has looked at what only people can judge.

        Returns
        -------
        bool
            Whether the account is to be compared anew.
        """
        had_forgotten, self.foreign, self.forgot = self.forgot, False, False
        self.unbooked = False
        if had_forgotten:
            self.clean = False
        return had_forgotten


def doubted(links: Sequence[Link], known: set[tuple[str, str]]) -> list[Doubted]:
    """Say what is to be judged by people since the last look, or not any more.

    Parameters
    ----------
    links : sequence of Link
        All venues.
    known : set of (str, str)
        What was said before; brought up to date.

    Returns
    -------
    list of Doubted
        Records that a restart goes by: what waits for a person waits for one after it, too.
    """
    now = {each for link in links for each in link.doubts}
    found = [Doubted(*each, on=each in now) for each in sorted(now ^ known)]
    known.clear()
    known.update(now)
    return found


async def reached(link: Link, ask: Callable[[], Awaitable[None]]) -> None:
    """Ask a venue until it answers; what is wrong until then is a difference.

    Parameters
    ----------
    link : Link
        Of the venue.
    ask : callable
        Asks it once.
    """
    pause = _PAUSE_S
    while True:
        try:
            await ask()
            return
        except GatewayError as error:
            _log.warning("venue not reached", extra={"venue": link.venue.id})
            link.differences = [str(error)]
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_MAX_S)
