"""The book of topics: who is in which, what is to change, and what came of it. Blocks; thread-safe."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg_pool import ConnectionPool

from broadcaster.log import AlertLog
from broadcaster.topics import tables
from schemas.events import Actor, PushTopicsHalted
from schemas.ids import HALTS_STREAM

KEEPER = Actor(account="system:topics")
LATER = timedelta(minutes=10)
"""After a phone was not taken for now: when it is asked for again."""
PROBE = timedelta(minutes=15)
"""After the service refused our call: when one is tried again."""


class Standing(NamedTuple):
    """How the topics stand to the registry, in phones."""

    members: int
    out: int
    """Out of step: yet to be subscribed or unsubscribed."""
    waiting: int
    """For an alert to end that went by their topic."""
    refused: int
    """The service does not take them: they get every alert by their token."""
    halted: str = ""
    """Why the service refuses our calls; empty while it does not."""


class Halt(NamedTuple):
    """The service refuses what we ask: nothing is tried before `again_at` but one call."""

    reason: str
    since: datetime
    again_at: datetime


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone to be subscribed or unsubscribed."""

    hash: bytes
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Phones of one call."""

    joins: bool
    """They are to be subscribed; where not, unsubscribed."""
    area: str
    language: str
    phones: tuple[Phone, ...]


class Told(NamedTuple):
    """What the service said of the phones of a call."""

    done: list[bytes]
    later: list[bytes]
    """Not done, and may be asked for again."""
    never: list[bytes]
    """No such phone, or none that can be in a topic."""


class Steps(NamedTuple):
    """What is to be done, of all that is at most so much."""

    batches: list[Batch]
    """Leaves first: who moves is out of one topic before they are in another."""
    forget: list[bytes]


class TopicBook:
    """`wanted` says whether the operator wants topics kept; where not, everyone is taken out of them."""

    def __init__(self, pool: ConnectionPool[Any], log: AlertLog, *, wanted: bool) -> None:
        self._pool, self._log, self.wanted = pool, log, wanted

    @contextmanager
    def alone(self) -> Generator[bool]:
        """Whether we are the one who keeps the topics, for as long as this is open."""
        with self._pool.connection() as conn:
            mine = conn.execute(tables.KEEPER).fetchone() == (True,)
            conn.commit()
            try:
                yield mine
            finally:
                if mine and not conn.closed:
                    conn.execute(tables.KEPT)

    def is_idle(self) -> bool:
        """Whether there is nothing to keep: not wanted, and nobody is in any topic."""
        with self._pool.connection() as conn:
            found = conn.execute("SELECT EXISTS (SELECT FROM topic_members)").fetchone()
        return not self.wanted and found == (False,)

    def standing(self, at: datetime) -> Standing:
        """How far the topics are out of step, counted anew."""
        with self._pool.connection() as conn:
            conn.execute(tables.WIDE)
            row = conn.execute(tables.STANDING, {"wanted": self.wanted, "at": at}).fetchone()
            halt = conn.execute(tables.HALTED).fetchone()
        assert row is not None
        return Standing(*row, halted=halt[0] if halt else "")

    def steps(self, at: datetime, limit: int, most: int) -> Steps:
        """Up to `limit` of what is to be done, in batches of `most`."""
        found: dict[tuple[bool, str, str], list[Phone]] = {}
        forget: list[bytes] = []
        with self._pool.connection() as conn:
            conn.execute(tables.WIDE)
            rows = conn.execute(tables.STEPS, {"wanted": self.wanted, "at": at, "limit": limit})
            for act, digest, token, area, language in rows:
                if act == "forget":
                    forget.append(digest)
                    continue
                found.setdefault((act == "join", area, language), []).append(Phone(digest, token))
        batches = [
            Batch(*key, tuple(phones[first : first + most]))
            for key, phones in sorted(found.items(), key=lambda each: each[0])
            for first in range(0, len(phones), most)
        ]
        return Steps(batches, forget)

    def mark(self, batch: Batch, at: datetime) -> list[Phone]:
        """Notes that a call about them begins; answers those it may be made for.

        A topic that an alert has claimed meanwhile takes nobody in, and lets nobody go who moved.
        """
        asked: dict[str, Any] = {"at": at, "hashes": [phone.hash for phone in batch.phones]}
        if batch.joins:
            asked |= {"tokens": [phone.token for phone in batch.phones]}
            asked |= {"area": batch.area, "language": batch.language}
        with self._pool.connection() as conn:
            conn.execute(tables.ALONE)
            marked = conn.execute(tables.MARK_JOIN if batch.joins else tables.MARK_LEAVE, asked).fetchall()
        known = {digest for (digest,) in marked}
        return [phone for phone in batch.phones if phone.hash in known]

    def settle(self, *, joins: bool, told: Told, at: datetime) -> None:
        """Writes what came of a call. Whom it tells nothing of may be in the topic, or not."""
        with self._pool.connection() as conn:
            if joins:
                conn.execute(tables.JOINED, (told.done,))
                conn.execute(tables.NOT_JOINED, (at + LATER, told.later))
                conn.execute(tables.NOT_JOINED, ("infinity", told.never))
            else:
                # Whom the service does not know is in no topic; of the others it says they still are.
                conn.execute(tables.LEFT, (told.done + told.never,))

    def looked(self, at: datetime, out: int) -> None:
        """Notes what a look left to do, for whoever watches us."""
        with self._pool.connection() as conn:
            conn.execute(tables.LOOKED, (at, out))

    def resync(self) -> int:
        """Everyone is to be subscribed again, as if it were not known; answers how many.

        For a house that was restored from a copy: who was in which topic then may be so no more.
        """
        with self._pool.connection() as conn:
            conn.execute(tables.ALONE)
            return conn.execute(tables.RESYNC).rowcount

    def forget(self, hashes: Sequence[bytes]) -> None:
        """Phones that are in no topic, and no longer in the registry."""
        with self._pool.connection() as conn:
            conn.execute(tables.FORGET, (list(hashes),))

    def halt(self) -> Halt | None:
        """Whether the service refuses our calls."""
        with self._pool.connection() as conn:
            row = conn.execute(tables.HALTED).fetchone()
        return row and Halt(*row)

    def refused(self, reason: str, at: datetime) -> bool:
        """The service refuses our calls. The first time of a row it is an event; answers whether it was."""
        asked = {"reason": reason, "at": at, "again_at": at + PROBE}
        with self._pool.connection() as conn, conn.cursor() as cursor:
            new = cursor.execute(tables.HALT, asked).fetchone() == (True,)
            if new:
                self._log.append_in(cursor, [self._alarm(reason)], at)
        return new

    def _alarm(self, reason: str) -> PushTopicsHalted:
        number = self._log.length(HALTS_STREAM) + 1
        return PushTopicsHalted(
            originator_id=HALTS_STREAM, originator_version=number, by=KEEPER, reason=reason
        )

    def works(self) -> bool:
        """The service takes our calls; answers whether it did not before."""
        with self._pool.connection() as conn:
            return conn.execute("DELETE FROM topic_halt").rowcount > 0
