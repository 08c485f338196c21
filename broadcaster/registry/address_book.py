"""The registry as fanout and the workers see it: who is concerned, where to reach them, who is gone."""
# ruff: noqa: S608 (the only names put into SQL are the column names below)

import sys
from array import array
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString, NamedTuple

from psycopg import Cursor
from psycopg_pool import ConnectionPool
from pyroaring import BitMap64

from broadcaster.process.pooled import at_once
from broadcaster.registry.rules import address_hash
from schemas.areas import AreaTree, Span
from schemas.content import Channel, Lane, Mode

Row = tuple[Any, ...]

# Held by whoever writes subscribers. What writes many takes it alone: its sets stay true meanwhile.
HOLD_SHARED: LiteralString = "SELECT pg_advisory_xact_lock_shared(hashtextextended('subscribers', 0))"
HOLD_ALONE: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('subscribers', 0))"

FORGET_PUSH: LiteralString = "push_hash = NULL, push_token = NULL, push_kind = NULL, platform = NULL"
FORGET_PHONE: LiteralString = "msisdn_hash = NULL, msisdn = NULL"

_FOLLOWERS: LiteralString = (
    "SELECT string_agg(int8send(subscriber_id), ''::bytea) FROM subscriber_areas WHERE area_no = ANY(%s)"
)
_TESTERS: LiteralString = "SELECT string_agg(int8send(subscriber_id), ''::bytea) FROM testers"
# Distinct, one index probe an edition.
_EDITIONS: LiteralString = """
WITH RECURSIVE present AS (
    SELECT min(edition) AS edition FROM subscribers
    UNION ALL
    SELECT (SELECT min(edition) FROM subscribers s WHERE s.edition > p.edition)
    FROM present p WHERE p.edition IS NOT NULL
)
SELECT edition FROM present WHERE edition IS NOT NULL
"""


class Audience(NamedTuple):
    """Subscribers by their ids, and how many of them have their home in each area that has any."""

    bitmap: BitMap64
    by_area: dict[str, int]
    homes: dict[str, BitMap64]
    """The same by home: first the homes within what was asked for, then those of followers elsewhere,
    each lot in the register's order."""


class Address(NamedTuple):
    """Where one subscriber is reached on one channel; for `kind` see channels.gateway.Recipient."""

    id: int
    address: str
    kind: str
    platform: str
    """android, ios or web for push; empty otherwise."""
    locale: str

    def __repr__(self) -> str:
        """Without the address: it is nobody's business in a log."""
        return f"Address(id={self.id}, kind={self.kind!r}, platform={self.platform!r})"


class _Queries(NamedTuple):
    homes: LiteralString
    homes_of: LiteralString
    readers: LiteralString
    addresses: LiteralString
    gone: LiteralString
    delete: LiteralString
    clear: LiteralString


def _queries(
    mine: LiteralString, other: LiteralString, columns: LiteralString, clear: LiteralString
) -> _Queries:
    """The channel's SQL: its hash column, the other channel's, what an Address takes, how to forget."""
    # Ids leave as packed bytes, one row a home: a row an id would cost seconds for a city.
    homes: LiteralString = f"""
        SELECT home_no, string_agg(int8send(id), ''::bytea) FROM subscribers
        WHERE {mine} IS NOT NULL AND (%s OR NOT opt_outs @> ARRAY[%s])"""
    return _Queries(
        homes=f"{homes} AND home_no = ANY(%s)",
        homes_of=f"{homes} AND id = ANY(%s)",
        readers=f"""
            SELECT string_agg(int8send(id), ''::bytea) FROM subscribers
            WHERE {mine} IS NOT NULL AND locale = %s""",
        addresses=f"""
            SELECT id, {columns}, locale FROM subscribers WHERE id = ANY(%s) AND {mine} IS NOT NULL""",
        # In order of id, as every writer locks rows, and only where it still is that very address.
        gone=f"""
            SELECT s.id FROM subscribers s
            JOIN unnest(%s::bigint[], %s::bytea[]) AS gone (id, hash)
            ON s.id = gone.id AND s.{mine} = gone.hash
            ORDER BY s.id FOR UPDATE OF s""",
        delete=f"DELETE FROM subscribers WHERE id = ANY(%s) AND {other} IS NULL",
        clear=f"UPDATE subscribers SET {clear} WHERE id = ANY(%s)",
    )


_BY_CHANNEL = {
    Channel.PUSH: _queries("push_hash", "msisdn_hash", "push_token, push_kind, platform", FORGET_PUSH),
    Channel.SMS: _queries("msisdn_hash", "push_hash", "msisdn, 'msisdn', ''", FORGET_PHONE),
}


def _of(channel: Channel) -> _Queries:
    if channel not in _BY_CHANNEL:
        raise ValueError(f"channel: {channel} has no subscribers, only {', '.join(_BY_CHANNEL)}")
    return _BY_CHANNEL[channel]


def unpacked(packed: bytes | None) -> BitMap64:
    """The set of a string of int8send's."""
    ids = array("Q", packed or b"")
    if sys.byteorder == "little":
        ids.byteswap()
    return BitMap64(ids)


