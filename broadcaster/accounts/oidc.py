"""Sign-in by the city's own identity provider (OpenID Connect Core 1.0, code flow with PKCE).

The identity is the issuer and the subject, never an e-mail address. What the provider says is believed
when its id_token is signed by one of its keys, is for us, is of this very attempt (state in the browser,
nonce in the token), and has not run out.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import httpx
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749.parameters import (
    parse_authorization_code_response,
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import Token

TIMEOUT = 5.0
"""Seconds that the provider gets for each answer."""
LEEWAY = 60
"""Seconds its clock may be off."""
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures that are believed: never `none`, never one that our own client secret could make."""
MANY_FACTORS = frozenset({"mfa"})
"""Of `amr` (RFC 8176 §2): more than one factor was used."""


class OidcError(Exception):
    """Nobody is signed in; `code` says why: unreachable, provider, refused, state, token."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True)
class OidcSettings:
    """A provider, and us as its client."""

    issuer: str
    """Its address, without a slash at the end; discovery is at /.well-known/openid-configuration."""
    client_id: str
    client_secret: str = field(repr=False)
    acr: frozenset[str] = frozenset()
    """Values of `acr` that stand for a second factor, as agreed with the provider."""
    name: str = ""
    """On the button."""


@dataclass(frozen=True)
class Attempt:
    """What must be remembered from the way there to the way back."""

    url: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is. `proved_at` is when a second factor was given, if it says that."""

    issuer: str
    subject: str
    proved_at: datetime | None


class Oidc:
    """The client. What the provider publishes is read at the first use and kept; thread-safe."""

    def __init__(self, settings: OidcSettings, http: httpx.Client | None = None) -> None:
        self.settings = settings
        self._http = http or httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None

    def begin(self, redirect_uri: str) -> Attempt:
        """Where to send the browser. Raises OidcError."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            self._said("authorization_endpoint"),
            self.settings.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Attempt(str(url), state, nonce, verifier)

    def finish(self, attempt: Attempt, redirect_uri: str, returned: str, at: datetime) -> Identity:
        """Who came back, by the address that the browser was sent to. Raises OidcError."""
        try:
            code = parse_authorization_code_response(returned, state=attempt.state)["code"]
        except OAuth2Error as error:
            raise OidcError("state" if "state" in str(error.error).lower() else "refused") from None
        body = prepare_token_request(
            "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=attempt.verifier
        )
        answer = self._ask(
            "POST",
            self._said("token_endpoint"),
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=(self.settings.client_id, self.settings.client_secret),
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcError("provider", "no id_token")
        return self._believe(token, answer.get("access_token"), attempt, at)

    def _believe(self, text: str, access_token: Any, attempt: Attempt, at: datetime) -> Identity:
        found = self._decode(text)
        claims = cast(
            "Mapping[str, Any]",
            CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                    "nonce": {"essential": True, "value": attempt.nonce},
                },
                {
                    "nonce": attempt.nonce,
                    "client_id": self.settings.client_id,
                    "access_token": access_token,
                },
            ),
        )
        try:
            cast("Any", claims).validate(now=int(at.timestamp()), leeway=LEEWAY)
        except (JoseError, TypeError, ValueError) as error:
            raise OidcError("token", type(error).__name__) from None
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:  # noqa: PLR2004 (OIDC Core §2)
            raise OidcError("token", "sub")
        return Identity(self.settings.issuer, subject, self._proved_at(claims, at))

    def _proved_at(self, claims: Mapping[str, Any], at: datetime) -> datetime | None:
        """When a second factor was given: never later than now, and unknown where it does not say."""
        used = claims.get("amr") or []
        many = not MANY_FACTORS.isdisjoint(each for each in used if isinstance(each, str))
        acr, when = claims.get("acr"), claims.get("auth_time")
        if not many and not (isinstance(acr, str) and acr in self.settings.acr):
            return None
        if isinstance(when, bool) or not isinstance(when, int | float) or not 0 < when < 2**33:
            return None
        return min(datetime.fromtimestamp(when, UTC), at)

    def _decode(self, text: str) -> Token:
        try:
            try:
                return jwt.decode(text, self._key_set(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                # The provider may have turned its keys over since we read them.
                return jwt.decode(text, self._key_set(anew=True), algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise OidcError("token", type(error).__name__) from None

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            known = self._keys
        if known is not None and not anew:
            return known
        try:
            read = KeySet.import_key_set(cast("Any", self._ask("GET", self._said("jwks_uri"))))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise OidcError("provider", f"its keys cannot be read ({type(error).__name__})") from None
        with self._lock:
            self._keys = read
        return read

    def _said(self, name: str) -> str:
        with self._lock:
            metadata = self._metadata
        if metadata is None:
            metadata = self._ask("GET", f"{self.settings.issuer}/.well-known/openid-configuration")
            if metadata.get("issuer") != self.settings.issuer:
                raise OidcError("provider", "it calls itself otherwise than BROADCASTER_OIDC_ISSUER")
            with self._lock:
                self._metadata = metadata
        found = metadata.get(name)
        if not isinstance(found, str):
            raise OidcError("provider", f"it names no {name}")
        return found

    def _ask(self, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        try:
            answer = self._http.request(method, url, **more)
            answer.raise_for_status()
            told = answer.json()
        except httpx.HTTPStatusError as error:
            code = "refused" if error.response.status_code < 500 else "unreachable"  # noqa: PLR2004
            raise OidcError(code, f"{error.response.status_code}") from None
        except (httpx.HTTPError, ValueError) as error:
            raise OidcError("unreachable", type(error).__name__) from None
        if not isinstance(told, dict):
            raise OidcError("provider", "not an object")
        return cast("Mapping[str, Any]", told)
