"""Numbers on the wire that wrap around, such as the sequence numbers and timestamps of RTP."""


class Unwrapper:
    """Turns numbers of `bits` bits that wrap around into numbers that do not. The first one stays as it is."""

    def __init__(self, bits: int) -> None:
        self._mask, self._half = (1 << bits) - 1, 1 << bits - 1
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """The number with these low bits that is nearest to the largest one so far. It may be below 0."""
        if self._last is None:
            self._last = value
            return value
        near = self._last + ((value - self._last + self._half) & self._mask) - self._half
        self._last = max(self._last, near)
        return near
