"""Questions about dead letters."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection

from schemas.content import Channel, Lane

State = Literal["open", "replayed", "written_off"]


@dataclass(frozen=True)
class DeadLetter:
    """Recipients that one dispatch gave up; named by that dispatch. It holds no address."""

    dispatch_id: UUID
    position: int
    died_at: datetime
    alert_id: UUID
    version: int
    channel: Channel
    lane: Lane
    count: int
    areas: dict[str, int]
    """How many have their home where."""
    reasons: dict[str, int]
    """The provider's, of the whole dispatch."""
    provider: str
    attempt: int
    replay_of: UUID | None
    replayable: bool
    """Whether its receipt tells whom it gave up; old ones do not."""
    expires_at: datetime
    state: State
    settled_at: datetime | None
    settled_by: str | None
    settled_because: str | None
    next_dispatch_id: UUID | None
    """The order it was replayed by."""


@dataclass(frozen=True)
class Pile:
    """How many letters of one version lie on one channel, and how many recipients are in them."""

    alert_id: UUID
    version: int
    channel: Channel
    state: State
    letters: int
    recipients: int


_NAMES = [each.name for each in fields(DeadLetter)]
_ALL = """
SELECT dispatch_id, position, died_at, alert_id, version, channel, lane, count, areas, reasons, provider,
    attempt, replay_of, replayable, expires_at, state, settled_at, settled_by, settled_because,
    next_dispatch_id
FROM reach_dead_letters
"""
_SOME = (
    _ALL
    + """
WHERE (%(alert)s::uuid IS NULL OR alert_id = %(alert)s)
    AND (%(channel)s::text IS NULL OR channel = %(channel)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(before)s::bigint IS NULL OR position < %(before)s)
ORDER BY position DESC LIMIT %(limit)s
"""
)
_PILES = """
SELECT alert_id, version, channel, state, count(*), sum(count)::bigint FROM reach_dead_letters
WHERE %(alert)s::uuid IS NULL OR alert_id = %(alert)s
GROUP BY alert_id, version, channel, state ORDER BY max(position) DESC, state LIMIT %(limit)s
"""


def find(
    conn: Connection[Any],
    *,
    alert_id: UUID | None = None,
    channel: Channel | None = None,
    state: State | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[DeadLetter]:
    """Dead letters, the newest first; `before` a position."""
    asked = {"alert": alert_id, "channel": channel and channel.value, "state": state, "before": before}
    return [_letter(row) for row in conn.execute(_SOME, asked | {"limit": limit})]


def one(conn: Connection[Any], dispatch_id: UUID) -> DeadLetter | None:
    """The dead letter of that dispatch; None where it gave nobody up."""
    row = conn.execute(_ALL + " WHERE dispatch_id = %s", (dispatch_id,)).fetchone()
    return row and _letter(row)


def piles(conn: Connection[Any], *, alert_id: UUID | None = None, limit: int = 100) -> list[Pile]:
    """The letters counted by alert, version, channel and state, the latest first."""
    return [
        Pile(alert, version, Channel(channel), state, letters, recipients)
        for alert, version, channel, state, letters, recipients in conn.execute(
            _PILES, {"alert": alert_id, "limit": limit}
        )
    ]


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    told: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    for name in ("died_at", "expires_at", "settled_at"):
        told[name] = told[name] and told[name].astimezone(UTC)
    told["channel"], told["lane"] = Channel(told["channel"]), Lane(told["lane"])
    return DeadLetter(**told)


@dataclass(frozen=True)
class Backlog:
    """The letters that nobody has settled; `oldest` is when the first of them died."""

    letters: int
    recipients: int
    oldest: datetime | None


def backlog(conn: Connection[Any]) -> Backlog:
    """What waits for a decision."""
    query = "SELECT count(*), coalesce(sum(count), 0)::bigint, min(died_at) FROM reach_dead_letters"
    row = conn.execute(query + " WHERE state = 'open'").fetchone()
    letters, recipients, oldest = row or (0, 0, None)
    return Backlog(letters, recipients, oldest and oldest.astimezone(UTC))
