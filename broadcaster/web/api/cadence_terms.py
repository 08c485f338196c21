"""The terms of the duty to inform, and who is let off. For managers of the city office."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.duty import answers
from broadcaster.duty.sheets import MEDIA_TYPES, Format
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.api.tags import IfNoneMatch, answered
from broadcaster.web.auth import Anyone, Staff, WithOnce, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.cadence.body import NEVER, Dated
from projections.cadence.ledger import BEGINNING
from projections.cadence.report import explain, report
from schemas.cadence import CadencePolicy
from schemas.content import Instant as GivenInstant
from schemas.events import Actor
from schemas.requests import Body, BodyId, NewCadencePolicy, NewExemption

router = APIRouter(prefix="/v1/cadence", tags=["cadence"])
public_router = APIRouter(prefix="/v1/public", tags=["cadence"])


class PolicyAnswer(Answer):
    """Terms, and from when on they hold; those that always held have no beginning."""

    effective_at: Instant | None
    policy: CadencePolicy


class PolicyPage(Answer):
    """Every policy, in order of time; the last that has begun is in force."""

    policies: list[PolicyAnswer]


class ExemptionAnswer(Answer):
    """An exemption; without an end it lasts until it is ended."""

    id: UUID
    issuer_id: str
    reason: str
    starts_at: Instant
    ends_at: Instant | None


class Story(Answer):
    """One body, explained."""

    story: dict[str, Any]


class Simulated(Answer):
    """The bodies under other terms, over what really happened."""

    bodies: list[dict[str, Any]]
    levels: list[dict[str, Any]]


class Period(Body):
    """Of a report, from its beginning until just before its end."""

    since: Annotated[GivenInstant, Field(alias="from", description="An instant with its offset.")]
    until: Annotated[GivenInstant | None, Field(alias="to", description="Now without it.")] = None


class Wanted(Period):
    """Which report."""

    format: Format = Format.JSON
    level: Annotated[int | None, Field(ge=1, le=4)] = None


class Trial(Body):
    """Terms to try out."""

    policy: CadencePolicy
    since: Annotated[GivenInstant, Field(alias="from")]
    until: Annotated[GivenInstant | None, Field(alias="to")] = None


class AtInstant(Body):
    """When."""

    at: GivenInstant | None = None


@router.get("/policy", summary="Read the terms", response_model=PolicyPage, responses=problems_of(304))
def read_policy(services: WithServices, response: Response, if_none_match: IfNoneMatch = None) -> Any:
    """With the ones to come."""
    with services.reading() as conn:
        held = services.ports.cadence.ledger(conn).policies
    policies = [
        PolicyAnswer(effective_at=None if one.since == BEGINNING else one.since, policy=one.policy)
        for one in held
    ]
    return answered(PolicyPage(policies=policies), response, if_none_match)


@router.post(
    "/policy",
    status_code=201,
    summary="Set the terms",
    responses=problems_of(401, 403, 404, 409, 422, command=True),
)
def set_policy(
    services: WithServices, principal: Staff, once: WithOnce, request: NewCadencePolicy
) -> PolicyAnswer:
    """For managers of the city office, from now or later on."""
    made = services.ports.cadence_commands.set_policy(
        actor(principal),
        request.policy,
        effective_at=request.effective_at,
        reason=request.reason,
        at=services.now(),
        once=once,
    )
    return PolicyAnswer(effective_at=made.effective_at, policy=made.policy)


@router.post(
    "/exemptions",
    status_code=201,
    summary="Let a body off",
    responses=problems_of(401, 403, 404, 409, 422, command=True),
)
def exempt(
    services: WithServices, principal: Staff, once: WithOnce, request: NewExemption
) -> ExemptionAnswer:
    """For managers of the city office. One that begins in the past is seen to have been recorded later."""
    made = services.ports.cadence_commands.exempt(
        actor(principal),
        request.issuer_id,
        reason=request.reason,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        at=services.now(),
        once=once,
    )
    return ExemptionAnswer(
        id=made.exemption_id,
        issuer_id=made.issuer_id,
        reason=made.reason,
        starts_at=made.starts_at,
        ends_at=made.ends_at,
    )


@router.post(
    "/exemptions/{exemption_id}/end",
    summary="End an exemption",
    responses=problems_of(401, 403, 404, 409, 422, command=True),
)
def end_exemption(
    services: WithServices, principal: Staff, once: WithOnce, exemption_id: UUID
) -> ExemptionAnswer:
    """For managers of the city office. The duty starts afresh."""
    with services.reading() as conn:
        bodies = services.ports.cadence.ledger(conn).bodies.values()
    found = next(
        ((body, one) for body in bodies for one in body.exemptions if one.id == exemption_id), None
    )
    if found is None:
        raise ProblemError("not-found", f"There is no exemption {exemption_id}.")
    body, one = found
    made = services.ports.cadence_commands.end_exemption(
        actor(principal), body.issuer_id, exemption_id, at=services.now(), once=once
    )
    return ExemptionAnswer(
        id=exemption_id,
        issuer_id=body.issuer_id,
        reason=one.reason,
        starts_at=one.span.since,
        ends_at=None if made.ends_at == NEVER else made.ends_at,
    )


@router.get("/report", summary="Report a period", responses=problems_of(401, 422), response_class=Response)
def read_report(services: WithServices, caller: Anyone, wanted: Annotated[Wanted, Query()]) -> Response:
    """Sealed: `broadcaster cadence report --check` compares it with the log.

    For everyone. That a member of staff took it is in the log.
    """
    return report_file(services, wanted, caller and actor(caller))


def report_file(services: Services, wanted: Wanted, by: Actor | None) -> Response:
    """The same for a page of the console; `by` is who takes it, None for the public."""
    since, until = _period(services, wanted.since, wanted.until)
    reports, at = services.ports.reports, services.now()
    levels = () if wanted.level is None else (wanted.level,)
    if by is None:
        file = reports.make(since, until, wanted.format, at=at, levels=levels)
    else:
        file = reports.hand_out(since, until, wanted.format, by=by, at=at, levels=levels)
    name = f"cadence.{wanted.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-cache"}
    return Response(file, media_type=MEDIA_TYPES[wanted.format], headers=headers)


@router.post("/simulate", summary="Try other terms", responses=problems_of(401, 422))
def simulate(services: WithServices, principal: Staff, trial: Trial) -> Simulated:
    """For staff. Who would have been overdue, over what really happened."""
    del principal  # That there is one is all that is asked.
    since, until = _period(services, trial.since, trial.until)
    with services.reading() as conn:
        tried = report(
            services.ports.cadence, conn, since, until, policies=[Dated(BEGINNING, trial.policy)]
        )
    told = answers.report(tried)
    return Simulated(bodies=told["bodies"], levels=told["levels"])


@router.get(
    "/{issuer}/explain",
    summary="Explain a body",
    response_model=Story,
    responses=problems_of(304, 404, 422),
)
def explain_body(
    services: WithServices,
    response: Response,
    issuer: BodyId,
    wanted: Annotated[AtInstant, Query()],
    if_none_match: IfNoneMatch = None,
) -> Any:
    """Every item and why it counts or not, every window, every time overdue."""
    with services.reading() as conn:
        found = explain(services.ports.cadence, conn, issuer, wanted.at or services.now())
    if found is None:
        raise ProblemError("not-found", f"There is no body {issuer}.")
    told = answers.story(found)
    # Without an instant the answer is about now, and the same until something happens.
    tag = None if wanted.at else {**told, "at": ""}
    body = Story(story=told)
    named = None if tag is None else f'"{answers.fingerprint(tag)}"'
    return answered(body, response, if_none_match, tag=named)


@public_router.get("/cadence", summary="The scorecard", responses=problems_of(404, 422))
def scorecard(services: WithServices, wanted: Annotated[Period, Query()]) -> Simulated:
    """By level and body, for everyone. 404 unless BROADCASTER_CADENCE_PUBLIC is set."""
    if not services.ports.cadence_public:
        raise ProblemError("not-found", "The scorecard is not public.")
    since, until = _period(services, wanted.since, wanted.until)
    figures = services.ports.reports.figures(since, until)
    return Simulated(bodies=figures["bodies"], levels=figures["levels"])


def _period(services: Services, since: datetime, until: datetime | None) -> tuple[datetime, datetime]:
    now = services.now()
    end = until or now
    if end > now or since >= end:
        raise ProblemError(
            "request.invalid", "from, to: a period that is over, its beginning before its end."
        )
    return since, end
