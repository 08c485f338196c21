"""Alerts as the console lists them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from broadcaster.web import sights
from broadcaster.web.i18n import Lang
from broadcaster.web.services import Services
from broadcaster.web.sights import Places
from projections.board.fold import BoardRow
from schemas.content import Content, Lane, Text


@dataclass(frozen=True)
class Card:
    """One alert in a list."""

    id: UUID
    status: str
    """in_work, live, cancelled, expired, rejected; past where its time is up and the log lags."""
    stage: str | None
    content: Content
    text: Text
    text_lang: str
    lane: Lane
    level: int | None
    issuer_id: str
    issuer: str
    places: Places
    changed_at: datetime
    expires_at: datetime | None
    position: int


def cards(services: Services, lang: Lang, rows: Iterable[BoardRow]) -> list[Card]:
    """The rows of the board, in words."""
    register, now = services.ports.office.register(), services.now()
    return [
        _card(services, lang, row, register.edition(row.edition).tree if row.edition else None, now)
        for row in rows
    ]


def _card(services: Services, lang: Lang, row: BoardRow, tree: object, now: datetime) -> Card:
    text, text_lang = sights.text_of(row.content, lang)
    over = row.status == "live" and row.expires_at is not None and row.expires_at <= now
    return Card(
        id=row.alert_id,
        status="expired" if over else row.status,
        stage=row.stage,
        content=row.content,
        text=text,
        text_lang=text_lang,
        lane=row.content.lane,
        level=row.content.risk_level,
        issuer_id=row.issuer_id,
        issuer=services.directory.body_name(row.issuer_id),
        places=sights.places(tree or services.tree(), row.content.areas),  # type: ignore[arg-type]
        changed_at=row.changed_at,
        expires_at=row.expires_at,
        position=row.position,
    )


def category_lasts(services: Services, code: str) -> timedelta | None:
    """How long what names no end of its own lasts; None where the category is none of ours."""
    known = services.ports.office.categories.get(code)
    return known.lifetime if known else None
