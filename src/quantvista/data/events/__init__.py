"""Market events for runs: quotes, trades and books of files, in one order with bars and a clock."""

from quantvista.data.events._clock import Clock, clock_tape, session_clock
from quantvista.data.events._read import read_events
from quantvista.data.events._spec import FORMATS, EventSource

__all__ = ["FORMATS", "Clock", "EventSource", "clock_tape", "read_events", "session_clock"]
