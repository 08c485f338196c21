"""What the API answers about who an alert reached and missed, whole and by commune."""

from uuid import UUID

from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.api.reach_models import ExcludedScreen, ScreensAccount, TotalsAnswer
from schemas.content import Channel


class ChannelAccount(Answer):
    """One version on one channel.

    audience = accepted + by_topic + gone + refused + superseded + expired + dead, once `in_flight` is zero.
    `unknown` and `written_off` are among those, not beside them.
    """

    version: int
    channel: Channel
    totals: TotalsAnswer
    reasons: dict[str, int]
    settled: bool
    """Whether every recipient has ended in one outcome."""
    frozen_at: Instant | None
    last_receipt_at: Instant | None


class AreaAccount(Answer):
    """The same for those whose home was one commune when the audience was fixed."""

    version: int
    channel: Channel
    code: str
    name: str
    audience: int
    accepted: int
    gone: int
    refused: int
    superseded: int
    expired: int
    dead: int
    in_flight: int
    by_topic: int


class SparedAccount(Answer):
    """Whom a graver alert of the same incident spared this one. They are not in its audience."""

    version: int
    channel: Channel
    by_alert: UUID
    by_version: int
    count: int
    holds: bool
    """Whether that alert is live still. Once it is withdrawn they have neither: an update reaches them."""


class AreaCoverage(Answer):
    """Who lives in a commune, and how many phones are registered there now."""

    code: str
    name: str
    population: int | None
    """Of the register; absent where it says none."""
    phones: int
    push: int
    sms: int
    share: float | None
    """Phones for each resident, 0 to 1 and, where people have several phones, more."""


class Accounting(Answer):
    """What came of an alert, to be added up. `areas` is empty for an audience that told no homes."""

    alert_id: UUID
    channels: list[ChannelAccount]
    areas: list[AreaAccount]
    spared: list[SparedAccount]
    coverage: list[AreaCoverage]
    """Of the communes the alert names, whole or as parts of a larger area. Empty where the registry
    has moved on to another edition of the register: a code may be another place there."""
    screens: list[ScreensAccount]
    """Of the last version. Empty where screens have moved on to another edition of the register."""
    screens_excluded: list[ExcludedScreen]
    """Those that it leaves out, by name."""
    population: int
    """Of those communes."""
    phones: int | None
    coverage_at: Instant
    shown: int
    """Phones that said they showed it."""
    opened: int
