"""What the registry still knows of people that the log names by id alone: where they live now."""

from collections.abc import Iterator
from datetime import datetime
from typing import LiteralString, NamedTuple

from psycopg import Cursor, sql
from pyroaring import BitMap64

from broadcaster.registry.address_book import Row, unpacked
from schemas.content import Channel

_BY_HOME: LiteralString = """
SELECT edition, home, string_agg(int8send(id), ''::bytea),
    string_agg(int8send(id), ''::bytea) FILTER (WHERE updated_at < %s)
FROM subscribers WHERE {} IS NOT NULL GROUP BY edition, home
"""
_ADDRESS = {Channel.PUSH: sql.Identifier("push_hash"), Channel.SMS: sql.Identifier("msisdn_hash")}


class Household(NamedTuple):
    """Everyone of one home who can be reached on a channel."""

    edition: str
    home: str
    ids: BitMap64
    untouched: BitMap64
    """Of them, whose row is as it was at the instant asked about."""


def households(cursor: Cursor[Row], channel: Channel, since: datetime) -> Iterator[Household]:
    """By home. The registry keeps no history: of a row that changed since, what it was is not known."""
    query = sql.SQL(_BY_HOME).format(_ADDRESS[channel])
    for edition, home, ids, untouched in cursor.execute(query, (since,)):
        yield Household(edition, home, unpacked(ids), unpacked(untouched))
