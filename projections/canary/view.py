"""Questions about the probes."""

from datetime import UTC
from typing import Any

from psycopg import Connection

from projections.canary.rule import Probe
from schemas.content import Channel, Lane


def probes(conn: Connection[Any]) -> list[Probe]:
    """The latest of each lane and channel; none of a channel that was not asked for last."""
    found = conn.execute(
        "SELECT lane, channel, number, sent_at, ended_at, accepted"
        " FROM (SELECT *, max(number) OVER (PARTITION BY lane) AS last FROM canary_probes) AS p"
        " WHERE number = last ORDER BY lane, channel"
    )
    return [
        Probe(
            Lane(lane),
            Channel(channel),
            number,
            sent.astimezone(UTC),
            ended and ended.astimezone(UTC),
            accepted,
        )
        for lane, channel, number, sent, ended, accepted in found
    ]
