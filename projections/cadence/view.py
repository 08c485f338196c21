"""How every body stands with its duty to inform, at any instant."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from projections.cadence.rule import Reading, State, due_at, state

RECENT = timedelta(days=30)

# One index probe a body for each figure, so that years of items cost no more than the last ones.
_STANDING = """
SELECT b.issuer_id, b.name, b.level, b.area, b.parent, b.duty_since, last.issued_at, recent.items
FROM cadence_bodies b
LEFT JOIN LATERAL (
    SELECT i.issued_at FROM cadence_items i
    WHERE i.issuer_id = b.issuer_id AND NOT i.taken_back AND i.issued_at <= %(at)s
    ORDER BY i.issued_at DESC LIMIT 1
) last ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS items FROM cadence_items i
    WHERE i.issuer_id = b.issuer_id AND NOT i.taken_back
    AND i.issued_at > %(since)s AND i.issued_at <= %(at)s
) recent
WHERE b.duty_since <= %(at)s AND (b.duty_until IS NULL OR b.duty_until > %(at)s)
AND (%(levels)s::int[] IS NULL OR b.level = ANY(%(levels)s))
AND (%(body)s::text IS NULL OR b.issuer_id = %(body)s)
"""


@dataclass(frozen=True)
class BodyCadence:
    """One body's standing. Instants are UTC; `items_30d` counts the items of the last 30 days."""

    issuer_id: str
    name: str
    level: int
    area: str
    parent: str | None
    duty_since: datetime
    last_item_at: datetime | None
    items_30d: int
    due_at: datetime
    state: State


@dataclass(frozen=True)
class Summary:
    """How many bodies stand where."""

    bodies: int
    ok: int
    due_soon: int
    overdue: int


def standing(
    conn: Connection[Any], at: datetime, reading: Reading, levels: Collection[int] | None = None
) -> list[BodyCadence]:
    """Every body obliged at `at`, of these levels (of all where none is given), the worst first.

    `at` may lie in the past: items issued later are then left out. What was taken back since is
    left out too, for it should never have counted.
    """
    bodies = _read(conn, at, reading, levels=levels)
    return sorted(bodies, key=lambda body: (body.due_at, body.issuer_id))


def one(conn: Connection[Any], issuer_id: str, at: datetime, reading: Reading) -> BodyCadence | None:
    """One body's standing; None for a body not obliged at `at`."""
    return next(iter(_read(conn, at, reading, body=issuer_id)), None)


def summary(
    conn: Connection[Any], at: datetime, reading: Reading, levels: Collection[int] | None = None
) -> Summary:
    """The same, counted."""
    return summarise(_read(conn, at, reading, levels=levels))


def summarise(bodies: Iterable[BodyCadence]) -> Summary:
    """The count of standings already at hand."""
    states = Counter(body.state for body in bodies)
    return Summary(states.total(), states[State.OK], states[State.DUE_SOON], states[State.OVERDUE])


def _read(
    conn: Connection[Any],
    at: datetime,
    reading: Reading,
    *,
    levels: Collection[int] | None = None,
    body: str | None = None,
) -> list[BodyCadence]:
    wanted = {
        "at": at,
        "since": at - RECENT,
        "levels": None if levels is None else sorted(levels),
        "body": body,
    }
    found: list[BodyCadence] = []
    for issuer_id, name, level, area, parent, duty_since, last, items in conn.execute(_STANDING, wanted):
        due = due_at(last, duty_since, reading)
        found.append(
            BodyCadence(
                issuer_id=issuer_id,
                name=name,
                level=level,
                area=area,
                parent=parent,
                duty_since=duty_since.astimezone(UTC),
                last_item_at=last and last.astimezone(UTC),
                items_30d=items,
                due_at=due,
                state=state(due, at),
            )
        )
    return found
