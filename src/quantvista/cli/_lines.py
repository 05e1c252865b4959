"""What processes of a fund log, as lines."""

import logging
import sys
import time

__all__ = ["log_in_lines"]

_ORDINARY = frozenset(vars(logging.makeLogRecord({})))


class _Lines(logging.Formatter):
    """A line for each event: time, level, phrase, fields."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: each for name, each in vars(record).items() if name not in _ORDINARY}
        fields = " ".join(f"{name}={each}" for name, each in extra.items() if name != "message")
        return f"{super().format(record)} {fields}".rstrip()


def log_in_lines() -> None:
    """Write log records to standard output from now on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
