"""Every error that QuantVista raises on purpose, by family.

Bad input and a bad environment raise. Market outcomes (a rejection, no liquidity) are values
in the results instead, and programmer mistakes are assertions.

Examples
--------
>>> from quantvista.errors import ConfigError, QuantVistaError
>>> issubclass(ConfigError, QuantVistaError), ConfigError.exit_code
(True, 2)
"""

from collections.abc import Callable
from typing import ClassVar

__all__ = [
    "BackupError",
    "ConfigError",
    "ControlError",
    "EngineError",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "MarketDataError",
    "OutputError",
    "QuantVistaError",
    "RunInterruptedError",
    "StrategyError",
]


class QuantVistaError(Exception):
    """Base of all errors raised on purpose; ``exit_code`` is what ``qv`` ends with."""

    exit_code: ClassVar[int] = 1


class ConfigError(QuantVistaError, ValueError):
    """A fund file, an option or a parameter that cannot be used as it stands."""

    exit_code = 2


class MarketDataError(QuantVistaError, ValueError):
    """Market data that is missing, malformed or contradicts itself."""

    exit_code = 3


class StrategyError(QuantVistaError, RuntimeError):
    """A strategy that cannot be loaded, raised, or returned what it must not."""

    exit_code = 4


class EngineError(QuantVistaError, RuntimeError):
    """The engine refused an input; the run cannot go on."""


class JournalError(QuantVistaError, RuntimeError):
    """A journal that cannot be gone on with; end the process and open it anew."""


class JournalLockedError(JournalError):
    """Another process writes the journal."""


class JournalDamagedError(JournalError):
    """Something in a journal or a seal is not what was written.

    Parameters
    ----------
    text : str
        All of it, for people.
    file : str
        The segment, snapshot or seal; empty where no file is to blame.
    offset : int
        The byte of the file at which the first thing begins that does not verify.
    after : int
        The last record before it, 0 if there is none.
    problem : str
        What does not verify.
    """

    exit_code = 3

    def __init__(
        self, text: str, file: str = "", offset: int = 0, after: int = 0, problem: str = ""
    ) -> None:
        super().__init__(text)
        self.file = file
        self.offset = offset
        self.after = after
        self.problem = problem or text


class ControlError(QuantVistaError, RuntimeError):
    """A running fund that is not there, does not answer, or refuses what it was asked."""


class BackupError(QuantVistaError, RuntimeError):
    """A backup that is damaged, of another key, or does not come to what it was made of."""

    exit_code = 3


class OutputError(QuantVistaError, OSError):
    """Results could not be written (disk full, no permission, not a folder)."""


class RunInterruptedError(QuantVistaError, KeyboardInterrupt):
    """The user stopped the run; what was written is marked ``incomplete``."""

    exit_code = 130


def printable(value: object, write: Callable[[object], str] = str) -> str:
    r"""Write a value of users' code so that it can be printed and saved, whatever it is.

    Examples
    --------
    >>> printable(ValueError("not \ud800"))
    'not \\ud800'
    >>> class Silent(Exception):
    ...     def __str__(self):
    ...         raise self
    >>> printable(Silent())
    '<Silent that cannot be written>'
    """
    try:
        text = write(value)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<{type(value).__name__} that cannot be written>"
    return text.encode("utf-8", "backslashreplace").decode()
