"""Reads the items of bodies from the rows of the projection."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.cadence.body import NEVER, Body, Item
from schemas.content import Kind, Mode

# One index probe a body for each figure, so that years of items cost no more than the last ones.
_LATEST = """
SELECT b.issuer_id, last.alert_id, last.issued_at, last.kind, last.position, recent.items
FROM unnest(%(bodies)s::text[]) b (issuer_id)
LEFT JOIN LATERAL (
    SELECT s.alert_id, s.issued_at, s.kind, s.position FROM cadence_sends s
    WHERE s.issuer_id = b.issuer_id AND s.issued_at <= %(at)s AND s.kind = ANY(%(kinds)s)
    AND s.first AND s.actual AND {not_taken_back}
    ORDER BY s.issued_at DESC, s.position DESC LIMIT 1
) last ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS items FROM cadence_sends s
    WHERE s.issuer_id = b.issuer_id AND s.issued_at > %(since)s AND s.issued_at <= %(at)s
    AND s.kind = ANY(%(kinds)s) AND s.first AND s.actual AND {not_taken_back}
) recent
"""
_KNOWN_NOW = "s.taken_back IS NULL"
_KNOWN_THEN = "(s.position <= %(known)s AND (s.taken_back IS NULL OR s.taken_back > %(known)s))"

_SENDS = """
SELECT s.alert_id, s.issuer_id, s.issued_at, s.kind, s.mode,
    s.taken_back IS NOT NULL AND s.taken_back <= %(known)s, s.position
FROM unnest(%(bodies)s::text[]) b (issuer_id)
LEFT JOIN LATERAL (
    SELECT a.issued_at FROM cadence_sends a
    WHERE a.issuer_id = b.issuer_id AND a.issued_at < %(since)s AND a.position <= %(known)s
    AND a.first AND a.actual AND (a.taken_back IS NULL OR a.taken_back > %(known)s)
    ORDER BY a.issued_at DESC LIMIT 1
) anchor ON true
JOIN cadence_sends s ON s.issuer_id = b.issuer_id AND s.issued_at <= %(until)s
    AND s.issued_at >= coalesce(anchor.issued_at, '-infinity')
WHERE s.first AND s.position <= %(known)s
"""
_ABOVE = """
SELECT b.issuer_id, s.alert_id, s.issuer_id, s.issued_at, s.kind, s.mode,
    s.taken_back IS NOT NULL AND s.taken_back <= %(known)s, s.position
FROM unnest(%(bodies)s::text[], %(parents)s::text[], %(areas)s::text[], %(editions)s::text[],
    %(since)s::timestamptz[], %(until)s::timestamptz[])
    b (issuer_id, parent, area, edition, since, until)
JOIN cadence_sends s ON s.issuer_id = b.parent AND s.issued_at >= b.since AND s.issued_at < b.until
    AND s.edition = b.edition AND b.area = ANY(s.areas)
WHERE s.first AND s.position <= %(known)s AND s.issued_at <= %(at)s
"""
_EVERY = """
SELECT alert_id, version, issuer_id, issued_at, first, kind, mode, headline, position, taken_back
FROM cadence_sends WHERE issuer_id = %s AND issued_at <= %s ORDER BY issued_at, alert_id, version
"""


@dataclass(frozen=True, slots=True)
class Send:
    """Anything that a body sent out, item or update."""

    alert_id: UUID
    version: int
    issuer_id: str
    at: datetime
    first: bool
    kind: Kind
    mode: Mode
    headline: str
    position: int
    """In the log."""
    taken_back: int | None
    """The position of what took it back."""

    def item(self, known: int) -> Item:
        """As the rule sees it, by what the log held up to a position."""
        taken_back = self.taken_back is not None and self.taken_back <= known
        return Item(self.alert_id, self.issuer_id, self.at, self.kind, self.mode, taken_back, self.position)


def latest(
    conn: Connection[Any],
    bodies: Collection[str],
    kinds: Collection[Kind],
    *,
    at: datetime,
    since: datetime,
    known: int | None,
) -> dict[str, tuple[Item | None, int]]:
    """Each body's last item of these kinds at `at`, and how many there were after `since`.

    `known` is the position of the log up to which is looked; absent, all of it.
    """
    asked = {"bodies": list(bodies), "kinds": [str(kind) for kind in kinds], "at": at, "since": since}
    query = _LATEST.replace("{not_taken_back}", _KNOWN_NOW if known is None else _KNOWN_THEN)
    found: dict[str, tuple[Item | None, int]] = {}
    for body, alert_id, issued_at, kind, position, items in conn.execute(
        query.encode(), asked | {"known": known}
    ):
        item = None
        if alert_id:
            item = Item(alert_id, body, issued_at.astimezone(UTC), Kind(kind), position=position)
        found[body] = (item, items)
    return found


def items(
    conn: Connection[Any],
    bodies: Collection[str],
    since: datetime | None,
    until: datetime,
    known: int,
) -> dict[str, list[Item]]:
    """The bodies' own items up to `until`, in order of time; before `since` only from the last that counts.

    Exercises, tests and what was taken back are among them.
    """
    asked = {"bodies": list(bodies), "since": since or datetime(1970, 1, 1, tzinfo=UTC), "until": until}
    found: dict[str, list[Item]] = {body: [] for body in bodies}
    for row in conn.execute(_SENDS, asked | {"known": known}):
        found[row[1]].append(_item(row))
    for each in found.values():
        each.sort(key=lambda item: item.place)
    return found


def of_parents(
    conn: Connection[Any], bodies: Sequence[Body], first_edition: str | None, at: datetime, known: int
) -> dict[str, list[Item]]:
    """The items of the body above that name the body's own area, while it was above."""
    stays = [row for body in bodies for row in _stays(body, first_edition)]
    names = ("bodies", "parents", "areas", "editions", "since", "until")
    columns: Mapping[str, list[Any]] = dict(zip(names, map(list, zip(*stays, strict=True)), strict=False))
    found: dict[str, list[Item]] = {}
    if columns:
        for row in conn.execute(_ABOVE, {**columns, "at": at, "known": known}):
            found.setdefault(row[0], []).append(_item(row[1:]))
    return found


def every(conn: Connection[Any], body: str, until: datetime) -> list[Send]:
    """All that the body sent out, updates too, in order of time."""
    found = conn.execute(_EVERY, (body, until))
    return [
        Send(
            alert_id,
            version,
            issuer_id,
            at.astimezone(UTC),
            first,
            Kind(kind),
            Mode(mode),
            headline,
            position,
            taken_back,
        )
        for alert_id, version, issuer_id, at, first, kind, mode, headline, position, taken_back in found
    ]


def _item(row: Sequence[Any]) -> Item:
    alert_id, issuer_id, at, kind, mode, taken_back, position = row
    return Item(alert_id, issuer_id, at.astimezone(UTC), Kind(kind), Mode(mode), taken_back, position)


def _stays(body: Body, first_edition: str | None) -> Iterator[tuple[Any, ...]]:
    for stay, following in pairwise((*body.stays, None)):
        if stay is not None and stay.parent is not None:
            until = following.since if following else NEVER
            edition = stay.edition or first_edition
            yield body.issuer_id, stay.parent, stay.area, edition, stay.since, until
