"""The snapshot: how far every running alert is, and marks by which a page knows that it is old."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from broadcaster.account import Account
from projections.board import pulse
from projections.board.pulse import Beat
from projections.reach.progress import Progress, of_alerts

MOST = 60
"""Alerts in a snapshot; the live ones come first."""
_AFTER = timedelta(hours=1)
"""So long is an alert that has ended still among them: what it said last is on its way."""

Scope = frozenset[str]
"""The bodies for which a listener holds a role."""


def scope_of(account: Account) -> Scope:
    """The bodies for which it holds any role."""
    return frozenset(body for body, _ in account.roles)


@dataclass
class Sight:
    """One moment. Frames are made once for all who ask for them; each is a whole, never a difference."""

    alerts: bytes
    """For everyone of the house: what went out."""
    live: str
    work: Mapping[str, str]
    _mine: dict[Scope, bytes] = field(default_factory=dict[Scope, bytes])

    def mine(self, scope: Scope) -> bytes:
        """The frame for those who hold roles for these bodies: the mark of their home page."""
        made = self._mine.get(scope)
        if made is None:
            made = self._mine[scope] = frame("mine", {"home": self.home(scope)})
        return made

    def home(self, scope: Iterable[str]) -> str:
        """Another one whenever the home page of someone with these bodies would be."""
        return _home(self.live, self.work, scope)


def frame(kind: str, said: object) -> bytes:
    """An event of the stream (HTML, server-sent events)."""
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"event: {kind}\ndata: {text}\n\n".encode()


def see(conn: Connection[Any], at: datetime, beside: Mapping[str, str]) -> Sight:
    """The house as its views have it; `beside` are the marks of what no view has (live/beside.py)."""
    beats = pulse.running(conn, at - _AFTER, MOST)
    found = of_alerts(conn, [beat.alert_id for beat in beats])
    alerts = {str(beat.alert_id): _told(beat, found.get(beat.alert_id, [])) for beat in beats}
    return Sight(frame("alerts", {"alerts": alerts}), _live(beats), _work(conn, beside))


def home_mark(conn: Connection[Any], scope: Scope, at: datetime, beside: Mapping[str, str]) -> str:
    """The mark of a home page that is drawn now."""
    return _home(_live(pulse.running(conn, at - _AFTER, MOST)), _work(conn, beside), scope)


def shape_of(conn: Connection[Any], alert_id: UUID) -> str:
    """The mark of an alert's page: its numbers may change under it, nothing else."""
    beat = pulse.one(conn, alert_id)
    return _shape(beat, of_alerts(conn, [alert_id]).get(alert_id, [])) if beat else ""


def numbers(one: Progress) -> dict[str, int]:
    """What came of one version on one channel, as pages name it."""
    totals = one.totals
    return {
        "audience": totals.audience,
        "accepted": totals.accepted,
        "gone": totals.gone,
        "late": totals.expired + totals.superseded,
        "refused": totals.refused,
        "dead": totals.dead,
        "open": totals.in_flight,
        "screens": totals.screens,
        "topic": totals.by_topic,
        "topics": totals.topics_accepted,
    }


def _live(beats: Iterable[Beat]) -> str:
    return _mark(*(f"{beat.alert_id}={beat.position}" for beat in beats if beat.status == "live"))


def _home(live: str, work: Mapping[str, str], scope: Iterable[str]) -> str:
    return _mark(live, *(f"{body}={work[body]}" for body in sorted(scope) if body in work))


def _work(conn: Connection[Any], beside: Mapping[str, str]) -> dict[str, str]:
    found = pulse.work_marks(conn)
    return found | {body: f"{found.get(body, '')} {mark}" for body, mark in beside.items()}


def _told(beat: Beat, progress: Sequence[Progress]) -> dict[str, Any]:
    return {
        "shape": _shape(beat, progress),
        "parts": {f"{one.channel}-{one.version}": numbers(one) for one in progress},
        "reasons": {f"{one.channel}-{one.version}": one.reasons for one in progress if one.reasons},
    }


def _shape(beat: Beat, progress: Sequence[Progress]) -> str:
    return _mark(beat.status, beat.stage, str(beat.position), *map(_part, progress))


def _part(one: Progress) -> str:
    known = f"{bool(one.totals.audience)}{'topics' if one.totals.topics else ''}"
    return f"{one.channel}{one.version}{known}{sorted(one.reasons)}"


def _mark(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
