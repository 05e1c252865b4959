"""How a fund stands, on the whole terminal, until somebody has seen enough."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from quantvista.cli._print import console
from quantvista.cli._status import Standing, gather
from quantvista.cli._status_view import standing_view
from quantvista.trading.control import Place

__all__ = ["View", "watch"]


class View:
    """Draws on a terminal, each time over what was there before, so that nothing flickers.

    Parameters
    ----------
    place : Place
        The state folder.
    foot : str
        The last line: what the reader can do.
    out : rich.console.Console
        The terminal.
    """

    def __init__(self, place: Place, foot: str, out: Console | None = None) -> None:
        self._place = place
        self._foot = foot
        self._out = out or console()
        self._live = Live(console=self._out, auto_refresh=False, screen=True)
        self.found: Standing | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Hold the terminal while the block lasts; then it is as it was."""
        with self._live:
            yield

    def draw(self, found: Standing) -> None:
        """Draw what the processes said."""
        self.found = found.after(self.found)
        self._live.update(self.whole(self.found), refresh=True)

    def look(self) -> Standing:
        """Ask the processes."""
        return gather(self._place)

    def whole(self, found: Standing) -> RenderableType:
        """Put everything together, for the height of the terminal."""
        room = self._out.height - 2
        return Group(standing_view(found, room), Text(""), Text(self._foot, "dim"))


def watch(place: Place, found: Standing, every_s: float) -> Standing:
    """Show a fund that runs until Ctrl-C, which ends the view and not the fund."""
    view = View(place, "Ctrl-C ends this view; the fund runs on")
    with view.shown(), contextlib.suppress(KeyboardInterrupt):
        while True:
            view.draw(found)
            time.sleep(every_s)
            found = view.look()
    assert view.found is not None, "it was drawn"
    return view.found
