"""Whose poll it is, as far as memory knows."""

from collections.abc import Callable
from datetime import datetime

from broadcaster.keys.text import split
from broadcaster.screens.signing import Asked, SignatureError, check, is_signed, parse
from broadcaster.web.edge.answers import Elsewhere, Refused
from broadcaster.web.edge.request import Place, Request
from broadcaster.web.edge.turn import Caller
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.polls import server_time

_CHALLENGE = (b"www-authenticate", b'Bearer realm="broadcaster"')


class Callers:
    """Tells screens by their keys. That a nonce is new is not said here."""

    def __init__(self, cache: FeedCache, clock: Callable[[], datetime]) -> None:
        self._cache, self._clock = cache, clock

    def find(self, request: Request, place: Place) -> Caller:
        """Whose poll it is. Raises Refused, and Elsewhere where its key is not known."""
        authorization = request.authorization
        if is_signed(authorization):
            return self._signer(request, place)
        if authorization[:7].lower() != "bearer ":
            raise Refused("key.missing", "Send `Authorization: Bearer hn_...`.", _CHALLENGE)
        parts = split(authorization[7:].strip())
        if parts is None:
            raise self._unknown()
        screen = self._cache.screens.screen(*parts)
        if screen is None:
            if self._cache.screens.screen_by(parts[0]) is None:
                raise Elsewhere
            raise self._unknown()
        return Caller(screen, parts[0])

    def found_now(self, request: Request, place: Place) -> Caller:
        """The same once memory was refreshed: who is not known now is nobody. Raises Refused."""
        try:
            return self.find(request, place)
        except Elsewhere:
            if is_signed(request.authorization):
                unknown = SignatureError("wrong_key", "The key is unknown or revoked, or not its own.")
                raise self.unsigned(unknown) from None
            raise self._unknown() from None

    def unsigned(self, error: SignatureError) -> Refused:
        """The answer to a signature that is not good."""
        time = (b"x-server-time", server_time(self._clock()).encode())
        reason = f"signature_{error.reason}"
        return Refused("key.missing", str(error), _CHALLENGE, time, reason=reason)

    def _signer(self, request: Request, place: Place) -> Caller:
        try:
            said = parse(request.authorization)
            screen = self._cache.screens.screen_by(said.key_id)
            if screen is None:
                raise Elsewhere
            key = self._cache.screens.signing_key(screen, said.key_id)
            check(said, key, Asked(request.method, place.target), self._clock())
        except SignatureError as error:
            raise self.unsigned(error) from None
        return Caller(screen, said.key_id, said.nonce, key or b"")

    def _unknown(self) -> Refused:
        text = "The key is unknown or was revoked."
        return Refused("key.missing", text, _CHALLENGE, reason="key_unknown")
