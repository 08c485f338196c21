"""Who gets in: what a manager asks for, or takes back. A second one confirms, and not over the API.

A key is no second person: it has no second factor, and whoever has one may be the asker himself. So what
lets anyone in is confirmed in the console alone.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.exceptions import RequestValidationError

from broadcaster.access import AccessRequest, Standing
from broadcaster.account import Role
from broadcaster.accounts.store import AccountError
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.access_requests import NewAccessRequest
from schemas.events import Wish

router = APIRouter(prefix="/v1/access-requests", tags=["register"])

ACCOUNT_FAULTS = {
    "name": "2 to 80 of a-z, 0-9, dot, @ and hyphen",
    "unknown": "nobody signs in by this name; invite the person",
    "waiting": "the same was asked for already, and waits",
    "taken": "the name is taken",
}


class AccessRequestAnswer(Answer):
    """A request. A second manager confirms it before `lapses_at`, or it lapses."""

    id: UUID
    wish: Wish
    account: str
    body: str
    role: str
    asked_by: str
    lapses_at: Instant
    state: Standing
    settled_by: str | None


class AskedAnswer(AccessRequestAnswer):
    """What was asked for, with what is shown this once."""

    link: str | None
    """Of an invitation. It opens once it was confirmed, with the number that the confirmer got."""
    key: str | None
    """It opens once it was confirmed."""


class AccessRequestPage(Answer):
    """Requests, the oldest first."""

    requests: list[AccessRequestAnswer]


@router.post("", status_code=201, summary="Ask for access", responses=problems_of(401, 403, 404, 409, 422))
def ask_access(services: WithServices, principal: Staff, request: NewAccessRequest) -> AskedAnswer:
    """For managers of the body or of the city. A second manager confirms in the console, or it lapses."""
    body = request.body or principal.body
    if body is None:
        raise ProblemError(
            "body.not-yours", "body: name one, for the key speaks for no body.", rule="body.not-yours"
        )
    now = services.now()
    try:
        asked = services.access.ask(
            actor(principal), request.wish, request.account, body, Role(request.role), at=now
        )
    except AccountError as error:
        raise _invalid(error) from None
    link = f"{services.ports.base_url}/console/welcome/{asked.secret}" if request.wish == "invite" else None
    key = asked.secret if request.wish == "key" else None
    return AskedAnswer(**_told(services, asked.request), link=link, key=key)


@router.get("", summary="List what waits for a manager", responses=problems_of(401))
def list_access(services: WithServices, principal: Staff) -> AccessRequestPage:
    """For managers: the requests of their bodies, or of the whole city, that are not settled."""
    found = services.access.of(principal.account, services.now())
    return AccessRequestPage(requests=[AccessRequestAnswer(**_told(services, each)) for each in found])


@router.post(
    "/{request_id}/refuse", summary="Refuse a request", responses=problems_of(401, 403, 404, 409, 422)
)
def refuse_access(
    services: WithServices, principal: Staff, request_id: Annotated[UUID, Path()]
) -> AccessRequestAnswer:
    """For managers of the body or of the city; who asked for it may take it back."""
    refused = services.access.refuse(actor(principal), request_id, at=services.now())
    return AccessRequestAnswer(**_told(services, refused))


def _told(services: Services, request: AccessRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "wish": request.wish,
        "account": request.account,
        "body": request.body,
        "role": request.role.value,
        "asked_by": request.asked_by.account,
        "lapses_at": request.lapses_at,
        "state": request.standing(services.now()),
        "settled_by": request.settled_by and request.settled_by.account,
    }


def _invalid(error: AccountError) -> RequestValidationError:
    wrong = {"loc": ("body", "account"), "type": error.code, "msg": ACCOUNT_FAULTS[error.code]}
    return RequestValidationError([wrong])
