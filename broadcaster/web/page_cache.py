"""Rendered pages, kept for a moment."""

import threading
import time
from collections.abc import Callable, Hashable

_FRESH = 1.0
"""Seconds a page is good for: in an emergency the whole city looks at once."""


class PageCache:
    """Pages as they were just rendered. One thread renders, the others wait for what it made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[Hashable, tuple[float, str]] = {}

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        """The page, made at most a second ago. Keys are few: languages by filters."""
        with self._lock:
            until, html = self._pages.get(key, (0.0, ""))
            if until < time.monotonic():
                html = make()
                self._pages[key] = (time.monotonic() + _FRESH, html)
            return html
