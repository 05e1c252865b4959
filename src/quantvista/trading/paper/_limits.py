"""Rate limits: so many requests a second, and as many at once."""

__all__ = ["RateLimiter"]

_SECOND = 10**9


class RateLimiter:
    """A bucket that fills evenly.

    Parameters
    ----------
    per_second : int or None
        Requests; None for no limit.

    Examples
    --------
    >>> limiter = RateLimiter(2)
    >>> [limiter.take(at) for at in (0, 0, 0, 500_000_000)]
    [0, 0, 500000000, 0]
    """

    def __init__(self, per_second: int | None) -> None:
        self._step = None if per_second is None else -(-_SECOND // per_second)
        self._burst = per_second or 0
        self._due = 0  # when the bucket would be full again

    def take(self, now: int) -> int:
        """Take one; 0 if there is one, else nanoseconds until there is."""
        if self._step is None:
            return 0
        wait = self._due - now - self._step * (self._burst - 1)
        if wait > 0:
            return wait
        self._due = max(self._due, now) + self._step
        return 0
