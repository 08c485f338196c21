"""How every body stands with its duty to inform, at any instant, and what it did all along."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.cadence import sends
from projections.cadence.body import NEVER, Body, Item
from projections.cadence.duty import in_force
from projections.cadence.ledger import Ledger
from projections.cadence.rule import State
from projections.cadence.standing import Standing, stand
from schemas.cadence import CadencePolicy
from schemas.events import Event, Recorded

RECENT = timedelta(days=30)
ALL = 2**62
"""A position beyond any log."""
_FACTS = """
SELECT position, recorded_at, topic, stream, version, payload FROM cadence_facts
WHERE position > %s AND position <= %s ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class BodyCadence:
    """One body's standing. Instants are UTC; `items_30d` counts the items of the last 30 days.

    `due_at` is absent while it is exempt.
    """

    issuer_id: str
    name: str
    level: int
    area: str
    parent: str | None
    duty_since: datetime
    last_item: UUID | None
    last_item_at: datetime | None
    items_30d: int
    due_at: datetime | None
    overdue_since: datetime | None
    state: State
    exempt_reason: str | None = None
    exempt_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """How many bodies stand where."""

    bodies: int
    ok: int
    due_soon: int
    overdue: int
    exempt: int = 0


class CadenceBook:
    """Answers from the view's rows. It remembers the facts it has read, for the log never changes.

    `policy` holds where the log says nothing of terms. May be shared by threads.
    """

    def __init__(self, policy: CadencePolicy | None = None) -> None:
        self._policy = policy or CadencePolicy()
        self._ledger = Ledger(self._policy)
        self._lock = Lock()

    def ledger(self, conn: Connection[Any], known: int | None = None) -> Ledger:
        """Bodies, terms and exemptions as they are known now, or by what the log held up to a position.

        The ledger is shared: it is to be read only.
        """
        if known is not None:
            return Ledger(self._policy).take(_facts(conn, 0, known))
        with self._lock:
            new = list(_facts(conn, self._ledger.position, ALL))
            if new:
                self._ledger = self._ledger.copy().take(new)
            return self._ledger

    def standing(
        self,
        conn: Connection[Any],
        at: datetime,
        levels: Collection[int] | None = None,
        *,
        known: int | None = None,
    ) -> list[BodyCadence]:
        """Every body that owes or is exempt at `at`, of these levels (of all without), the worst first.

        `at` may lie in the past: items issued later are then left out. What we know now is what is
        asked: an item taken back since, or an exemption recorded since, is seen. Where `known` is a
        position of the log, only what it held up to there: as it stood, if it is that of `at`.
        """
        ledger = self.ledger(conn, known)
        wanted = [
            body
            for body in ledger.bodies.values()
            if body.since <= at < body.until and (levels is None or body.stay(at).level in levels)
        ]
        found = self._stand(conn, ledger, wanted, at, known=known)
        return sorted(found, key=lambda body: (body.due_at or NEVER, body.issuer_id))

    def one(
        self, conn: Connection[Any], issuer_id: str, at: datetime, *, known: int | None = None
    ) -> BodyCadence | None:
        """One body's standing; None for a body that owed nothing at `at` and was not exempt."""
        ledger = self.ledger(conn, known)
        body = ledger.bodies.get(issuer_id)
        if body is None:
            return None
        return next(iter(self._stand(conn, ledger, [body], at, known=known)), None)

    def summary(
        self, conn: Connection[Any], at: datetime, levels: Collection[int] | None = None
    ) -> Summary:
        """The same, counted."""
        return summarise(self.standing(conn, at, levels))

    def items(
        self,
        conn: Connection[Any],
        ledger: Ledger,
        bodies: Sequence[Body],
        *,
        since: datetime | None,
        until: datetime,
        known: int = ALL,
    ) -> dict[str, list[Item]]:
        """All that `standing` and `breaches` want to know of the bodies' items, from `since` on.

        Before `since` there are only as many as it takes to judge what was then under way.
        """
        # Under other terms other items were the last ones: then all of them are asked.
        first = since if len(ledger.policies) == 1 else None
        found = sends.items(conn, [body.issuer_id for body in bodies], first, until, known)
        if any(each.policy.parent_counts for each in ledger.policies):
            above = sends.of_parents(conn, bodies, ledger.first_edition(), until, known)
            for body, more in above.items():
                found[body] = sorted((*found[body], *more), key=lambda item: item.place)
        return found

    def _stand(
        self,
        conn: Connection[Any],
        ledger: Ledger,
        bodies: Sequence[Body],
        at: datetime,
        *,
        known: int | None,
    ) -> list[BodyCadence]:
        policy, upto = in_force(ledger.policies, at), ALL if known is None else known
        ids = [body.issuer_id for body in bodies]
        last = sends.latest(conn, ids, policy.counts, at=at, since=at - RECENT, known=known)
        above: dict[str, list[Item]] = {}
        if policy.parent_counts:
            above = sends.of_parents(conn, bodies, ledger.first_edition(), at, upto)
        found: list[BodyCadence] = []
        for body in bodies:
            cut = ledger.pieces(body)
            own, recent = last[body.issuer_id]
            items = sorted(
                (*([own] if own else ()), *above.get(body.issuer_id, ())), key=lambda one: one.place
            )
            stands = stand(body.issuer_id, cut, items, at)
            if stands is not None and stands.overdue_since != stands.due_at and stands.overdue_since:
                # Terms changed while it was silent: since when it is overdue takes its whole past.
                past = self.items(conn, ledger, [body], since=None, until=at, known=upto)
                stands = stand(body.issuer_id, cut, past[body.issuer_id], at)
            if stands is not None:
                found.append(_told(body, stands, recent, at))
        return found


def summarise(bodies: Iterable[BodyCadence]) -> Summary:
    """The count of standings already at hand."""
    states = Counter(body.state for body in bodies)
    return Summary(
        states.total(),
        states[State.OK],
        states[State.DUE_SOON],
        states[State.OVERDUE],
        states[State.EXEMPT],
    )


def _facts(conn: Connection[Any], after: int, upto: int) -> Iterable[Recorded]:
    for position, at, topic, stream, version, payload in conn.execute(_FACTS, (after, upto)):
        event: Any = Event.load(topic, stream, version, payload)
        yield Recorded(position, at.astimezone(UTC), event)


def _told(body: Body, stands: Standing, recent: int, at: datetime) -> BodyCadence:
    stay, exemption = body.stay(at), stands.exemption
    return BodyCadence(
        issuer_id=body.issuer_id,
        name=stay.name,
        level=stay.level,
        area=stay.area,
        parent=stay.parent,
        duty_since=stands.duty_since,
        last_item=stands.last_item and stands.last_item.alert_id,
        last_item_at=stands.last_item and stands.last_item.at,
        items_30d=recent,
        due_at=stands.due_at,
        overdue_since=stands.overdue_since,
        state=stands.state,
        exempt_reason=exemption and exemption.reason,
        exempt_until=exemption.span.until if exemption and exemption.span.until != NEVER else None,
    )
