"""API keys: which there are, and ending one. A new one is asked for (see access.py)."""

from typing import Annotated

from fastapi import APIRouter, Path

from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.services import WithServices

router = APIRouter(prefix="/v1/keys", tags=["register"])

KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")]


class KeyAnswer(Answer):
    """A key, without its secret."""

    key_id: str
    account: str
    body: str | None
    created_at: Instant
    revoked_at: Instant | None
    last_used_at: Instant | None
    """To the minute."""


class KeyPage(Answer):
    """Keys, the newest first."""

    keys: list[KeyAnswer]


@router.get("", summary="List keys", responses=problems_of(401))
def list_keys(services: WithServices, principal: Staff) -> KeyPage:
    """For managers: the keys of their bodies, or of the whole city; ended ones are among them."""
    found = services.access.keys_of(principal.account, services.now())
    return KeyPage(keys=[KeyAnswer.model_validate(each) for each in found])


@router.post(
    "/{key_id}/revoke", status_code=204, summary="End a key", responses=problems_of(401, 403, 404, 409, 422)
)
def revoke_key(services: WithServices, principal: Staff, key_id: KeyId) -> None:
    """For managers of its body or of the city; nobody else is needed. It ends within seconds."""
    services.access.revoke_key(actor(principal), key_id, at=services.now())
