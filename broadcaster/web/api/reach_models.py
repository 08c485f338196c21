"""What the API answers about delivery, cadence and the audit trail."""

from uuid import UUID

from broadcaster.web.api.models import Answer, Instant
from projections.audit.view import Entry
from projections.cadence.rule import Reading, State
from projections.cadence.view import BodyCadence, Summary
from projections.reach.view import ReceiptRow, Totals
from schemas.content import Channel, Lane
from schemas.dispatch import Outcome


class TotalsAnswer(Answer):
    """Recipients by outcome; `accepted` is the provider's word, not the phone's."""

    audience: int
    accepted: int
    gone: int
    refused: int
    dead: int
    expired: int
    superseded: int
    unknown: int
    """Among the others: an earlier try may have been accepted."""
    screens: int
    """Screens that showed it; a screen is no recipient."""
    written_off: int
    """Of the dead: an operator let them be."""
    in_flight: int
    by_topic: int
    """Whose FCM topic's message was accepted: of none of them is it known whether they got it."""
    topics: int
    """Topics it goes to,"""
    topics_accepted: int
    """and those of them whose message was accepted."""


class VersionReachAnswer(Answer):
    """One version of an alert on one channel."""

    version: int
    channel: Channel
    totals: TotalsAnswer
    reasons: dict[str, int]
    """The providers' words, and how often."""
    frozen_at: Instant | None
    last_receipt_at: Instant | None


class SmsCarried(Answer):
    """One version through one SMS provider.

    Of the `accepted`, the others are what the network said later: of many it says nothing.
    """

    version: int
    provider: str
    accepted: int
    delivered: int
    failed: int
    expired: int


class ScreensAccount(Answer):
    """Shown on `shown` of `screens` screens, of one commune (or larger area, where one stands for it)."""

    version: int
    code: str
    name: str
    shown: int
    screens: int
    """In service now, with the alert in their feed."""
    excluded: int
    """Beside them: left out of the alert, because someone said so."""


class ExcludedScreen(Answer):
    """A screen that an alert leaves out."""

    screen_id: UUID
    name: str
    code: str


class ScreenPlays(Answer):
    """How often screens say that a version came on, and for how long in all."""

    version: int
    plays: int
    seconds: int


class AlertReach(Answer):
    """What came of an alert. `shown` and `opened` are phones that said so themselves."""

    channels: list[VersionReachAnswer]
    shown: int
    opened: int
    sms: list[SmsCarried]
    screens: list[ScreensAccount]
    """Of the last version. Empty where screens have moved on to another edition of the register."""
    plays: list[ScreenPlays]


class AreaAudience(Answer):
    """How many of an audience have their home in an area."""

    code: str
    name: str
    count: int


class AudienceAnswer(Answer):
    """Whom one version is for on one channel."""

    version: int
    channel: Channel
    count: int
    sha256: str
    """Of the frozen set."""
    areas: list[AreaAudience]


class AlertAudience(Answer):
    """Whom an alert is for."""

    audiences: list[AudienceAnswer]


class ChannelTotals(Answer):
    """All alerts together, by channel."""

    channels: dict[Channel, TotalsAnswer]


class ReceiptAnswer(Answer):
    """One receipt; `first` to `last` (excluded) are ranks in the audience."""

    position: int
    recorded_at: Instant
    dispatch_id: UUID
    alert_id: UUID
    version: int
    channel: Channel
    lane: Lane
    first: int
    last: int
    attempt: int
    counts: dict[Outcome, int]
    unknown: int
    reasons: dict[str, int]
    provider: str


class ReceiptPage(Answer):
    """Receipts, the newest first."""

    receipts: list[ReceiptAnswer]


class BodyCadenceAnswer(Answer):
    """A body's standing with its duty to issue at least one item in 3 days."""

    issuer_id: str
    name: str
    level: int
    area: str
    parent: str | None
    duty_since: Instant
    last_item: UUID | None
    """The last that counts; an update is no item, nor is an exercise or a test."""
    last_item_at: Instant | None
    items_30d: int
    due_at: Instant | None
    """From then on it is overdue, unless it issues before. Absent while it is exempt."""
    overdue_since: Instant | None
    state: State
    exempt_reason: str | None
    exempt_until: Instant | None


class CadenceSummary(Answer):
    """How many bodies stand where."""

    bodies: int
    ok: int
    due_soon: int
    overdue: int
    exempt: int


class CadencePage(Answer):
    """Bodies, the worst first; the summary counts those of the levels asked for, whatever their state."""

    at: Instant
    reading: Reading
    """What "3 days" means: of the calendar, or 72 hours."""
    summary: CadenceSummary
    bodies: list[BodyCadenceAnswer]


class EntryAnswer(Answer):
    """One event, in words."""

    position: int
    recorded_at: Instant
    topic: str
    stream: UUID
    version: int
    account: str
    body: str | None
    alert_id: UUID | None
    summary: str
    summary_en: str


class AuditPage(Answer):
    """Entries, the newest first. `before` fetches the next page; none is left without it."""

    entries: list[EntryAnswer]
    before: int | None


def totals(counted: Totals) -> TotalsAnswer:
    """Totals."""
    return TotalsAnswer.model_validate(counted)


def receipt(row: ReceiptRow) -> ReceiptAnswer:
    """A receipt."""
    return ReceiptAnswer.model_validate(row)


def standing(body: BodyCadence) -> BodyCadenceAnswer:
    """A body's standing."""
    return BodyCadenceAnswer.model_validate(body)


def summary(counted: Summary) -> CadenceSummary:
    """A summary."""
    return CadenceSummary.model_validate(counted)


def entry(found: Entry) -> EntryAnswer:
    """An entry."""
    return EntryAnswer.model_validate(found)
