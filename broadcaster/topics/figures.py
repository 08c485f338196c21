"""What monitors ask about topics: read from what the keeper noted, for counting anew takes seconds."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from psycopg_pool import ConnectionPool

from broadcaster.topics import tables


def families(pool: ConnectionPool[Any], at: datetime) -> Iterator[Metric]:
    """None where no keeper ever looked."""
    with pool.connection() as conn:
        row = conn.execute(tables.LAST_LOOK, (at,)).fetchone()
    if row is None:
        return
    looked, out, halted, held = row
    told: tuple[tuple[str, str, float], ...] = (
        ("out_of_step", "Phones that the last look at the registry left out of step, 50000 at most.", out),
        ("halted", "1 while Google refuses the calls that keep topics.", float(halted)),
        ("held", "Topics that carry a live alert, and change only when it ends.", held),
        ("looked_seconds", "When the registry was last looked at, in Unix time.", looked.timestamp()),
    )
    for name, words, value in told:
        yield GaugeMetricFamily(f"broadcaster_push_topics_{name}", words, value)
