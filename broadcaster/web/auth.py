"""Who calls: staff and screens by a key, a citizen's device by its own secret."""

import hashlib
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from broadcaster.keys import KeyKind, Principal
from broadcaster.keys.text import split
from broadcaster.log.recorder import Once
from broadcaster.registry.subscribers import Subscriber
from broadcaster.screens import signing
from broadcaster.web.feeds.known_screens import screen_of
from broadcaster.web.feeds.polls import server_time, target_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.events import Actor

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="broadcaster"'}

_staff_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="staff",
    bearerFormat="hn_<key_id>_<secret>",
    description="A key of a person or program of a body. What it may do, its account's roles say.",
)
_screen_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="screen",
    bearerFormat="hn_<key_id>_<secret>",
    description="The key a screen was given when it was registered or paired. Without TLS, sign instead:"
    " `HN-HMAC <key id>,<seconds>,<nonce>,<signature>`, see docs/screens.md.",
)
_device_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="device",
    bearerFormat="<device_id>.<secret>",
    description="What the registration of the device answered.",
)

_app_key = APIKeyHeader(
    name="App-Key",
    auto_error=False,
    scheme_name="app",
    description="The key of the app's own server, where people sign in by their number: it vouches for it.",
)

Credentials = HTTPAuthorizationCredentials | None


def _missing(detail: str) -> ProblemError:
    return ProblemError("key.missing", detail, headers=_CHALLENGE)


async def address_of(request: Request) -> str:
    """Where the caller is, as far as the proxy says."""
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(address_of)]


def _admit(services: Services, address: str, key_id: str) -> None:
    """Raises ProblemError where too many unknown keys came from there lately."""
    if services.cache.screens.screen_by(key_id) is not None:
        return  # A live screen's, whoever shares its address; the keys remember it for seconds.
    if not services.gate.admits(address, key_id, services.now().timestamp()):
        services.refused["key_gate"] += 1
        detail = "Too many unknown keys came from your address."
        raise ProblemError("tries", detail, headers={"Retry-After": "1"})


def _principal(services: Services, credentials: Credentials, address: str) -> Principal | None:
    """Whose key it is; None where none was sent. A key that was sent must be good."""
    if credentials is None:
        return None
    parts = split(credentials.credentials)
    if parts is not None:
        _admit(services, address, parts[0])
    found = services.ports.keys.find(credentials.credentials, services.now())
    if found is None:
        if parts is not None and not services.ports.keys.remembers(parts[0]):
            services.gate.lost(parts[0])
        raise _missing("The key is unknown or was revoked.")
    services.gate.found(address, found.key_id)
    return found


def staff(
    services: WithServices, credentials: Annotated[Credentials, Depends(_staff_bearer)], address: Address
) -> Principal:
    """A member of staff."""
    found = _principal(services, credentials, address)
    if found is None:
        raise _missing("Send `Authorization: Bearer hn_...`.")
    if found.kind is not KeyKind.STAFF:
        raise ProblemError("key.kind", "This is no key of staff; they have keys of their own.")
    return found


def anyone(
    services: WithServices, credentials: Annotated[Credentials, Depends(_staff_bearer)], address: Address
) -> Principal | None:
    """A member of staff, or the public."""
    found = _principal(services, credentials, address)
    return found if found is not None and found.kind is KeyKind.STAFF else None


def vouched(
    services: WithServices, key: Annotated[str | None, Depends(_app_key)], address: Address
) -> bool:
    """Whether the app's own server vouches for the number. A key that is sent must be good."""
    if key is None:
        return False
    found = _principal(services, HTTPAuthorizationCredentials(scheme="Bearer", credentials=key), address)
    if found is None or found.kind is not KeyKind.APP:
        raise ProblemError("key.kind", "This is no key of an app's server.")
    return True


Vouched = Annotated[bool, Depends(vouched)]


