"""Frames ready to go out: those that feeds name, once each was asked for."""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from broadcaster.web.edge.wire import head
from broadcaster.web.feeds.cache import FeedCache

KEPT = 512
TYPES = {"png": b"image/png", "bin": b"application/octet-stream", "xbm": b"image/x-xbitmap"}
_FOREVER = b"public, max-age=31536000, immutable"
_NAME = re.compile(rb'"([0-9a-f]{64})"')
_FILE = re.compile(r"([0-9a-f]{64})\.(png|bin|xbm)")


@dataclass(frozen=True)
class Frame:
    """A frame's file: its tag, its bytes, and the heads of both answers."""

    etag: bytes
    body: bytes
    whole: bytes
    unchanged: bytes


class Frames:
    """Files by name. What no feed in memory names is not looked for in the database."""

    def __init__(self, cache: FeedCache, read: Callable[[str, str], bytes | None]) -> None:
        self._cache, self._read = cache, read
        self._held: OrderedDict[str, Frame] = OrderedDict()
        self._named: frozenset[str] | None = None
        self._lacking: set[str] = set()

    def changed(self) -> None:
        """Feeds have changed, and with them what they name. Safe from any thread."""
        self._named = None

    def held(self, file: str) -> Frame | None:
        """The file, where it is in memory."""
        return self._held.get(file)

    def is_named(self, file: str) -> bool:
        """Whether a feed names the frame of that file."""
        found = _FILE.fullmatch(file)
        if found is None or file in self._lacking:
            return False
        named = self._named
        if named is None:
            self._lacking.clear()
            bodies = [feed.forms[""].body for feed in self._cache.feeds()]
            named = self._named = frozenset(
                name.decode() for body in bodies for name in _NAME.findall(body)
            )
        return found[1] in named

    def fetch(self, file: str) -> None:
        """Takes a file in, where there is such a one. Raises psycopg's errors."""
        name, _, form = file.partition(".")
        body = self._read(name, form)
        if body is None:
            # Named, and without such a form: nobody looks for it again until feeds change.
            self._lacking.add(file)
            return
        tag = f'"{file}"'.encode()
        always = [(b"etag", tag), (b"cache-control", _FOREVER), (b"x-content-type-options", b"nosniff")]
        size = (b"content-length", str(len(body)).encode())
        whole = head(200, [*always, (b"content-type", TYPES[form]), size])
        while len(self._held) >= KEPT:
            self._held.popitem(last=False)
        self._held[file] = Frame(tag, body, whole, head(304, always))
