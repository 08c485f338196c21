"""The double's requests: tokens, messages, and what tests ask of it."""

import asyncio
import json
import os
import re
from collections import Counter, deque
from random import Random
from typing import Any
from urllib.parse import parse_qs

from pydantic import ValidationError

from channels.push.sandbox.answering import JSON, Refusal, answer, answer_error
from channels.push.sandbox.behaviour import BY_PREFIX, Behaviour
from channels.push.sandbox.estate import PROJECT
from channels.push.sandbox.journal import Journal
from channels.push.sandbox.memberships import PATHS, Memberships
from channels.push.sandbox.oauth import GrantError, TokenOffice
from channels.push.sandbox.shape import FcmMessage, ShapeError, parsed
from channels.push.sandbox.wire import Asked, Wire

KEPT = 1000
"""Messages it remembers, for tests to look at."""
SEND = f"/v1/projects/{PROJECT}/messages:send"
ME = PROJECT.encode()
ADDRESS = re.compile(rb'"(?:token|fid)": ?"([^"\\]+)"')
"""An address as nearly everyone writes it; any other is left to the parser."""
SHAPES = 64
TOLD = (":method", ":scheme", ":authority", "content-type")
"""Headers that are shown beside a message."""
HTML = b"<!DOCTYPE html><title>Error</title>"


