"""Frames and the feed's other forms, made when first asked for and kept in memory."""

import json
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.web.feeds.served import JSON, Form, Served, form
from channels.led import forms
from channels.led.draw import decode, png
from channels.led.pattern import pattern_frames
from projections.feeds import view
from projections.feeds.render import etag, frame_names
from schemas.displays import Colours, display

KEPT = 512
"""Frames in memory, 400 bytes to 50 kB each."""
_TYPES = {"txt": "text/plain; charset=utf-8", "multi": JSON, "bin": "application/octet-stream"}


class NotOneBitError(Exception):
    """Raw bits were asked for a display that has more than one a pixel."""


class FeedForms:
    """Forms of feeds, and frames by their names."""

    def __init__(self, pool: ConnectionPool[Any], sign: Callable[[bytes], str]) -> None:
        self._pool, self._sign = pool, sign
        self._kept = lru_cache(KEPT)(self._read)

    def form(self, feed: Served, suffix: str) -> Form | None:
        """The feed in another form; None where a frame of it is gone, for a newer feed is on its way.

        Raises NotOneBitError.
        """
        found = feed.forms.get(f".{suffix}")
        if found is None:
            body = self._body(json.loads(feed.forms[""].body), suffix)
            if body is None:
                return None
            # Kept with the feed: its next change drops it, and the front serves it from now on.
            found = feed.forms[f".{suffix}"] = form(etag(body), body, _TYPES[suffix], self._sign)
        return found

    def frame(self, sha256: str, suffix: str) -> bytes | None:
        """A frame as raw bits behind a header, as PNG or as XBM; None where there is none of that form."""
        try:
            return self._kept(sha256, suffix)
        except LookupError:
            return None

    def _body(self, feed: dict[str, Any], suffix: str) -> bytes | None:
        match suffix:
            case "txt":
                return forms.text(feed)
            case "multi":
                return forms.multi(feed)
            case _:
                if display(feed["profile"]).colours is not Colours.ONE_BIT:
                    raise NotOneBitError(f"{feed['profile']} has more than one bit a pixel")
                frames = {name: self.frame(name, "bin") for name in frame_names(feed["items"])}
                known = {name: body for name, body in frames.items() if body is not None}
                return forms.bits(feed, known) if len(known) == len(frames) else None

    def _read(self, sha256: str, suffix: str) -> bytes:
        # What is not found is not kept: it may be made a moment later.
        with self._pool.connection() as conn:
            body = view.frame(conn, sha256) or pattern_frames().get(sha256)
        if body is None:
            raise LookupError(sha256)
        raw = not body.startswith(b"\x89PNG")
        if suffix == "bin" and raw:
            return body
        if suffix == "png":
            return png(decode(body)) if raw else body
        if suffix == "xbm" and raw:
            out = BytesIO()
            decode(body).save(out, "XBM")
            return out.getvalue()
        raise LookupError(sha256)
