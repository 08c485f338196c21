"""The token endpoint: JWT bearer grants (RFC 7523), as Google's takes them from service accounts."""

import hmac
import secrets
from time import monotonic
from urllib.parse import parse_qs

from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = {
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/cloud-platform",
}
AUDIENCE = "https://oauth2.googleapis.com/token"
"""What google-auth writes into every assertion, wherever it sends it."""
PREFIX = "ya29.sandbox-"


class GrantError(Exception):
    """No token is given; the text is OAuth's error code (RFC 6749 §5.2)."""


class TokenOffice:
    """Gives and knows access tokens. One given in an earlier life is still good: it is signed."""

    def __init__(self, public_key: bytes, secret: bytes) -> None:
        self._public_key, self._secret = public_key, secret
        self._ends: dict[str, float] = {}
        self.lifetime = 3600
        self.granted = 0

    def grant(self, form: bytes) -> str:
        """A new token for a signed assertion. Raises GrantError."""
        fields = parse_qs(form.decode(errors="replace"))
        if fields.get("grant_type") != [GRANT]:
            raise GrantError("unsupported_grant_type")
        try:
            assertion = fields["assertion"][0]
            claims = jwt.decode(assertion, certs=self._public_key, audience=AUDIENCE)
        except (GoogleAuthError, KeyError, ValueError) as error:
            raise GrantError("invalid_grant") from error
        if SCOPES.isdisjoint(claims.get("scope", "").split()):
            raise GrantError("invalid_scope")
        self.granted += 1
        nonce = secrets.token_urlsafe(32)
        token = f"{PREFIX}{nonce}.{self._mark(nonce)}"
        self._ends[token] = monotonic() + self.lifetime
        return token

    def knows(self, authorization: str | None) -> bool:
        """Whether the Authorization header carries a token that is good now."""
        scheme, _, token = (authorization or "").partition(" ")
        if token not in self._ends:
            if scheme != "Bearer" or not self._is_ours(token):
                return False
            self._ends[token] = monotonic() + self.lifetime
        return self._ends[token] > monotonic()

    def revoke_all(self) -> None:
        """Ends the tokens given so far."""
        self._ends = dict.fromkeys(self._ends, float("-inf"))

    def _is_ours(self, token: str) -> bool:
        nonce, _, mark = token.removeprefix(PREFIX).partition(".")
        return token.startswith(PREFIX) and hmac.compare_digest(mark, self._mark(nonce))

    def _mark(self, nonce: str) -> str:
        return hmac.digest(self._secret, nonce.encode(), "sha256").hex()
