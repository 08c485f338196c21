"""A request as the parser found it, and where it goes."""

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import httptools

from broadcaster.web.feeds.polls import FEED_PATH, FORMS, HINTS_PATH

_FEEDS = {(FEED_PATH + suffix).encode(): suffix for suffix in FORMS}
_FRAMES = b"/v1/frames/"
_OTHERS = {b"/healthz": "health", b"/metrics": "metrics", HINTS_PATH.encode(): "hints"}


class Request(NamedTuple):
    """What the edge reads of a request: its body is none."""

    method: str
    target: bytes
    authorization: str
    tags: bytes
    prefer: bytes
    state: bytes
    keep_alive: bool


class Place(NamedTuple):
    """What a target names: a feed by its suffix, a frame by its file's name, or what has one address."""

    kind: str
    name: str
    target: str
    """The path with its query, as it was sent: what is signed of it."""


class TargetError(Exception):
    """The target is no address."""


_KNOWN = {path: Place("feed", suffix, path.decode()) for path, suffix in _FEEDS.items()}


def place_of(target: bytes) -> Place | None:
    """Where a request goes; None where there is nothing. Raises TargetError."""
    known = _KNOWN.get(target)
    if known is not None:
        return known
    path, query = _parts(target)
    sent = (path + (b"?" + query if query else b"")).decode("latin-1")
    path = unquote_to_bytes(path)
    if (suffix := _FEEDS.get(path)) is not None:
        return Place("feed", suffix, sent)
    if path.startswith(_FRAMES):
        return Place("frame", path[len(_FRAMES) :].decode("latin-1"), sent)
    if (kind := _OTHERS.get(path)) is not None:
        return Place(kind, "", sent)
    return None


def _parts(target: bytes) -> tuple[bytes, bytes]:
    """Path and query, of a target in origin or absolute form (RFC 9112 §3.2)."""
    if target.startswith(b"/"):
        path, _, query = target.partition(b"#")[0].partition(b"?")
        return path, query
    try:
        found = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise TargetError from None
    return found.path or b"/", found.query or b""
