"""Market events for runs: quotes, trades and books of files, in one order with bars and a clock."""

from quantvista.data._event_source import FORMATS, EventSource
from quantvista.data.events._actions import (
    actions_of_factors,
    parse_action,
    read_actions,
    read_factors,
)
from quantvista.data.events._clock import Clock, clock_tape, session_clock
from quantvista.data.events._flow import Flow, FlowTerms, random_walk
from quantvista.data.events._generated import GENERATED_MARKETS
from quantvista.data.events._growth import growth
from quantvista.data.events._load import EventData, load_events
from quantvista.data.events._mids import tape_mids
from quantvista.data.events._read import read_event_table, read_events

__all__ = [
    "FORMATS",
    "GENERATED_MARKETS",
    "Clock",
    "EventData",
    "EventSource",
    "Flow",
    "FlowTerms",
    "actions_of_factors",
    "clock_tape",
    "growth",
    "load_events",
    "parse_action",
    "random_walk",
    "read_actions",
    "read_event_table",
    "read_events",
    "read_factors",
    "session_clock",
    "tape_mids",
]