class FcmApp:
    """One double: its journal, its tokens, its moods."""

    def __init__(self, journal: Journal, office: TokenOffice) -> None:
        self._journal, self._office = journal, office
        self._behaviour = Behaviour()
        self._dice = Random()  # noqa: S311 (which fault comes next is no secret)
        self._kept: deque[Asked] = deque(maxlen=KEPT)
        self._busy: set[tuple[str, str, str]] = set()
        self._shapes: dict[tuple[bytes, bytes], FcmMessage] = {}
        self._waiting = Counter[float]()
        """By the latency they were taken at."""
        self._memberships = Memberships()

    @property
    def streams(self) -> int:
        """See wire.App."""
        return self._behaviour.streams

    @property
    def waiting(self) -> int:
        """Messages that are kept waiting for their answer, and will get it."""
        return self._waiting.total()

    def settle(self) -> None:
        """See wire.App."""
        self._journal.flush()

    def handle(self, asked: Asked, wire: Wire) -> None:
        """Answers one request."""
        match asked.method, asked.path:
            case "POST", path if path == SEND:
                self._take(asked, wire)
            case "POST", path if path in PATHS:
                self._subscribe(asked, wire)
            case "GET" | "DELETE", "/sandbox/topics":
                answer(wire, 200, self._memberships.told(forget=asked.method == "DELETE"))
            case "POST", "/token":
                self._token(wire, asked.body)
            case "GET", "/sandbox/count":
                count = self._journal.count()
                now = {
                    "tokens_granted": self._office.granted,
                    "pid": os.getpid(),
                    "waiting": self._waiting[self._behaviour.latency_ms],
                }
                answer(wire, 200, vars(count) | {"duplicates": count.duplicates} | now)
            case "GET", "/sandbox/received":
                alert = parse_qs(asked.query).get("alert", [""])[0]
                answer(wire, 200, {"unique": self._journal.received(alert)})
            case "GET", "/sandbox/messages":
                answer(wire, 200, self._messages(asked.query))
            case "POST", "/sandbox/behaviour":
                self._behave(wire, asked.body)
            case _:
                answer(wire, 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "Not found."}})

    def _take(self, asked: Asked, wire: Wire) -> None:
        mood = self._behaviour
        if not mood.latency_ms:
            self._send(asked, wire, mood)
            return
        self._waiting[mood.latency_ms] += 1
        asyncio.get_running_loop().call_later(mood.latency_ms / 1000, self._send_late, asked, wire, mood)

    def _send_late(self, asked: Asked, wire: Wire, mood: Behaviour) -> None:
        self._waiting[mood.latency_ms] -= 1
        self._send(asked, wire, mood)

    def _send(self, asked: Asked, wire: Wire, mood: Behaviour) -> None:
        lot = self._dice.random()
        if lot < mood.refused_stream:
            wire.reset(unread=True)
            return
        try:
            message, address = self._checked(asked)
            self._refuse_some(message, address, mood)
        except Refusal as refusal:
            self._journal.refuse(refusal.name)
            answer_error(wire, refusal)
            return
        data = message.data
        self._journal.accept(address, data.get("alert_id", "-"), data.get("version", "-"))
        self._kept.append(asked)
        if lot < mood.refused_stream + mood.goaway:
            wire.go_away()
        self._answer_accepted(wire, mood)

    def _checked(self, asked: Asked) -> tuple[FcmMessage, str]:
        """The message, and whom it is for. Of messages that differ in a plain address, one is parsed."""
        if not self._office.knows(asked.headers.get("authorization")):
            raise Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
        body = asked.body
        found = ADDRESS.search(body)
        rest = (body[: found.start(1)], body[found.end(1) :]) if found else None
        if rest in self._shapes and found:
            return self._shapes[rest], found[1].decode()
        try:
            message = parsed(body).message
        except ShapeError as error:
            raise Refusal("INVALID_ARGUMENT", str(error), error.field) from error
        if rest and found and found[1].decode() == message.address:
            if len(self._shapes) >= SHAPES:
                self._shapes.clear()
            self._shapes[rest] = message
        return message, message.address

    def _refuse_some(self, message: FcmMessage, address: str, mood: Behaviour) -> None:
        """Raises the refusal that the address or the dice call for."""
        prefix = address.partition("-")[0] + "-"
        if prefix in BY_PREFIX:
            self._refuse_by_address(prefix, message, address)
        if name := self._fault(mood):
            raise Refusal(name, retry_after=mood.retry_after)

    def _fault(self, mood: Behaviour) -> str:
        """The refusal that the dice call for; empty where they call for none."""
        if not mood.errors:
            return ""
        lot = self._dice.random()
        for name, share in mood.errors.items():
            lot -= share
            if lot < 0:
                return name
        return ""

    def _refuse_by_address(self, prefix: str, message: FcmMessage, address: str) -> None:
        name = BY_PREFIX[prefix]
        match prefix:
            case "busy-":
                key = (address, message.data.get("alert_id", ""), message.data.get("version", ""))
                if key in self._busy:
                    return
                self._busy.add(key)
                raise Refusal(name, retry_after="1")
            case "bad-":
                raise Refusal(name, field="message.token" if message.token else "message.fid")
            case "malformed-":
                raise Refusal(name, "The registration token is not a valid FCM registration token")
            case _:
                raise Refusal(name)

    def _answer_accepted(self, wire: Wire, mood: Behaviour) -> None:
        lot = self._dice.random()
        if (lot := lot - mood.bad_body) < 0:
            wire.answer(200, (("content-type", "text/html"),), HTML)
        elif (lot := lot - mood.reset) < 0:
            wire.cut()
        elif (lot := lot - mood.reset_stream) < 0:
            wire.reset(unread=False)
        elif lot - mood.silent >= 0:
            wire.answer(
                200, (JSON,), b'{"name":"projects/%b/messages/%d"}' % (ME, self._dice.getrandbits(63))
            )

    def _subscribe(self, asked: Asked, wire: Wire) -> None:
        known = self._office.knows(asked.headers.get("authorization"))
        fault = self._fault(self._behaviour) if known else "UNAUTHENTICATED"
        if fault:
            answer_error(wire, Refusal(fault, retry_after=self._behaviour.retry_after))
        else:
            answer(wire, *self._memberships.change(asked))

    def _token(self, wire: Wire, form: bytes) -> None:
        if self._behaviour.token_endpoint_down:
            wire.cut()
            return
        try:
            token = self._office.grant(form)
        except GrantError as error:
            answer(wire, 400, {"error": str(error)})
            return
        answer(
            wire, 200, {"access_token": token, "expires_in": self._office.lifetime, "token_type": "Bearer"}
        )

    def _behave(self, wire: Wire, body: bytes) -> None:
        try:
            self._behaviour = Behaviour.model_validate_json(body)
        except ValidationError as error:
            answer(wire, 400, {"errors": error.errors(include_url=False, include_context=False)})
            return
        if self._behaviour.revoke_tokens:
            self._office.revoke_all()
        if self._behaviour.seed is not None:
            self._dice.seed(self._behaviour.seed)
        self._office.lifetime = self._behaviour.token_lifetime
        answer(wire, 200, self._behaviour.model_dump())

    def _messages(self, query: str) -> list[dict[str, Any]]:
        """The last accepted, oldest first; of an address only its end."""
        limit = int(parse_qs(query).get("limit", ["100"])[0])
        found: list[dict[str, Any]] = []
        for asked in list(self._kept)[-limit:]:
            message = json.loads(asked.body)["message"]
            address = message.pop("token", None) or message.pop("fid", "")
            request = {name: asked.headers.get(name, "").partition(";")[0] for name in TOLD}
            found.append(
                {
                    "suffix": address[-6:],
                    "connection": asked.client,
                    "request": request | {"path": asked.path},
                    "message": message,
                }
            )
        return found
