"""What came between the alert that a form was about and the press of its button: who did it, and when.

A second press, the way back, a reload or a lost answer bring a form twice. The first one counts; the second
is led to the alert, and told what the first did. Nothing of that is remembered: the log says it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from broadcaster.web.console.visitor import Visitor
from broadcaster.web.services import Services
from schemas.events import (
    AlertApproved,
    AlertCancelled,
    AlertIssued,
    AlertRejected,
    AlertReturned,
    AlertScheduled,
    AlertUnscheduled,
)

STEPS = {
    "approve": {AlertApproved.TOPIC},
    "approve-issue": {AlertApproved.TOPIC},
    "issue": {AlertIssued.TOPIC, AlertScheduled.TOPIC},
    "schedule": {AlertScheduled.TOPIC},
    "unschedule": {AlertUnscheduled.TOPIC},
    "return": {AlertReturned.TOPIC},
    "reject": {AlertRejected.TOPIC},
    "cancel": {AlertCancelled.TOPIC},
}
"""By what each button is called: the events that say that it was done."""
_MOST = 6
"""Events that are told of."""


@dataclass(frozen=True)
class Act:
    """Something that was done to the alert."""

    at: datetime
    topic: str
    account: str
    mine: bool


@dataclass(frozen=True)
class Already:
    """What was done since the visitor's page was made."""

    step: str
    acts: Sequence[Act]

    @property
    def is_done(self) -> bool:
        """Whether it is what the visitor asked for; else someone else was quicker with something else."""
        return self.acts[0].topic in STEPS[self.step]


Step = Annotated[str, Query(max_length=20)]
Seen = Annotated[int, Query(ge=0, le=10**9)]


def found(services: Services, visitor: Visitor, alert_id: UUID, step: str, seen: int) -> Already | None:
    """What was done to the alert after the version that was seen; None where nothing was."""
    since = services.ports.log.since(alert_id, seen, _MOST) if step in STEPS else ()
    acts = [Act(at, one.TOPIC, one.by.account, one.by.account == visitor.name) for at, one in since]
    return Already(step, acts) if acts else None


def query(step: str, seen: int) -> str:
    """For the address of a page that is to tell it."""
    return f"?step={step}&seen={seen}" if step else ""
