"""What the home page and an alert's page show, read from the views."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from broadcaster.areas import AreaRegister
from broadcaster.log import UnknownStreamError
from broadcaster.web import sights, story
from broadcaster.web.i18n import Lang
from broadcaster.web.services import Services, standings
from broadcaster.web.sights import AlertSight, CadenceSight, ChannelSight, HomeSight
from broadcaster.web.story import Story
from broadcaster.web.subjects import subject
from projections.board import view as board
from projections.board.view import BoardRow
from projections.cadence import view as cadence
from projections.reach import view as reach
from schemas.content import Channel, Content, Kind

_LIVE = 60
_RECEIPTS = 3
_BODIES = 20
_PRESSING = {"overdue", "due_soon"}


@dataclass(frozen=True)
class Eye:
    """Who looks: in which language, when, and by which register the areas are named."""

    services: Services
    lang: Lang
    now: datetime
    register: AreaRegister

    @classmethod
    def of(cls, services: Services, lang: Lang) -> "Eye":
        """Now."""
        return cls(services, lang, services.now(), services.ports.office.register())

    def see(
        self, alert_id: UUID, issuer: str, content: Content, edition: str, times: tuple[datetime, datetime]
    ) -> AlertSight:
        """An alert that went out; `times` are when it was sent and when it ends."""
        text, text_lang = sights.text_of(content, self.lang)
        category = subject(self.services, content.category, self.lang)
        sent, expires_at = times
        return AlertSight(
            id=alert_id,
            lane=content.lane,
            level=content.risk_level,
            content=content,
            text=text,
            text_lang=text_lang,
            category=category.name,
            category_lang=category.lang,
            issuer=self.services.directory.body_name(issuer),
            places=sights.places(self.register.edition(edition).tree, content.areas),
            sent=sent,
            expires_at=expires_at,
            left=max(timedelta(0), expires_at - self.now),
        )

    def see_row(self, row: BoardRow) -> AlertSight | None:
        """A row of the board; None where its time is up, which the log may not say yet."""
        if row.edition is None or row.sent is None or row.expires_at is None or row.expires_at <= self.now:
            return None
        times = (row.sent, row.expires_at)
        return self.see(row.alert_id, row.issuer_id, row.content, row.edition, times)


def home(services: Services, lang: Lang, state: str | None, *, whole: bool) -> HomeSight:
    """All of the home page; `state` narrows the cadence list, `whole` shows it to its end."""
    eye = Eye.of(services, lang)
    with services.reading() as conn:
        rows = board.find(conn, status="live", limit=_LIVE)
        channels = _channels(conn)
        standing = services.ports.cadence.standing(conn, eye.now)
    seen = [sight for row in rows if (sight := eye.see_row(row))]
    live = sorted(seen, key=lambda alert: alert.gravity)
    wanted = [body for body in standing if state in {None, body.state}]
    # Who is on time is counted; by name they are told only to those who ask.
    pressing = wanted if state else [body for body in wanted if body.state in _PRESSING]
    shown = wanted if whole else pressing[:_BODIES]
    hidden = len(wanted) - len(shown)
    return HomeSight(
        at=eye.now,
        alerts=tuple(alert for alert in live if alert.content.kind is Kind.ALERT),
        bulletins=tuple(alert for alert in live if alert.content.kind is Kind.BULLETIN),
        channels=channels,
        cadence=CadenceSight(cadence.summarise(standing), state, tuple(shown), hidden),
        standings=tuple(standings(services.ports)),
    )


def alert(services: Services, alert_id: UUID, lang: Lang) -> tuple[Story, AlertSight] | None:
    """An alert that went out at least once; None for any other."""
    try:
        found = story.read(services.ports.log, alert_id)
    except UnknownStreamError:
        return None
    issued = found.alert.issued
    if issued is None:
        return None
    times = (issued.sent, issued.expires_at)
    eye = Eye.of(services, lang)
    return found, eye.see(alert_id, found.alert.issuer_id, issued.content, issued.edition, times)


def _channels(conn: Connection[Any]) -> tuple[ChannelSight, ...]:
    return tuple(
        ChannelSight(
            channel,
            totals,
            sights.bar(totals),
            # A screen has no receipts of its own: it reports what it shows.
            () if channel is Channel.LED else tuple(reach.recent(conn, channel, _RECEIPTS, drills=False)),
        )
        for channel, totals in reach.totals_by_channel(conn).items()
    )
