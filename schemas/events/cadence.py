"""Events of the duty to inform regularly: its terms, who is let off, who was reminded."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas.cadence import CadencePolicy
from schemas.events.base import Event


class CadencePolicySet(Event, topic="cadence.policy_set"):
    """From `effective_at` these terms hold, until the next ones do. One stream for the city."""

    policy: CadencePolicy
    effective_at: AwareDatetime
    reason: str


class CadenceExempted(Event, topic="cadence.exempted"):
    """A body owes nothing from `starts_at` until just before `ends_at`; the stream is the body's."""

    issuer_id: str
    exemption_id: UUID
    reason: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None
    """Absent: until it is ended."""


class CadenceExemptionEnded(Event, topic="cadence.exemption_ended"):
    """An exemption ends at another instant than it said."""

    issuer_id: str
    exemption_id: UUID
    ends_at: AwareDatetime


class Notice(StrEnum):
    """What a body, or who watches over it, is told."""

    DAY_BEFORE = "day_before"
    """Due within 24 hours."""
    HOURS_BEFORE = "hours_before"
    """Due within 6 hours."""
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    """Overdue for another day."""
    DIGEST = "digest"
    """How those below stand, once a day."""
    ASKED = "asked"
    """A person who watches over it had it told, once a day at most."""


class ReminderDue(Event, topic="reminder.due"):
    """A notice is to go to a body's office. Its stream is its id, so there is one of each for ever."""

    notice: Notice
    recipient: str
    """The body whose office is told."""
    about: Annotated[str | None, Field(exclude_if=lambda about: about is None)] = None
    """The body that owes; absent in a digest."""
    due_at: AwareDatetime
    """The instant the notice is about; of a digest the midnight it was made for."""


class ReminderSent(Event, topic="reminder.sent"):
    """What became of a notice."""

    outcome: Annotated[str, Field(pattern=r"^(accepted|refused|unknown|no_contact)$")]
    """The mail server's word; `unknown`: it may have been accepted, and is not sent again."""
    recipients: Annotated[int, Field(ge=0)]
    """Addresses it was for."""
    detail: str = ""


CadenceEvent = CadencePolicySet | CadenceExempted | CadenceExemptionEnded
ReminderEvent = ReminderDue | ReminderSent
