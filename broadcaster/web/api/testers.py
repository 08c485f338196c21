"""Testers: the devices that exercises and tests go to."""

from uuid import UUID

from fastapi import APIRouter

from broadcaster.commands.testers import TesterCommands
from broadcaster.registry.subscribers import UnknownSubscriberError
from broadcaster.web.api.models import Answer
from broadcaster.web.auth import Staff, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/v1/testers", tags=["devices"])

_ANSWERS = problems_of(401, 403, 404, 422)


class TesterPage(Answer):
    """The ids of devices."""

    testers: list[UUID]


def _commands(services: Services) -> TesterCommands:
    return TesterCommands(services.ports.office, services.ports.registry)


def _unknown(device_id: UUID) -> ProblemError:
    return ProblemError("not-found", f"There is no device {device_id}.")


@router.get("", summary="List testers", responses=problems_of(401, 403))
def list_testers(services: WithServices, principal: Staff) -> TesterPage:
    """For managers: those who live within the area of the key's body."""
    return TesterPage(testers=_commands(services).list(actor(principal), at=services.now()))


@router.put("/{device_id}", status_code=204, summary="Make a tester", responses=_ANSWERS)
def add(services: WithServices, principal: Staff, device_id: UUID) -> None:
    """From now on it gets exercises and tests too. For managers; again is harmless."""
    try:
        _commands(services).add(actor(principal), device_id, at=services.now())
    except UnknownSubscriberError:
        raise _unknown(device_id) from None


@router.delete("/{device_id}", status_code=204, summary="No tester any more", responses=_ANSWERS)
def remove(services: WithServices, principal: Staff, device_id: UUID) -> None:
    """From now on it gets what is meant and nothing else."""
    try:
        _commands(services).remove(actor(principal), device_id, at=services.now())
    except UnknownSubscriberError:
        raise _unknown(device_id) from None
