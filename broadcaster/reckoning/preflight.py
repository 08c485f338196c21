"""Before a version goes out: whom it would reach, what else they have, and what it would take.

The audience is the one that would be fixed now, by the same census and the same rules, so that what is
foretold is what happens while nobody joins, leaves or moves. Nothing is stored: an approval waits for
no census, and after the fact the frozen audience tells the same again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from pyroaring import BitMap64

from broadcaster.alert import Alert
from broadcaster.office import Office
from broadcaster.reckoning import forecast
from broadcaster.reckoning.census import CensusTaker
from broadcaster.reckoning.forecast import Effort, Quotas
from broadcaster.registry.address_book import AddressBook
from channels.gateway import Message
from projections.board import view as board
from projections.fanout import incidents, plan, waves
from projections.fanout import view as fanout
from projections.fanout.plan import SLICE_SIZES, Graver
from schemas.content import Channel, Content, Language, MsgType
from schemas.events import AudienceFrozen, Spared
from schemas.ids import audience_id

LIVE_MOST = 500
"""Live alerts that are looked at for overlap."""


@dataclass(frozen=True)
class Overlap:
    """A live alert that some of the recipients have already."""

    alert_id: UUID
    version: int
    issuer_id: str
    headline: str
    recipients: int


@dataclass(frozen=True)
class ChannelPreflight:
    """One channel of the version in work."""

    channel: Channel
    recipients: int
    by_area: dict[str, int]
    spared: tuple[Spared, ...]
    overlaps: tuple[Overlap, ...]
    effort: Effort


@dataclass(frozen=True)
class Preflight:
    """The version in work, had it gone out at `at`."""

    alert_id: UUID
    version: int
    edition: str
    at: datetime
    channels: tuple[ChannelPreflight, ...]


class Preflights:
    """Asks the registry, the log and the views. It changes nothing."""

    def __init__(self, office: Office, registry: AddressBook, census: CensusTaker, quotas: Quotas) -> None:
        self._office, self._registry, self._census, self._quotas = office, registry, census, quotas

    def of(self, conn: Connection[Any], alert: Alert, at: datetime) -> Preflight:
        """The pre-flight of the version in work. Raises LookupError where none is."""
        work = alert.work
        if work is None:
            raise LookupError(f"alert {alert.id} has no version in work")
        edition = self._office.edition(at).name
        message = self._message(alert, work.version, work.content, at)
        channels = tuple(
            self._channel(conn, alert.id, channel, message, edition)
            for channel in work.content.reaches
            if channel in SLICE_SIZES
        )
        return Preflight(alert.id, work.version, edition, at, channels)

    def effort(self, alert: Alert, channel: Channel, members: BitMap64) -> Effort:
        """What the version that is out takes, to these. Raises LookupError where none is."""
        issued = alert.issued
        if issued is None:
            raise LookupError(f"alert {alert.id} has not gone out")
        message = self._message(alert, issued.version, issued.content, issued.sent)
        return forecast.effort(channel, message, self._readers(channel, members), self._quotas)

    def _channel(
        self, conn: Connection[Any], alert_id: UUID, channel: Channel, message: Message, edition: str
    ) -> ChannelPreflight:
        content, version = message.content, message.version
        taken = self._census.of(content, edition, channel)
        earlier = self._earlier(conn, alert_id, version, channel)
        who, spared = plan.chosen(taken, earlier, self._graver(conn, channel, message))
        members = BitMap64.deserialize(who.bitmap)
        return ChannelPreflight(
            channel,
            who.total,
            who.by_area,
            spared,
            self._overlaps(conn, message, channel, members),
            forecast.effort(channel, message, self._readers(channel, members), self._quotas),
        )

    def _earlier(
        self, conn: Connection[Any], alert_id: UUID, version: int, channel: Channel
    ) -> AudienceFrozen | None:
        with conn.cursor() as cursor:
            for before in range(version - 1, 0, -1):
                found: list[AudienceFrozen] = []
                while True:
                    stream = audience_id(alert_id, before, channel, len(found))
                    event = self._office.log.event(cursor, stream, 1)
                    if not isinstance(event, AudienceFrozen):
                        break
                    found.append(event)
                if found:
                    return waves.joined(found)
        return None

    def _graver(self, conn: Connection[Any], channel: Channel, message: Message) -> list[Graver]:
        incident = message.content.incident
        if incident is None:
            return []
        standings = incidents.sparing(
            incidents.of(conn, incident), message.alert_id, message.content, message.sent
        )
        known = fanout.members(conn, channel, [each.alert_id for each in standings])
        return [
            Graver(each.alert_id, each.version, known[each.alert_id].serialize())
            for each in standings
            if each.alert_id in known
        ]

    def _overlaps(
        self, conn: Connection[Any], message: Message, channel: Channel, members: BitMap64
    ) -> tuple[Overlap, ...]:
        # Of its own mode: a drill does not double what is meant, nor the reverse.
        rows = board.find(conn, status="live", mode=message.content.mode, limit=LIVE_MOST)
        others = [row.alert_id for row in rows if row.alert_id != message.alert_id]
        known = fanout.members(conn, channel, others)
        both = {other: members.intersection_cardinality(theirs) for other, theirs in known.items()}
        found = [
            Overlap(row.alert_id, row.version, row.issuer_id, row.content.texts["vi"].headline, count)
            for row in rows
            if (count := both.get(row.alert_id, 0))
        ]
        return tuple(sorted(found, key=lambda each: (-each.recipients, each.alert_id)))

    def _readers(self, channel: Channel, members: BitMap64) -> Mapping[Language, int]:
        if channel is not Channel.SMS:
            return {"vi": len(members)}
        english = members.intersection_cardinality(self._registry.readers(channel, "en"))
        return {"vi": len(members) - english, "en": english}

    def _message(self, alert: Alert, version: int, content: Content, at: datetime) -> Message:
        return Message(
            alert_id=alert.id,
            version=version,
            msg_type=MsgType.UPDATE if version > 1 else MsgType.ALERT,
            lane=content.lane,
            issuer_name=self._office.issuer(alert.issuer_id).name,
            content=content,
            sent=at,
            expires_at=content.expires_at or at,
        )
