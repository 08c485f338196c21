"""The instant of an answer, read and written out once a millisecond for all who are answered in it."""

import time
from collections.abc import Callable
from datetime import datetime
from email.utils import formatdate


class Stamp:
    """Now, as feeds tell it. Belongs to one thread."""

    def __init__(self, clock: Callable[[], datetime], ticks: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._ticks = clock, ticks
        self._tick, self._second = -1, -1
        self._at = clock()
        self._date = self._lines = b""

    @property
    def at(self) -> datetime:
        """The instant."""
        self._look()
        return self._at

    @property
    def date(self) -> bytes:
        """The header Date, as a line (RFC 9110 §6.6.1)."""
        self._look()
        return self._date

    def told(self) -> tuple[datetime, bytes]:
        """The instant, and the lines of Date and X-Server-Time."""
        self._look()
        return self._at, self._lines

    def _look(self) -> None:
        tick = int(self._ticks() * 1000)
        if tick == self._tick:
            return
        self._tick, self._at = tick, self._clock()
        timestamp = self._at.timestamp()
        second = int(timestamp)
        if second != self._second:
            self._date = b"date: %s\r\n" % formatdate(second, usegmt=True).encode()
            self._second = second
        self._lines = b"%sx-server-time: %d\r\n" % (self._date, int(timestamp * 1000))
