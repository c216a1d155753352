"""How fast something may come: a token bucket, for packets of a peer and for frames of a websocket."""


class RateLimit:
    """A token bucket: `rate` a second sustained, `burst` at once. Times are seconds of one clock."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, 0.0

    def has_room(self, now: float) -> bool:
        """Say whether one more is allowed at `now`, without taking it."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens >= 1

    def take(self) -> None:
        """Take one out of the allowance."""
        self._tokens -= 1

    def allows(self, now: float) -> bool:
        """Take one out of the allowance at `now`, if there is one left."""
        allowed = self.has_room(now)
        if allowed:
            self.take()
        return allowed
