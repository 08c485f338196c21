"""What came of the sends: by alert, by channel, and receipt by receipt."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from schemas.content import Channel, Lane
from schemas.dispatch import Outcome


@dataclass(frozen=True)
class Totals:
    """Recipients by outcome. `screens` counts screens that showed it; a screen is no recipient.

    `unknown` counts those of whom an earlier try may or may not have been accepted: they are among the
    others, never beside them.
    """

    audience: int = 0
    accepted: int = 0
    gone: int = 0
    refused: int = 0
    dead: int = 0
    expired: int = 0
    superseded: int = 0
    unknown: int = 0
    screens: int = 0
    written_off: int = 0
    """Of the dead: an operator let them be."""
    by_topic: int = 0
    """Whose topic's message the provider took. Of nobody is it known whether they got it."""
    topics: int = 0
    """Topics that it goes to,"""
    topics_accepted: int = 0
    """and those whose message the provider took."""

    @property
    def sent(self) -> int:
        """Whom the provider took a message for, by themselves or by topic."""
        return self.accepted + self.by_topic

    @property
    def final(self) -> int:
        """Recipients whose outcome is known for good."""
        return self.sent + self.gone + self.refused + self.dead + self.expired + self.superseded

    @property
    def in_flight(self) -> int:
        """Recipients still to be settled."""
        return self.audience - self.final


@dataclass(frozen=True)
class VersionReach:
    """One version of an alert on one channel, with the providers' reasons and how often each was given."""

    version: int
    channel: Channel
    totals: Totals
    reasons: dict[str, int]
    frozen_at: datetime | None
    last_receipt_at: datetime | None


@dataclass(frozen=True)
class AreaReach:
    """One version on one channel, of those whose home is one area. `unknown` is not told by area."""

    version: int
    channel: Channel
    area: str
    totals: Totals


@dataclass(frozen=True)
class ReceiptRow:
    """One receipt: `first` to `last` (excluded) are ranks in the audience."""

    position: int
    recorded_at: datetime
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


@dataclass(frozen=True)
class Showing:
    """A screen that showed a version of an alert, and when it first said so."""

    version: int
    screen_id: UUID
    shown_at: datetime


_COUNTS = (
    "audience, accepted, gone, refused, dead, expired, superseded, unknown, screens, written_off,"
    " by_topic, topics, topics_accepted"
)
_OF_ALERT = (
    f"SELECT version, channel, frozen_at, last_receipt_at, {_COUNTS} FROM reach_totals"  # noqa: S608 (constant)
    " WHERE alert_id = %s ORDER BY version, channel"
)
_REASONS = """
SELECT version, channel, reason, count FROM reach_reasons WHERE alert_id = %s ORDER BY count DESC, reason
"""
_BY_CHANNEL = """
SELECT channel, sum(audience)::bigint, sum(accepted)::bigint, sum(gone)::bigint, sum(refused)::bigint,
    sum(dead)::bigint, sum(expired)::bigint, sum(superseded)::bigint, sum(unknown)::bigint,
    sum(screens)::bigint, sum(written_off)::bigint, sum(by_topic)::bigint, sum(topics)::bigint,
    sum(topics_accepted)::bigint
FROM reach_totals AS t WHERE NOT EXISTS (SELECT FROM reach_drills AS d WHERE d.alert_id = t.alert_id)
GROUP BY channel
"""
_OF_AREAS = """
SELECT version, channel, area, by_topic, audience, accepted, gone, refused, dead, expired, superseded
FROM reach_areas WHERE alert_id = %s ORDER BY version, channel, area
"""
_RECEIPT = """
SELECT position, recorded_at, dispatch_id, alert_id, version, channel, lane, first_rank, last_rank, attempt,
    counts, unknown, reasons, provider
FROM reach_receipts"""
_SCREENS = """
SELECT version, screen_id, shown_at FROM reach_screens WHERE alert_id = %s ORDER BY shown_at, screen_id
"""

_SCREEN = """
SELECT alert_id, version, shown_at FROM reach_screens WHERE screen_id = %s ORDER BY shown_at DESC LIMIT %s
"""


def of_alert(conn: Connection[Any], alert_id: UUID) -> list[VersionReach]:
    """Every version and channel of an alert, in order of version, then channel."""
    reasons: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for version, channel, reason, count in conn.execute(_REASONS, (alert_id,)):
        reasons[version, channel][reason] = count
    return [
        VersionReach(
            version,
            Channel(channel),
            Totals(*counts),
            reasons.get((version, channel), {}),
            frozen_at and frozen_at.astimezone(UTC),
            last and last.astimezone(UTC),
        )
        for version, channel, frozen_at, last, *counts in conn.execute(_OF_ALERT, (alert_id,))
    ]


def areas_of_alert(conn: Connection[Any], alert_id: UUID) -> list[AreaReach]:
    """Every version, channel and home area, in that order; none of an audience that tells no homes."""
    return [
        AreaReach(version, Channel(channel), area, Totals(*counts, by_topic=by_topic))
        for version, channel, area, by_topic, *counts in conn.execute(_OF_AREAS, (alert_id,))
    ]


def totals_by_channel(conn: Connection[Any]) -> dict[Channel, Totals]:
    """All actual alerts together, no exercise or test; a channel never used has zeros."""
    found = {Channel(channel): Totals(*counts) for channel, *counts in conn.execute(_BY_CHANNEL)}
    return {channel: found.get(channel, Totals()) for channel in Channel}


def recent(
    conn: Connection[Any], channel: Channel | None = None, limit: int = 20, *, drills: bool = True
) -> list[ReceiptRow]:
    """The last receipts, the newest first; with those of exercises and tests, unless told otherwise."""
    wanted: list[str] = []
    if channel is not None:
        wanted.append("channel = %(channel)s")
    if not drills:
        wanted.append("NOT EXISTS (SELECT FROM reach_drills AS d WHERE d.alert_id = r.alert_id)")
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    asked = {"channel": channel and channel.value, "limit": limit}
    rows = conn.execute(f"{_RECEIPT} AS r{where} ORDER BY position DESC LIMIT %(limit)s".encode(), asked)
    return [_receipt(row) for row in rows]


def showings(conn: Connection[Any], alert_id: UUID) -> list[Showing]:
    """The screens that showed the alert, in the order in which they first did."""
    return [
        Showing(version, screen_id, shown_at.astimezone(UTC))
        for version, screen_id, shown_at in conn.execute(_SCREENS, (alert_id,))
    ]


def shown_on(conn: Connection[Any], screen_id: UUID, most: int = 20) -> list[tuple[UUID, int, datetime]]:
    """What a screen showed: alert, version and when it first said so, the last one first."""
    rows = conn.execute(_SCREEN, (screen_id, most))
    return [(alert_id, version, shown_at.astimezone(UTC)) for alert_id, version, shown_at in rows]


def _receipt(row: tuple[Any, ...]) -> ReceiptRow:
    position, recorded_at, dispatch_id, alert_id, version, channel, lane, first, last, attempt, *rest = row
    counts, unknown, reasons, provider = rest
    return ReceiptRow(
        position=position,
        recorded_at=recorded_at.astimezone(UTC),
        dispatch_id=dispatch_id,
        alert_id=alert_id,
        version=version,
        channel=Channel(channel),
        lane=Lane(lane),
        first=first,
        last=last,
        attempt=attempt,
        counts={Outcome(outcome): count for outcome, count in counts.items()},
        unknown=unknown,
        reasons=reasons,
        provider=provider,
    )
