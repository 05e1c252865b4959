"""An independent simulator in plain Python, to hold the engine against.

It follows ``docs/engine/bars.md`` and shares no code with ``src`` or ``crates``: whole numbers and
``fractions.Fraction`` only, no arrays, nothing clever. Slow and plain is the point.
"""

from reference.rules import ReferenceInputError
from reference.simulator import Reference

__all__ = ["Reference", "ReferenceInputError"]
