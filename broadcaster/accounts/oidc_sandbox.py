"""A double of an identity provider: it speaks OpenID Connect on loopback, and can be told to lie.

Discovery, keys, the authorization endpoint (whoever comes is `person`), and the token endpoint, which
checks the client, the redirect address and PKCE as a real one does, and takes each code once.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

CLIENT_ID, CLIENT_SECRET = "broadcaster", "sandbox client secret of 32 bytes!"
_LIFE = 300


@dataclass
class Person:
    """Who is at the provider's sign-in page, and what it says of how they proved it."""

    subject: str
    claims: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Granted:
    """A code that was handed out."""

    asked: Mapping[str, str]
    person: Person


class Provider:
    """The double's state."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.url = ""
        self.person = Person("s-1")
        self.key = ECKey.generate_key("P-256", {"kid": "first"})
        self.published = [self.key]
        self.forge: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
        """Makes the id_token from its header and claims, instead of signing it."""
        self.is_down = False
        self.asked: list[str] = []
        """The paths it was asked for."""
        self._codes: dict[str, Granted] = {}

    def turn_keys(self, kid: str) -> None:
        """Signs with another key from now on, and publishes that one alone."""
        self.key = ECKey.generate_key("P-256", {"kid": kid})
        self.published = [self.key]

    def signed(self, header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
        """A token as it is made."""
        return jwt.encode(header, claims, key or self.key, algorithms=["ES256", "HS256"])

    def metadata(self) -> dict[str, Any]:
        """Discovery."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, Any]:
        """The public keys."""
        return dict(KeySet(list(self.published)).as_dict(private=False))

    def authorize(self, asked: Mapping[str, str]) -> str | None:
        """Where the browser is sent; None where the request is not one of ours."""
        wanted = {"client_id": CLIENT_ID, "response_type": "code", "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in wanted.items()):
            return None
        if "openid" not in asked.get("scope", "").split() or not asked.get("code_challenge"):
            return None
        code = secrets.token_urlsafe(16)
        self._codes[code] = Granted(asked, self.person)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked.get('state', '')})}"

    def token(self, authorization: str, form: Mapping[str, str]) -> dict[str, Any] | str:
        """The answer of the token endpoint, or the error's code (RFC 6749 §5.2)."""
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return "invalid_client"
        granted = self._codes.pop(form.get("code", ""), None)
        if granted is None or form.get("redirect_uri") != granted.asked["redirect_uri"]:
            return "invalid_grant"
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != granted.asked["code_challenge"]:
            return "invalid_grant"
        now = int(self.clock().timestamp())
        header = {"alg": "ES256", "kid": self.key.kid}
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": granted.person.subject,
            "iat": now,
            "exp": now + _LIFE,
            "nonce": granted.asked.get("nonce"),
        } | granted.person.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        made = self.forge(header, claims) if self.forge else self.signed(header, claims)
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": made}


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token of the algorithm `none`."""
    parts = (json.dumps(part).encode() for part in (header | {"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])


def secret_key() -> OctKey:
    """The client's secret as a key, for who confuses the algorithms."""
    return OctKey.import_key(CLIENT_SECRET)


@contextmanager
def serving(clock: Callable[[], datetime]) -> Generator[Provider]:
    """A provider on loopback, till the end of the block."""
    provider = Provider(clock)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="oidc", daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            provider.asked.append(path.path)
            published = {"/.well-known/openid-configuration": provider.metadata, "/keys": provider.keys}
            if provider.is_down:
                self._say(503, {})
            elif path.path == "/authorize":
                place = provider.authorize(_first(path.query))
                self._say(302 if place else 400, {}, place)
            else:
                told = published.get(path.path, dict[str, Any])()
                self._say(200 if told else 404, told)

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            length = int(self.headers.get("Content-Length", "0"))
            form = _first(self.rfile.read(length).decode())
            told = provider.token(self.headers.get("Authorization", ""), form)
            if isinstance(told, str):
                self._say(400, {"error": told})
            else:
                self._say(200, told)

        def _say(self, status: int, told: Mapping[str, Any], place: str | None = None) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            if place:
                self.send_header("Location", place)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            del format, args

    return Handler


def _first(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
