"""The OAuth2 access token of a Google service account, renewed once for all who ask."""

import asyncio
from functools import partial
from math import ceil
from pathlib import Path
from time import monotonic

import structlog
from firebase_admin.credentials import Certificate
from google.auth.credentials import TokenState
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

log = structlog.get_logger(__name__)


SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
RENEWAL_GAP = 5.0
"""Seconds: who is refused again right after a renewal has another trouble than the token's age."""


class TokenError(Exception):
    """No access token could be had."""


class AccessTokens:
    """Bearer tokens for FCM. The key file's token_uri says where they come from.

    Raises OSError or ValueError where the file is missing or is no service account's key.
    """

    def __init__(self, credentials_file: Path, ca_file: Path | None, timeout: float) -> None:
        certificate = Certificate(str(credentials_file))
        if not certificate.project_id:
            raise ValueError(f"{credentials_file}: project_id is missing")
        self.project: str = certificate.project_id
        # firebase-admin would ask for the whole cloud platform.
        self._credentials = certificate.get_credential().with_scopes([SCOPE])
        self._timeout = timeout
        self._request = Request()
        # google-auth's own limit is two minutes. `verify` goes with each request: requests lets
        # REQUESTS_CA_BUNDLE override the session's.
        trust = {"verify": str(ca_file)} if ca_file else {}
        self._call = partial(self._request, timeout=ceil(timeout), **trust)
        self._renewal: asyncio.Task[None] | None = None
        self._renewed_at = float("-inf")

    @property
    def token(self) -> str:
        """The latest."""
        return self._credentials.token

    async def ready(self) -> None:
        """Sees to it that `token` is good now, and renews meanwhile one that soon expires.

        Raises TokenError.
        """
        match self._credentials.token_state:
            case TokenState.FRESH:
                pass
            case TokenState.STALE:
                self._renew()
            case _:
                await self._renewed()

    async def after(self, refused: str) -> str:
        """A token other than the one FCM refused. Raises TokenError, as for one refused when new."""
        if self.token == refused:
            if monotonic() - self._renewed_at < RENEWAL_GAP:
                raise TokenError("a new token was refused")
            await self._renewed()
        return self.token

    async def close(self) -> None:
        """Waits for a renewal under way, and hangs up."""
        if self._renewal:
            await asyncio.wait((self._renewal,))
        self._request.session.close()

    async def _renewed(self) -> None:
        # Shielded: one caller that gives up must not take the token from the others.
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.shield(self._renew())
        except (GoogleAuthError, TimeoutError) as error:
            raise TokenError(type(error).__name__) from error

    def _renew(self) -> asyncio.Task[None]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(asyncio.to_thread(self._refresh))
            self._renewal.add_done_callback(_note)
        return self._renewal

    def _refresh(self) -> None:
        try:
            self._credentials.refresh(self._call)
        except (TypeError, KeyError) as error:
            # What google-auth meets in a token endpoint's answer that is no JSON object.
            raise GoogleAuthError("the token endpoint's answer is not understood") from error
        self._renewed_at = monotonic()


def _note(renewal: asyncio.Task[None]) -> None:
    if not renewal.cancelled() and (error := renewal.exception()):
        # The cause tells a name that cannot be found from a certificate that is not trusted.
        cause = error.__cause__ or error
        log.warning("push.token_not_renewed", error=type(error).__name__, cause=type(cause).__name__)
