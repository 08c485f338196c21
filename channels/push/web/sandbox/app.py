"""The double's requests: pushes as RFC 8030, 8291 and 8292 want them, and what tests ask of it."""

import base64
import json
import os
import re
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from channels.push.sandbox.estate import Estate
from channels.push.sandbox.journal import Journal
from channels.push.sandbox.server import run
from channels.push.sandbox.wire import Asked, Fields, Wire
from channels.push.web.sandbox.browser import PATH, browser
from channels.push.web.seal import CURVE, RECORD, SealError, opened

KEPT = 1000
BY_PREFIX = {"gone-": 410, "expired-": 404, "never-": 503, "moved-": 307, "large-": 413, "theirs-": 403}
_VAPID = re.compile(r"vapid t=([\w.-]+), ?k=([\w-]+)")
_TOPIC = re.compile(r"[\w-]{1,32}")
_URGENCIES = {"very-low", "low", "normal", "high"}
JSON = (("content-type", "application/json"),)


class _Refusal(Exception):  # noqa: N818 (an answer, not an error of ours)
    def __init__(self, status: int, reason: str, *fields: tuple[str, str]) -> None:
        super().__init__(reason)
        self.status, self.reason, self.fields = status, reason, fields


class PushServiceApp:
    """One double. Its subscriptions are bound to the first application key that it sees (RFC 8292 §4).

    It has no clock: a token must have an end, and nobody looks whether that is past.
    """

    streams = 100
    waiting = 0

    def __init__(self, estate: Estate, journal: Journal) -> None:
        self._url, self._journal = estate.url, journal
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._busy: set[tuple[str, str]] = set()
        self._key = ""

    def settle(self) -> None:
        """See wire.App."""
        self._journal.flush()

    def handle(self, asked: Asked, wire: Wire) -> None:
        """Answers one request."""
        match asked.method, asked.path:
            case "POST", path if path.startswith(PATH):
                self._push(asked, path.removeprefix(PATH), wire)
            case "GET", "/sandbox/count":
                count = self._journal.count()
                told = vars(count) | {"duplicates": count.duplicates, "pid": os.getpid()}
                wire.answer(200, JSON, json.dumps(told).encode())
            case "GET", "/sandbox/messages":
                limit = int(parse_qs(asked.query).get("limit", ["100"])[0])
                wire.answer(200, JSON, json.dumps(list(self._kept)[-limit:]).encode())
            case _:
                wire.answer(404, (), b"")

    def _push(self, asked: Asked, name: str, wire: Wire) -> None:
        try:
            self._check_sender(asked)
            told = self._read(asked, name)
            self._refuse_by_name(name, asked.headers["topic"])
        except _Refusal as refusal:
            self._journal.refuse(refusal.reason)
            fields: Fields = refusal.fields
            wire.answer(refusal.status, fields, b"")
            return
        self._journal.accept(name, told["tag"], str(told["version"]))
        headers = {each: asked.headers[each] for each in ("ttl", "urgency", "topic")}
        self._kept.append({"suffix": name[-6:], "told": told, "headers": headers})
        wire.answer(201, (("location", f"{self._url}/message/{len(self._kept)}"),), b"")

    def _check_sender(self, asked: Asked) -> None:
        found = _VAPID.fullmatch(asked.headers.get("authorization", ""))
        if found is None:
            raise _Refusal(401, "NO_VAPID")
        raw = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, raw)
            required: Any = {"verify_exp": False, "require": ["aud", "exp", "sub"]}
            jwt.decode(found[1], key, ["ES256"], audience=self._url, options=required)
        except (ValueError, jwt.InvalidTokenError):
            raise _Refusal(401, "BAD_VAPID") from None
        self._key = self._key or found[2]
        if self._key != found[2]:
            raise _Refusal(403, "OTHER_KEY")

    def _read(self, asked: Asked, name: str) -> dict[str, Any]:
        headers = asked.headers
        if not headers.get("ttl", "").isdigit():
            raise _Refusal(400, "BAD_TTL")
        if headers.get("urgency", "normal") not in _URGENCIES:
            raise _Refusal(400, "BAD_URGENCY")
        if _TOPIC.fullmatch(headers.get("topic", "")) is None:
            raise _Refusal(400, "BAD_TOPIC")
        if headers.get("content-encoding") != "aes128gcm":
            raise _Refusal(415, "BAD_ENCODING")
        if len(asked.body) > RECORD:
            raise _Refusal(413, "TOO_LARGE")
        try:
            # A real service cannot look; the browser would drop it unseen.
            return json.loads(opened(asked.body, *browser(name)))
        except (SealError, ValueError):
            raise _Refusal(400, "UNREADABLE") from None

    def _refuse_by_name(self, name: str, topic: str) -> None:
        prefix = name.partition("-")[0] + "-"
        if prefix == "busy-" and (name, topic) not in self._busy:
            self._busy.add((name, topic))
            raise _Refusal(429, "TOO_MANY", ("retry-after", "1"))
        if prefix in BY_PREFIX:
            status = BY_PREFIX[prefix]
            away = (("location", "https://elsewhere.example/"),) if prefix == "moved-" else ()
            raise _Refusal(status, f"HTTP_{status}", *away)


def serve_browsers(folder: Path, parent: int | None = None) -> None:
    """Serves from this folder until SIGTERM or SIGINT, or until the pipe `parent` closes."""
    run(folder, parent, PushServiceApp)
