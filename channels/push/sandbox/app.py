"""The double's requests: tokens, messages, and what tests ask of it (RSGI, granian's interface)."""

import asyncio
import json
import os
import socket
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs

from pydantic import ValidationError

from channels.push.sandbox.behaviour import BY_PREFIX, FAULTS, Behaviour
from channels.push.sandbox.estate import PROJECT
from channels.push.sandbox.journal import Journal
from channels.push.sandbox.oauth import GrantError, TokenOffice
from channels.push.sandbox.shape import FcmMessage, ShapeError, parsed

KEPT = 1000
"""Messages it remembers, for tests to look at."""
SEND = f"/v1/projects/{PROJECT}/messages:send"
JSON = ("content-type", "application/json; charset=UTF-8")
HTML = b"<!DOCTYPE html><title>Error</title>"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


class Scope(Protocol):
    """What RSGI says of a request."""

    method: str
    path: str
    query_string: str
    client: str
    headers: Mapping[str, str]


class Wire(Protocol):
    """What RSGI answers through."""

    async def __call__(self) -> bytes:
        """The request's body."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answers."""
        ...


class _Refusal(Exception):  # noqa: N818 (an answer, not an error of ours)
    """An FCM error to answer with."""

    def __init__(self, name: str, words: str = "", field: str = "", retry_after: str | None = None) -> None:
        super().__init__(name)
        self.name, self.words, self.field, self.retry_after = name, words, field, retry_after


class _Accepted(NamedTuple):
    body: bytes
    client: str


class FcmApp:
    """One double: its journal, its tokens, its moods."""

    def __init__(self, journal: Journal, office: TokenOffice) -> None:
        self._journal, self._office = journal, office
        self._behaviour = Behaviour()
        self._dice = Random()  # noqa: S311 (which fault comes next is no secret)
        self._kept: deque[_Accepted] = deque(maxlen=KEPT)
        self._busy: set[tuple[str, str, str]] = set()
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Lets go of the requests that are kept without an answer."""
        self._closing.set()

    async def __rsgi__(self, scope: Scope, wire: Wire) -> None:
        """Answers one request."""
        body = await wire()
        match scope.method, scope.path:
            case "POST", path if path == SEND:
                await self._send(scope, wire, body)
            case "POST", "/token":
                await self._token(scope, wire, body)
            case "GET", "/sandbox/count":
                count = self._journal.count()
                now = {"tokens_granted": self._office.granted, "pid": os.getpid()}
                answer(wire, 200, vars(count) | {"duplicates": count.duplicates} | now)
            case "GET", "/sandbox/messages":
                answer(wire, 200, self._messages(scope.query_string))
            case "POST", "/sandbox/behaviour":
                self._behave(wire, body)
            case _:
                answer(wire, 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "Not found."}})

    async def _send(self, scope: Scope, wire: Wire, body: bytes) -> None:
        mood = self._behaviour
        if mood.latency_ms:
            await asyncio.sleep(mood.latency_ms / 1000)
        try:
            message = self._checked(scope, body)
            self._refuse_some(message, mood)
        except _Refusal as refusal:
            self._journal.refuse(refusal.name)
            answer_error(wire, refusal)
            return
        data = message.data
        self._journal.accept(message.address, data.get("alert_id", "-"), data.get("version", "-"))
        self._kept.append(_Accepted(body, scope.client))
        await self._answer_accepted(scope, wire, mood)

    def _checked(self, scope: Scope, body: bytes) -> FcmMessage:
        if not self._office.knows(scope.headers.get("authorization")):
            raise _Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
        try:
            return parsed(body).message
        except ShapeError as error:
            raise _Refusal("INVALID_ARGUMENT", str(error), error.field) from error

    def _refuse_some(self, message: FcmMessage, mood: Behaviour) -> None:
        """Raises the refusal that the address or the dice call for."""
        prefix = message.address.partition("-")[0] + "-"
        if prefix in BY_PREFIX:
            self._refuse_by_address(prefix, message)
        lot = self._dice.random()
        for name, share in mood.errors.items():
            lot -= share
            if lot < 0:
                raise _Refusal(name, retry_after=mood.retry_after)

    def _refuse_by_address(self, prefix: str, message: FcmMessage) -> None:
        name = BY_PREFIX[prefix]
        match prefix:
            case "busy-":
                key = (message.address, message.data.get("alert_id", ""), message.data.get("version", ""))
                if key in self._busy:
                    return
                self._busy.add(key)
                raise _Refusal(name, retry_after="1")
            case "bad-":
                raise _Refusal(name, field="message.token" if message.token else "message.fid")
            case "malformed-":
                raise _Refusal(name, "The registration token is not a valid FCM registration token")
            case _:
                raise _Refusal(name)

    async def _answer_accepted(self, scope: Scope, wire: Wire, mood: Behaviour) -> None:
        lot = self._dice.random()
        if lot < mood.bad_body:
            wire.response_bytes(200, [("content-type", "text/html")], HTML)
        elif lot < mood.bad_body + mood.reset:
            cut(scope.client)
            await self._closing.wait()
        elif lot < mood.bad_body + mood.reset + mood.silent:
            await self._closing.wait()
        else:
            name = f'{{"name":"projects/{PROJECT}/messages/{self._dice.getrandbits(63)}"}}'
            wire.response_bytes(200, [JSON], name.encode())

    async def _token(self, scope: Scope, wire: Wire, form: bytes) -> None:
        if self._behaviour.token_endpoint_down:
            cut(scope.client)
            await self._closing.wait()
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
        for body, client in list(self._kept)[-limit:]:
            message = json.loads(body)["message"]
            address = message.pop("token", None) or message.pop("fid", "")
            found.append({"suffix": address[-6:], "connection": client, "message": message})
        return found


def answer(wire: Wire, status: int, content: Any, *headers: tuple[str, str]) -> None:
    """Answers with JSON."""
    wire.response_bytes(status, [JSON, *headers], json.dumps(content).encode())


def answer_error(wire: Wire, refusal: _Refusal) -> None:
    """Answers as FCM does: a canonical status, and details that name FCM's own error and the field."""
    fault = FAULTS[refusal.name]
    details: list[dict[str, Any]] = [{"@type": FCM_ERROR, "errorCode": refusal.name}]
    if refusal.field:
        violation = {"field": refusal.field, "description": refusal.words}
        details.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    error = {"code": fault.http, "message": refusal.words, "status": fault.status, "details": details}
    headers = [("retry-after", refusal.retry_after)] if refusal.retry_after else []
    answer(wire, fault.http, {"error": error}, *headers)


def cut(client: str) -> None:
    """Cuts the TCP connection from this client (host:port), with all that is under way on it.

    RSGI has no such call; the socket is found among the process's own.
    """
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as line:
            if line.family == socket.AF_INET and "{}:{}".format(*line.getpeername()) == client:
                line.shutdown(socket.SHUT_RDWR)
                return
