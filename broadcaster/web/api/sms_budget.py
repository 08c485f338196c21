"""What a body's SMS may come to on a day, and what they come to today."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from broadcaster.commands.sms_budgets import SmsBudgetCommands
from broadcaster.sms_budget import SmsBudget, Usage, day_of
from broadcaster.web.api.models import Answer
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.services import Services, WithServices
from projections.sms import view as sms
from schemas.requests import Body, BodyId

router = APIRouter(prefix="/v1/bodies/{body_id}/sms-budget", tags=["register"])

Bound = Annotated[int | None, Field(ge=0, le=1_000_000_000_000)]


class SmsBudgetWanted(Body):
    """Bounds for each day of Hanoi's calendar; null for either: none."""

    segments: Annotated[Bound, Field(description="Short messages; a long text is up to 3 of them.")]
    vnd: Annotated[Bound, Field(description="Their price, in VND.")]


class SmsUsage(Answer):
    """Short messages, and their price in VND."""

    segments: int
    vnd: int


class SmsBudgetAnswer(Answer):
    """A bulletin that does not fit what is left goes to nobody by SMS; an alert always goes."""

    issuer_id: str
    segments: int | None
    vnd: int | None
    day: date
    spent: SmsUsage
    """What carriers have taken today."""
    used: SmsUsage
    """With what is set aside for items still on their way: what a new bulletin is measured against."""


@router.get("", summary="Read a body's SMS budget", responses=problems_of(401, 404, 422))
def read_budget(services: WithServices, principal: Staff, body_id: BodyId) -> SmsBudgetAnswer:
    """For staff. A body without a budget has no bounds."""
    del principal
    return _answer(services, SmsBudgetCommands(services.ports.office).of(body_id))


@router.put(
    "", summary="Set a body's SMS budget", responses=problems_of(401, 403, 404, 409, 422, command=True)
)
def set_budget(
    services: WithServices, principal: Staff, once: WithOnce, body_id: BodyId, wanted: SmsBudgetWanted
) -> SmsBudgetAnswer:
    """For managers of the city, at once."""
    commands = SmsBudgetCommands(services.ports.office)
    budget = commands.set(
        actor(principal),
        body_id,
        segments=wanted.segments,
        vnd=wanted.vnd,
        at=services.now(),
        once=once,
    )
    return _answer(services, budget)


def _answer(services: Services, budget: SmsBudget) -> SmsBudgetAnswer:
    day = day_of(services.now())
    with services.reading() as conn:
        spent = {key: Usage(*took) for key, took in sms.spent(conn, budget.issuer_id, day).items()}
    total = Usage()
    for took in spent.values():
        total = total.plus(took)
    return SmsBudgetAnswer(
        issuer_id=budget.issuer_id,
        segments=budget.segments,
        vnd=budget.vnd,
        day=day,
        spent=SmsUsage.model_validate(total._asdict()),
        used=SmsUsage.model_validate(budget.used(day, spent)._asdict()),
    )
