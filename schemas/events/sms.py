"""Events of SMS alone: what became of messages on the network, and what they may cost a body."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.dispatch import Fate
from schemas.events.base import Event

Count = Annotated[int, Field(ge=0)]


class SmsDelivered(Event, topic="sms.delivered"):
    """Delivery receipts of a few seconds, of one version and one provider, counted; its own stream.

    The network's word, not the handset's: operators here report no handset.
    """

    alert_id: UUID
    version: Annotated[int, Field(ge=1)]
    provider: str
    counts: dict[Fate, Annotated[int, Field(ge=1)]]


class SmsBudgetSet(Event, topic="sms_budget.set"):
    """What a body's SMS may come to on one day of Hanoi's calendar; None: as much as it likes."""

    issuer_id: str
    segments: Count | None
    vnd: Count | None


class _SmsOrder(Event):
    """A version that goes out by SMS, and what it takes at the most."""

    issuer_id: str
    alert_id: UUID
    version: Annotated[int, Field(ge=1)]
    day: date
    """Of Hanoi's calendar."""
    recipients: Count
    segments: Count
    vnd: Count


class SmsBudgetReserved(_SmsOrder, topic="sms_budget.reserved"):
    """It fits the body's budget of the day, and is set aside."""


class SmsBudgetExceeded(_SmsOrder, topic="sms_budget.exceeded"):
    """An alert goes out although it does not fit."""


class SmsBudgetStopped(_SmsOrder, topic="sms_budget.stopped"):
    """A bulletin does not fit, and goes to nobody by SMS."""


SmsBudgetEvent = SmsBudgetSet | SmsBudgetReserved | SmsBudgetExceeded | SmsBudgetStopped
SmsEvent = SmsDelivered | SmsBudgetEvent
