"""Universes: which instruments could be chosen at a time, by what was known then."""

from quantvista.data.universes._build import Universe, build_universe
from quantvista.data.universes._membership import MEMBER_COLUMN, Membership
from quantvista.data.universes._read import (
    read_membership,
    read_universe_source,
    store_universe,
    stored_table,
)
from quantvista.data.universes._rules import UniverseRules, read_rules

__all__ = [
    "MEMBER_COLUMN",
    "Membership",
    "Universe",
    "UniverseRules",
    "build_universe",
    "read_membership",
    "read_rules",
    "read_universe_source",
    "store_universe",
    "stored_table",
]
