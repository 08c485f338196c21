"""Commands on alerts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from broadcaster.alert import Alert
from broadcaster.commands.alerts import AlertCommands
from broadcaster.log import StaleError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.api.models import AlertState, alert_state
from broadcaster.web.api.tags import Expected, ExpectedStrictly, Seen, version_tag
from broadcaster.web.api.warnings import SubmittedAlert, warnings_of
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.openapi import COMMAND_PROBLEMS, CONTENT_EXAMPLE, NEW_ALERT_EXAMPLE, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.events import Actor
from schemas.requests import (
    ChangedContent,
    Correction,
    NewAlert,
    ProposedContent,
    Rejection,
    Returned,
    Schedule,
    Withdrawal,
)

Made = TypeVar("Made")

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])


@dataclass
class Caller:
    """Who asks for a command, and how."""

    services: WithServices
    principal: Staff
    once: WithOnce
    response: Response

    @property
    def by(self) -> Actor:
        """As the log knows the caller."""
        return actor(self.principal)

    @property
    def commands(self) -> AlertCommands:
        """What can be asked."""
        return self.services.ports.alerts

    def answer(self, alert: Alert) -> AlertState:
        """The alert after the command, with its tag."""
        self.response.headers["ETag"] = version_tag(alert.version, inside=True)
        return alert_state(alert)


@dataclass
class OnAlert(Caller):
    """A command on an alert, or on anything else with an ETag, that exists."""

    expected: Expected

    def done(self, command: Callable[..., Made]) -> Made:
        """Runs it, on what the caller saw where it said so. Raises ProblemError where that moved on."""
        try:
            return command(at=self.services.now(), expected=self.expected, once=self.once)
        except StaleError:
            raise ProblemError("precondition.failed") from None

    def run(self, command: Callable[..., Alert]) -> AlertState:
        """The same, and the alert as it is then."""
        return self.answer(self.done(command))


WithCaller = Annotated[Caller, Depends()]
WithAlert = Annotated[OnAlert, Depends()]


@router.post(
    "",
    status_code=201,
    summary="Draft an alert",
    responses=COMMAND_PROBLEMS,
    openapi_extra=NEW_ALERT_EXAMPLE,
)
def draft(caller: WithCaller, request: NewAlert) -> AlertState:
    """Begins an alert. Nothing goes out: it is submitted, approved by another, and issued."""
    issuer = request.issuer or caller.principal.body
    if issuer is None:
        raise ProblemError(
            "body.not-yours", "issuer: name one, for the key speaks for no body.", rule="body.not-yours"
        )
    alert = caller.commands.draft(
        caller.by, issuer, request.content, at=caller.services.now(), once=caller.once
    )
    caller.response.headers["Location"] = f"/v1/alerts/{alert.id}"
    return caller.answer(alert)


@router.put(
    "/{alert_id}",
    summary="Rewrite the version in work",
    responses=COMMAND_PROBLEMS | problems_of(428),
    openapi_extra=CONTENT_EXAMPLE,
)
def revise(
    on: WithAlert, alert_id: UUID, request: ChangedContent, expected: ExpectedStrictly
) -> AlertState:
    """The content is replaced whole. If-Match keeps two editors from overwriting each other."""
    del expected  # What it asks is that the header is there; OnAlert reads it.
    return on.run(partial(on.commands.revise, on.by, alert_id, request.content))


@router.post("/{alert_id}/submit", summary="Submit for approval", responses=COMMAND_PROBLEMS)
def submit(on: WithAlert, alert_id: UUID) -> SubmittedAlert:
    """Puts the version in work up for approval; from here on it cannot be rewritten.

    Its texts must hold to their limits: the detail names the field, what it takes and what costs most.
    `warnings` lists live alerts that say much the same.
    """
    state = on.run(partial(on.commands.submit, on.by, alert_id))
    content = state.work.content if state.work else None
    found = warnings_of(on.services, alert_id, state.issuer, content) if content else []
    return SubmittedAlert(**dict(state), warnings=found)


@router.post("/{alert_id}/return", summary="Return to the authors", responses=COMMAND_PROBLEMS)
def send_back(on: WithAlert, alert_id: UUID, request: Returned) -> AlertState:
    """Sends the version in work back to be rewritten; an approval is undone."""
    return on.run(partial(on.commands.send_back, on.by, alert_id, request.reason))


@router.post("/{alert_id}/reject", summary="Reject for good", responses=COMMAND_PROBLEMS)
def reject(on: WithAlert, alert_id: UUID, request: Rejection) -> AlertState:
    """Turns the version in work down. A first version ends its alert; a live alert stays as it is."""
    return on.run(partial(on.commands.reject, on.by, alert_id, request.reason))


@router.post("/{alert_id}/approve", summary="Approve", responses=COMMAND_PROBLEMS | problems_of(428))
def approve(on: WithAlert, alert_id: UUID, seen: Seen) -> AlertState:
    """Approves the version in work; whoever wrote or submitted it may not.

    If-Match, with the ETag of what you read, is required: you approve that and nothing later.
    """
    del seen  # OnAlert reads it; here nothing else will do.
    return on.run(partial(on.commands.approve, on.by, alert_id))


@router.post("/{alert_id}/issue", summary="Issue: it goes out", responses=COMMAND_PROBLEMS)
def issue(on: WithAlert, alert_id: UUID) -> AlertState:
    """Sends the approved version to everyone it is addressed to.

    A bulletin in the quiet hours is scheduled for their end instead: `stage` says so.
    """
    return on.run(partial(on.commands.issue, on.by, alert_id))


@router.post("/{alert_id}/schedule", summary="Issue at a time", responses=COMMAND_PROBLEMS)
def schedule(on: WithAlert, alert_id: UUID, request: Schedule) -> AlertState:
    """The approved version goes out by itself. A bulletin waits for the end of the quiet hours."""
    return on.run(partial(on.commands.schedule, on.by, alert_id, request.due_at))


@router.post("/{alert_id}/unschedule", summary="Take off the clock", responses=COMMAND_PROBLEMS)
def unschedule(on: WithAlert, alert_id: UUID) -> AlertState:
    """The version stays approved and goes out when it is issued."""
    return on.run(partial(on.commands.unschedule, on.by, alert_id))


@router.post(
    "/{alert_id}/update",
    summary="Begin the next version",
    responses=COMMAND_PROBLEMS,
    openapi_extra=CONTENT_EXAMPLE,
)
def update(on: WithAlert, alert_id: UUID, request: ProposedContent) -> AlertState:
    """Of a live alert, which holds until the next one is submitted, approved and issued in its turn."""
    propose = on.commands.propose_update
    return on.run(partial(propose, on.by, alert_id, request.content, corrects=request.corrects))


@router.post("/{alert_id}/correct", summary="Correct at once", responses=COMMAND_PROBLEMS)
def correct(on: WithAlert, alert_id: UUID, request: Correction) -> AlertState:
    """Sends words that another approved beforehand to everyone who got what is wrong. One person may.

    Of an alert that is live across a reorganisation of areas it is refused (`content.edition`): `ways` of
    the problem leads to the two that remain.
    """
    try:
        return on.run(partial(on.commands.correct, on.by, alert_id, request.template))
    except RefusedError as refusal:
        if refusal.rule is not Rule.EDITION:
            raise
        ways = _ways_to_correct(alert_id)
        raise ProblemError(refusal.rule.value, refusal.detail, rule=refusal.rule.value, ways=ways) from None


def _ways_to_correct(alert_id: UUID) -> list[dict[str, object]]:
    api, page = f"/v1/alerts/{alert_id}", f"/console/alerts/{alert_id}"
    return [
        {"href": f"{api}/update", "page": f"{page}/live", "with": {"corrects": True}, "people": 2},
        {"href": f"{api}/cancel", "page": f"{page}/cancel", "with": {"in_error": True}, "people": 1},
    ]


@router.post("/{alert_id}/cancel", summary="Withdraw", responses=COMMAND_PROBLEMS)
def cancel(on: WithAlert, alert_id: UUID, request: Withdrawal) -> AlertState:
    """Ends a live alert at once, everywhere it went. One person may."""
    withdraw = on.commands.cancel
    return on.run(partial(withdraw, on.by, alert_id, request.reason, in_error=request.in_error))
