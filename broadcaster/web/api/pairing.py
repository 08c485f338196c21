"""Pairing a panel, in the shape of RFC 8628, and the keys of screens."""

from base64 import b64encode
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from broadcaster.accounts.throttle import Subject
from broadcaster.screens.commands import Place, UnknownCodeError
from broadcaster.screens.pairing import PairingFullError, Waiting
from broadcaster.web.api.pairing_models import (
    IdentifyAsked,
    KeysRevoked,
    KeyStanding,
    PairingDone,
    PairingOpened,
    ScreenClaimed,
    ScreenKeyRotated,
)
from broadcaster.web.auth import Address, BearingScreen, Staff, actor
from broadcaster.web.feeds.known_screens import screen_of
from broadcaster.web.feeds.polls import FEED_PATH
from broadcaster.web.openapi import CLAIM_EXAMPLE, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.screen_requests import PairingClaim, PairingPoll, StandingAsked

router = APIRouter(prefix="/v1/screens", tags=["screens"])

FREE_CLAIMS = 10
"""Wrong codes that cost an account nothing; then each next try waits longer."""
_KINDS = {
    Waiting.PENDING: "pairing.pending",
    Waiting.SLOW_DOWN: "pairing.slow-down",
    Waiting.EXPIRED: "pairing.expired",
}


@router.post(
    "/pairing", status_code=201, summary="Ask for a pairing code", responses=problems_of(422, 429, 503)
)
def open_pairing(services: WithServices, request: Request) -> PairingOpened:
    """For a panel, without a key. It shows the code; an operator claims it within ten minutes.

    An address has 20 codes open at most, and all together 2,000.
    """
    address = request.client.host if request.client else ""
    try:
        opened = services.pairings.open(address, services.now())
    except PairingFullError as error:
        services.refused["pairing_full"] += 1
        detail = f"{error}; try again later."
        raise ProblemError(
            "pairing.full", detail, headers={"Retry-After": str(error.retry_after)}
        ) from None
    return PairingOpened.model_validate(opened)


@router.post("/pairing/token", summary="Fetch the key", responses=problems_of(400, 422, 503))
def poll_pairing(services: WithServices, request: PairingPoll) -> PairingDone:
    """A panel polls with its device code until it has its key, which is given once.

    Until then 400, and `error` says why: `authorization_pending`, `slow_down` (wait 5 seconds longer
    between polls from now on) or `expired_token` (ask for another code).
    """
    found = services.screens.token(request.device_code, at=services.now())
    if isinstance(found, Waiting):
        if found is not Waiting.PENDING:
            services.refused[f"pairing_{found.value}"] += 1
        raise ProblemError(_KINDS[found], error=found.value)
    screen_id, key = found
    services.cache.refresh()
    base = services.ports.base_url
    return PairingDone(
        screen_id=screen_id,
        key=key,
        feed_url=f"{base}{FEED_PATH}",
        feed_key_url=f"{base}/v1/feed-key",
        feed_key=b64encode(services.ports.feed_key.public).decode(),
    )


@router.get(
    "/pairing/standing",
    summary="What has become of a key",
    response_model=KeyStanding,
    responses=problems_of(404, 422, 429),
)
def read_standing(
    services: WithServices, asked: Annotated[StandingAsked, Query()], address: Address
) -> Response:
    """For a screen whose key is refused: whether the house has ended it, and so it is to be paired again.

    The answer is signed as feeds are (`X-Feed-Signature`), with the nonce in it: a refusal alone may come
    from a network that lies. 404 says nothing of the key: the house may have been put back to an older day.
    """
    now = services.now()
    if not services.gate.admits(address, asked.key_id, now.timestamp()):
        services.refused["key_gate"] += 1
        raise ProblemError("tries", "Too many keys were asked about.", headers={"Retry-After": "1"})
    ended = services.ports.keys.has_ended(asked.key_id, now)
    if ended is None:
        raise ProblemError("not-found", "No screen has had such a key.")
    told = KeyStanding(
        key_id=asked.key_id,
        nonce=asked.nonce,
        standing="ended" if ended else "live",
    )
    body = told.model_dump_json().encode()
    headers = {"X-Feed-Signature": services.ports.feed_key.sign(body), "Cache-Control": "no-store"}
    return Response(body, headers=headers, media_type="application/json")


@router.post(
    "/pairing/claim",
    status_code=201,
    summary="Claim the code a panel shows",
    responses=problems_of(401, 403, 404, 409, 422, 429, command=True),
    openapi_extra=CLAIM_EXAMPLE,
)
def claim(services: WithServices, principal: Staff, request: PairingClaim) -> ScreenClaimed:
    """For managers, within the area of the key's body: a new screen, or another box for a known one.

    A repeat answers the same screen. The panel has its key seconds later; a former box loses its own then.
    """
    now = services.now()
    throttle, subjects = (
        services.ports.desk.throttle,
        (Subject(f"claim\n{principal.account}", FREE_CLAIMS),),
    )
    wait = throttle.enter(subjects, now)
    if wait is not None:
        services.refused["claim_tries"] += 1
        seconds = str(int(wait.total_seconds()) + 1)
        raise ProblemError("tries", headers={"Retry-After": seconds})
    try:
        screen = services.screens.claim(actor(principal), request.code, _to(request), at=now)
    except UnknownCodeError as error:
        services.refused["claim_unknown"] += 1
        raise ProblemError("not-found", f"{str(error).capitalize()}.") from None
    throttle.forgive(subjects)
    return ScreenClaimed(
        screen_id=screen.id,
        name=screen.name,
        area=screen.area,
        profile=screen.profile,
        drills=screen.drills,
    )


def _to(request: PairingClaim) -> Place | UUID:
    if request.screen_id is not None:
        return request.screen_id
    assert request.name is not None
    assert request.area is not None
    assert request.profile is not None
    hours = (request.opens, request.closes) if request.opens and request.closes else None
    return Place(request.name, request.area, request.profile, request.drills, hours)


@router.post(
    "/me/key", status_code=201, summary="Take a new key", responses=problems_of(401, 403, 409, 422)
)
def rotate_key(services: WithServices, caller: BearingScreen) -> ScreenKeyRotated:
    """The former key lives until the new one is first used, and 24 hours at most.

    Who lost the answer asks again with the former. Not for signed requests: the key would go in the clear.
    """
    screen_id = screen_of(caller.account)
    assert screen_id is not None
    made = services.screens.rotate_key(screen_id, caller.key_id, at=services.now())
    services.cache.refresh()
    return ScreenKeyRotated(key=made.key, former_ends_at=made.former_ends_at)


@router.post(
    "/{screen_id}/revoke",
    summary="Revoke a screen's keys",
    responses=problems_of(401, 403, 404, 409, 422),
)
def revoke(services: WithServices, principal: Staff, screen_id: UUID) -> KeysRevoked:
    """For managers. The screen is refused from now on, and keeps its identity: pair it again."""
    now = services.now()
    ended = services.screens.revoke_keys(actor(principal), screen_id, at=now)
    services.ports.keys.forget(ended)
    services.cache.refresh()
    return KeysRevoked(key_ids=ended)


@router.post(
    "/{screen_id}/identify",
    status_code=202,
    summary="Ask a screen to make itself known",
    responses=problems_of(401, 403, 404, 409, 422),
)
def identify(services: WithServices, principal: Staff, screen_id: UUID) -> IdentifyAsked:
    """For managers. Its next polls carry `X-Screen-Identify`, the instant (ms) until which it flashes."""
    until = services.screens.identify(actor(principal), screen_id, at=services.now())
    services.cache.refresh()
    return IdentifyAsked(until=until)