class SignedRequest(NamedTuple):
    """A request that is signed instead of bearing its key."""

    authorization: str
    asked: signing.Asked


async def signed(request: Request) -> SignedRequest | None:
    """The request as it was signed; None where it was not."""
    authorization = request.headers.get("authorization", "")
    if not signing.is_signed(authorization):
        return None
    asked = signing.Asked(request.method, target_of(request.scope), await request.body())
    return SignedRequest(authorization, asked)


def _signer(services: Services, request: SignedRequest, address: str) -> Principal:
    """Who signed the request."""
    now = services.now()
    try:
        said = signing.parse(request.authorization)
        _admit(services, address, said.key_id)
        found = services.ports.keys.signer(said.key_id, now)
        signing.check(said, found[0] if found else None, request.asked, now)
        services.nonces.take(said.key_id, said.nonce, now.timestamp())
    except signing.SignatureError as error:
        services.refused[f"signature_{error.reason}"] += 1
        headers = {"X-Server-Time": server_time(now)}
        raise ProblemError("key.missing", str(error), headers=_CHALLENGE | headers) from None
    assert found is not None
    services.gate.found(address, said.key_id)
    return found[1]


def screen_caller(
    services: WithServices,
    credentials: Annotated[Credentials, Depends(_screen_bearer)],
    request: Annotated[SignedRequest | None, Depends(signed)],
    address: Address,
) -> Principal:
    """A screen, with the key it sent or signed with."""
    try:
        found = (
            _signer(services, request, address) if request else _principal(services, credentials, address)
        )
    except ProblemError as problem:
        if request is None and problem.kind == "key.missing":
            services.refused["key_unknown"] += 1
        raise
    if found is None:
        raise _missing("Send `Authorization: Bearer hn_...`.")
    if found.kind is not KeyKind.SCREEN or screen_of(found.account) is None:
        services.refused["key_kind"] += 1
        raise ProblemError("key.kind", "This is no key of a screen; screens have keys of their own.")
    return found


def screen(caller: Annotated[Principal, Depends(screen_caller)]) -> UUID:
    """A screen, by its id."""
    screen_id = screen_of(caller.account)
    assert screen_id is not None
    return screen_id


def device(
    services: WithServices, credentials: Annotated[Credentials, Depends(_device_bearer)]
) -> Subscriber:
    """A citizen's device."""
    if credentials is None:
        raise _missing("Send `Authorization: Bearer <device_id>.<secret>`.")
    name, _, secret = credentials.credentials.partition(".")
    try:
        found = services.ports.registry.authenticate(UUID(name), secret)
    except ValueError:
        found = None
    if found is None:
        raise _missing("The device is not registered, or the secret is not its own.")
    return found


Staff = Annotated[Principal, Depends(staff)]
Anyone = Annotated[Principal | None, Depends(anyone)]


def bearing(
    caller: Annotated[Principal, Depends(screen_caller)],
    request: Annotated[SignedRequest | None, Depends(signed)],
) -> Principal:
    """A screen that sent its key: what it is answered must not go in the clear."""
    if request is not None:
        raise ProblemError("key.kind", "A new key is given over TLS only, for a key that is sent whole.")
    return caller


BearingScreen = Annotated[Principal, Depends(bearing)]
ScreenId = Annotated[UUID, Depends(screen)]
Device = Annotated[Subscriber, Depends(device)]


def actor(principal: Principal) -> Actor:
    """As the log knows the caller."""
    return Actor(account=principal.account, body=principal.body)


async def once(
    request: Request,
    principal: Staff,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[!-~]{1,200}$",
            description="A repeat gets the first answer. 1 to 200 visible ASCII characters.",
        ),
    ] = None,
) -> Once | None:
    """The caller's idempotency key with a digest of the request."""
    if key is None:
        return None
    place = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Once(principal.account, key, hashlib.sha256(place + await request.body()).digest())


WithOnce = Annotated[Once | None, Depends(once)]
