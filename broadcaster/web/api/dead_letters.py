"""Recipients that were given up: looked at, tried once more, or let be."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from broadcaster.commands.dead_letters import DeadLetterCommands
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.openapi import COMMAND_PROBLEMS, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from projections.reach import letters_view
from projections.reach.letters_view import State
from schemas.content import Channel, Lane
from schemas.requests import Body, Reason

router = APIRouter(prefix="/v1/dead-letters", tags=["delivery"])


class DeadLetterAnswer(Answer):
    """The recipients one dispatch gave up. It is named by that dispatch, and holds no address."""

    dispatch_id: UUID
    position: int
    died_at: Instant
    alert_id: UUID
    version: int
    channel: Channel
    lane: Lane
    count: int
    areas: dict[str, int]
    """How many of them have their home where."""
    reasons: dict[str, int]
    """The provider's words for the whole dispatch, and how often."""
    provider: str
    attempt: int
    replay_of: UUID | None
    """The dead letter that this was another try at."""
    replayable: bool
    expires_at: Instant
    state: State
    settled_at: Instant | None
    settled_by: str | None
    settled_because: str | None
    next_dispatch_id: UUID | None
    """The order it was replayed by."""


class PileAnswer(Answer):
    """The dead letters of one version on one channel."""

    alert_id: UUID
    version: int
    channel: Channel
    state: State
    letters: int
    recipients: int


class DeadLetterPage(Answer):
    """Dead letters, the newest first. `before` fetches the next page; none is left without it.

    `piles` counts all of them by alert, version, channel and state, on the first page only.
    """

    letters: list[DeadLetterAnswer]
    piles: list[PileAnswer]
    before: int | None


class Settlement(Body):
    """Why."""

    reason: Reason


class Wanted(Body):
    """Which dead letters."""

    alert: UUID | None = None
    channel: Channel | None = None
    state: State | None = None
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None
    limit: Annotated[int, Query(ge=1, le=200)] = 100


class Replayed(Answer):
    """The order that tries them once more."""

    dispatch_id: UUID
    recipients: int


@router.get("", summary="Dead letters", responses=problems_of(401, 422))
def dead_letters(
    services: WithServices, principal: Staff, wanted: Annotated[Wanted, Query()]
) -> DeadLetterPage:
    """Recipients out of attempts, or whose message itself was refused."""
    del principal
    with services.reading() as conn:
        found = letters_view.find(
            conn,
            alert_id=wanted.alert,
            channel=wanted.channel,
            state=wanted.state,
            before=wanted.before,
            limit=wanted.limit,
        )
        piles = letters_view.piles(conn, alert_id=wanted.alert) if wanted.before is None else []
    return DeadLetterPage(
        letters=[DeadLetterAnswer.model_validate(letter) for letter in found],
        piles=[PileAnswer.model_validate(pile) for pile in piles],
        before=found[-1].position if len(found) == wanted.limit else None,
    )


@router.get("/{dispatch_id}", summary="One dead letter", responses=problems_of(401, 404, 422))
def dead_letter(services: WithServices, principal: Staff, dispatch_id: UUID) -> DeadLetterAnswer:
    """Counts and reasons only: who they are is told to nobody."""
    del principal
    with services.reading() as conn:
        found = letters_view.one(conn, dispatch_id)
    if found is None:
        raise ProblemError("not-found", f"There is no dead letter {dispatch_id}.")
    return DeadLetterAnswer.model_validate(found)


@router.post(
    "/{dispatch_id}/replay", status_code=202, summary="Try them once more", responses=COMMAND_PROBLEMS
)
def replay(
    services: WithServices, principal: Staff, once: WithOnce, dispatch_id: UUID, request: Settlement
) -> Replayed:
    """For managers of the alert's body. Refused once the version is superseded, withdrawn or expired.

    Only those who were given up are sent to, on the lane of the alert, with attempts counted anew.
    """
    commands = DeadLetterCommands(services.ports.office)
    made = commands.replay(actor(principal), dispatch_id, request.reason, at=services.now(), once=once)
    return Replayed(dispatch_id=made.dispatch.id, recipients=len(made.dispatch.ranks))


@router.post("/{dispatch_id}/write-off", status_code=204, summary="Let them be", responses=COMMAND_PROBLEMS)
def write_off(
    services: WithServices, principal: Staff, once: WithOnce, dispatch_id: UUID, request: Settlement
) -> None:
    """For managers of the alert's body. They stay counted as dead, and as written off."""
    commands = DeadLetterCommands(services.ports.office)
    commands.write_off(actor(principal), dispatch_id, request.reason, at=services.now(), once=once)
