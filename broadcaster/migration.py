"""The tables of a house: made where they lack; views of another shape are made anew."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import structlog
from psycopg import Connection
from psycopg_pool import ConnectionPool

from broadcaster.accounts.desk import DESK_DDL
from broadcaster.boundaries.store import BOUNDARIES_DDL
from broadcaster.cap.signing import CAP_SIGNED_DDL
from broadcaster.delivery.ledger import LEDGER_DDL
from broadcaster.delivery.quota import QUOTAS_DDL
from broadcaster.delivery.sms_desk import SMS_DDL
from broadcaster.drafting.drafts import DRAFTS_DDL
from broadcaster.duty.reminders import REMINDERS_DDL
from broadcaster.keys.rows import KEYS_DDL
from broadcaster.log import LOG_DDL
from broadcaster.office.attachments import ATTACHMENTS_DDL
from broadcaster.registry.csv_import import SUBSCRIBER_IMPORTS_DDL
from broadcaster.registry.subscribers import SUBSCRIBERS_DDL
from broadcaster.screens.tables import SCREENS_DDL
from broadcaster.topics.tables import TOPICS_DDL
from projections.fanout.relay import RELAY_DDL
from projections.follower import Follower
from projections.positions import POSITIONS_DDL

log = structlog.get_logger(__name__)

DDL = (
    LOG_DDL,
    SUBSCRIBERS_DDL,
    SUBSCRIBER_IMPORTS_DDL,
    KEYS_DDL,
    LEDGER_DDL,
    POSITIONS_DDL,
    RELAY_DDL,
    QUOTAS_DDL,
    SMS_DDL,
    CAP_SIGNED_DDL,
    ATTACHMENTS_DDL,
    REMINDERS_DDL,
    DESK_DDL,
    DRAFTS_DDL,
    SCREENS_DDL,
    BOUNDARIES_DDL,
    TOPICS_DDL,
)
"""All that is no view's. Each may be run again: it adds what an older database lacks, and loses nothing."""
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('broadcaster migrate', 0))"


@contextmanager
def tables(pool: ConnectionPool[Any]) -> Generator[Connection[Any]]:
    """Makes the log's tables and all that are no view's; what is done within commits with them."""
    with pool.connection() as conn:
        conn.execute(_ALONE)
        for statements in DDL:
            conn.execute(statements.encode())
        yield conn


def make_view(follower: Follower) -> int | None:
    """Makes a view's tables; the position up to which they were made anew, None where they were right."""
    if follower.standing().stale:
        position = follower.rebuild()
        log.info("view_made_anew", projection=follower.projection.name, position=position)
        return position
    with follower.pool.connection() as conn, conn.cursor() as cursor:
        cursor.execute(_ALONE)
        follower.make(cursor)
    return None