def _always(tree: Callable[[], AreaTree]) -> Callable[[str], AreaTree]:
    def tree_of(edition: str) -> AreaTree:
        del edition
        return tree()

    return tree_of


class AddressBook:
    """Questions about many subscribers at once. Thread-safe; a cursor given keeps its transaction."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        tree: Callable[[], AreaTree],
        tree_of: Callable[[str], AreaTree] | None = None,
    ) -> None:
        self._pool = pool
        self._tree = tree
        self._tree_of = tree_of or _always(tree)

    @contextmanager
    def _cursor(self, cursor: Cursor[Row] | None = None) -> Generator[Cursor[Row]]:
        """The cursor given, or one in a transaction of its own."""
        if cursor is not None:
            yield cursor
            return
        with self._pool.connection() as connection, connection.cursor() as fresh:
            yield fresh

    def audience(
        self,
        channel: Channel,
        spans: Iterable[Span],
        category: str,
        lane: Lane,
        *,
        mode: Mode = Mode.ACTUAL,
        cursor: Cursor[Row] | None = None,
        of: AreaTree | None = None,
        only: bool = False,
    ) -> Audience:
        """Everyone with an address on the channel whose home or further area has its number in a span.

        Spans are of the edition the registry is in, or `of` another; `only` leaves out whoever is in
        yet another, while a move is under way. Who opted out of the category is left out, except
        on the emergency lane: no one can opt out of that. An exercise or a test is for testers alone.
        """
        queries, tree = _of(channel), of or self._tree()
        group: LiteralString = (" AND edition = %s" if only else "") + " GROUP BY home_no"
        edition = (tree.edition,) if only else ()
        numbers = sorted({number for span in spans for number in range(span.first, span.last + 1)})
        wanted = (lane is Lane.EMERGENCY, category)
        found, by_home = BitMap64(), dict[str, BitMap64]()
        with self._cursor(cursor) as reader:

            def ask(query: LiteralString, *params: object) -> list[Row]:
                # Never prepared: the plan for a commune is not the plan for the city.
                return reader.execute(query, params, prepare=False, binary=True).fetchall()

            testers = None if mode is Mode.ACTUAL else unpacked(ask(_TESTERS)[0][0])

            def add(homes: list[Row]) -> None:
                nonlocal found
                for number, packed in sorted(homes):
                    ids, code = unpacked(packed), tree.at(number).code
                    if testers is not None:
                        ids &= testers
                    if not ids:
                        continue
                    ids.run_optimize()
                    by_home[code] = by_home[code] | ids if code in by_home else ids
                    found |= ids

            add(ask(queries.homes + group, *wanted, numbers, *edition))
            followers = unpacked(ask(_FOLLOWERS, numbers)[0][0]) - found
            if followers:
                add(ask(queries.homes_of + group, *wanted, list(followers), *edition))
        found.run_optimize()
        return Audience(found, {code: len(ids) for code, ids in by_home.items()}, by_home)

    def readers(self, channel: Channel, locale: str) -> BitMap64:
        """Everyone with an address on the channel who reads that language."""
        with self._cursor() as reader:
            found = reader.execute(_of(channel).readers, (locale,), prepare=False, binary=True).fetchall()
        return unpacked(found[0][0])

    def addresses(
        self, channel: Channel, ids: Sequence[int], *, cursor: Cursor[Row] | None = None
    ) -> list[Address]:
        """The addresses of these subscribers, in no order; who left or has none is simply not there."""
        query, given = _of(channel).addresses, (list(ids),)
        if cursor is not None:
            return list(map(Address._make, cursor.execute(query, given)))
        with at_once(self._pool) as connection:
            return list(map(Address._make, connection.execute(query, given)))

    def erase_addresses(self, channel: Channel, pairs: Sequence[tuple[int, str]]) -> int:
        """Forgets addresses that a provider calls gone, each only where the subscriber still has it.

        A token that was refreshed meanwhile survives. Who has no address left is erased whole.
        Answers how many addresses were forgotten.
        """
        queries = _of(channel)
        hashes = [address_hash(address) for _, address in pairs]
        with self._cursor() as cursor:
            cursor.execute(HOLD_SHARED)
            gone = cursor.execute(queries.gone, ([id_ for id_, _ in pairs], hashes)).fetchall()
            ids = sorted({id_ for (id_,) in gone})
            cursor.execute(queries.delete, (ids,))
            cursor.execute(queries.clear, (ids,))
        return len(ids)

    def editions(self, cursor: Cursor[Row] | None = None) -> frozenset[str]:
        """The editions of the area register that subscribers are in: one, but while they are moved."""
        with self._cursor(cursor) as reader:
            return frozenset(edition for (edition,) in reader.execute(_EDITIONS))

    def count(self) -> dict[Channel, int]:
        """How many subscribers each channel reaches."""
        with self._cursor() as cursor:
            cursor.execute("SELECT count(push_hash), count(msisdn_hash) FROM subscribers")
            return dict(zip(_BY_CHANNEL, cursor.fetchone() or (0, 0), strict=True))
