"""Reading the log a page ahead: the next is read and parsed while the database writes this one's rows."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Self

from projections.projection import ReadLog
from schemas.events import Recorded


class ReadAhead:
    """A ReadLog for one who goes through much of the log. Enter it; leaving waits for the read under way.

    Only a full page is taken from ahead: what a shorter one left out may have come since.
    """

    def __init__(self, read: ReadLog) -> None:
        self._read = read
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._guess: tuple[_Question, Future[Sequence[Recorded]]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._reader.shutdown(cancel_futures=True)

    def __call__(self, after: int, limit: int, topics: Sequence[str]) -> Sequence[Recorded]:
        """As ReadLog, and raises what it does, for the page that is asked for."""
        asked = _Question(after, limit, tuple(topics))
        page = self._guessed(asked) or self._read(*asked)
        if len(page) == limit > 1:
            coming = asked._replace(after=page[-1].position)
            self._guess = coming, self._reader.submit(self._read, *coming)
        return page

    def _guessed(self, asked: "_Question") -> Sequence[Recorded] | None:
        """The full page, if that is what was read ahead, and it could be."""
        guess, self._guess = self._guess, None
        if guess is None or guess[0] != asked or guess[1].exception() is not None:
            return None
        page = guess[1].result()
        return page if len(page) == asked.limit else None


class _Question(NamedTuple):
    after: int
    limit: int
    topics: tuple[str, ...]
