"""The clock that strategies see: the time of the session's present event."""

from datetime import UTC, datetime, timedelta

from quantvista._native import Session

__all__ = ["SessionClock"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SessionClock:
    """Simulated time, never the machine's.

    Parameters
    ----------
    session : Session
        Whose time it shows.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self._session.now

    @property
    def utc(self) -> datetime:
        """The same as an aware datetime, rounded down to the microsecond."""
        return _EPOCH + timedelta(microseconds=self._session.now // 1000)
