"""How far several alerts are at once, in two questions."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.reach.view import Totals
from schemas.content import Channel

_TOTALS = """
SELECT alert_id, version, channel, audience, accepted, gone, refused, dead, expired, superseded, unknown,
    screens, written_off, by_topic, topics, topics_accepted
FROM reach_totals WHERE alert_id = ANY(%s) ORDER BY alert_id, version, channel
"""
_REASONS = """
SELECT alert_id, version, channel, reason, count FROM reach_reasons WHERE alert_id = ANY(%s)
ORDER BY alert_id, version, channel, reason
"""


@dataclass(frozen=True)
class Progress:
    """One version on one channel. `reasons` are the providers' own, and how often each was given."""

    version: int
    channel: Channel
    totals: Totals
    reasons: dict[str, int]


def of_alerts(conn: Connection[Any], alert_ids: Collection[UUID]) -> dict[UUID, list[Progress]]:
    """By alert, in order of version, then channel; an alert whose audience is not counted yet has none."""
    wanted = list(alert_ids)
    reasons: defaultdict[tuple[UUID, int, str], dict[str, int]] = defaultdict(dict)
    for alert_id, version, channel, reason, count in conn.execute(_REASONS, (wanted,)):
        reasons[alert_id, version, channel][reason] = count
    found: defaultdict[UUID, list[Progress]] = defaultdict(list)
    for alert_id, version, channel, *counts in conn.execute(_TOTALS, (wanted,)):
        told = reasons.get((alert_id, version, channel), {})
        found[alert_id].append(Progress(version, Channel(channel), Totals(*counts), told))
    return dict(found)
