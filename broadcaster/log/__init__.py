"""The event log: one append-only, hash-chained sequence of every fact.

The chain makes an edit show: each row's hash is SHA-256 over the lines

    previous hash (64 hex digits; zeros before position 1)
    position
    recorded_at (UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ)
    stream (UUID)
    version
    topic
    payload (the stored bytes)

joined by line feeds, so that anyone can check it with sha256sum. Appends are serialised by an
advisory lock: positions have no gaps and commit in order, so a follower never passes over one.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString, Protocol, TypeVar
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import IntegrityError, Mapper, StoredEvent
from psycopg import Cursor
from psycopg.errors import SerializationFailure, UniqueViolation
from psycopg_pool import ConnectionPool

from broadcaster.log.page import Unmade, recorded
from broadcaster.log.recorder import ChainRecorder, Ground, Once, Row, at_once
from broadcaster.log.table import LOG_DDL
from schemas.events import Event, Recorded

__all__ = [
    "LOG_DDL",
    "AlertLog",
    "ConflictError",
    "Ground",
    "Once",
    "StaleError",
    "UnknownStreamError",
    "at_once",
    "racing",
]

State = TypeVar("State")


class Versioned(Protocol):
    """A state that knows how many events made it."""

    @property
    def version(self) -> int: ...


Known = TypeVar("Known", bound=Versioned)


class ConflictError(Exception):
    """Another command changed the same stream first; load it again and decide again."""


class StaleError(ConflictError):
    """The stream has moved on from the version the caller saw; the caller must look again."""


class UnknownStreamError(LookupError):
    """The log has no such stream."""


@contextmanager
def racing() -> Generator[None]:
    """Around a transaction with `append_in`: what another was faster in is a ConflictError."""
    try:
        yield
    except (UniqueViolation, SerializationFailure) as error:
        raise ConflictError(error.diag.constraint_name or str(error)) from error


class EventMapper(Mapper[UUID]):
    """Events to rows and back; validates on the way back, so a row that lies is not believed."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The row of an event."""
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.TOPIC,
            state=domain_event.payload(),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a row. Raises KeyError for an unknown topic, ValidationError otherwise."""
        return Event.load(
            stored_event.topic,
            UUID(str(stored_event.originator_id)),
            stored_event.originator_version,
            stored_event.state,
        )


class AlertLog(Application[UUID]):
    """Appends, loads and reads events. It knows no rule; see commands.py for who decides."""

    name = "log"

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        super().__init__({})

    def construct_recorder(self) -> ChainRecorder:
        """The recorder of the table `events`."""
        return ChainRecorder(self._pool)

    def construct_mapper(self) -> EventMapper:
        """The validating mapper."""
        return EventMapper(transcoder=self.construct_transcoder())

    @property
    def chain(self) -> ChainRecorder:
        """The recorder, for what only our log can do."""
        assert isinstance(self.recorder, ChainRecorder)
        return self.recorder

    def append(
        self,
        events: Sequence[Event],
        *,
        at: datetime,
        once: Once | None = None,
        ground: Ground | None = None,
    ) -> int:
        """Appends all or none, in one round trip, and answers the last position.

        `at` becomes their `recorded_at`, or the last one recorded where the clock stepped back.
        `once` is remembered with them (see `recall`). Raises ConflictError, also where an event was
        added to the `ground` meanwhile. Who decides on somebody's right names its ground; facts, the
        clock and the operator at the machine have none (office/test_ground_named.py).
        """
        # Not by `save`: it looks in each event for an aggregate or a snapshot, and there are none.
        stored = [self.mapper.to_stored_event(event) for event in events]
        try:
            return self.chain.insert(stored, at, once, ground)[-1]
        except IntegrityError as error:
            raise ConflictError(str(error)) from error

    def append_in(
        self, cursor: Cursor[Row], events: Sequence[Event], at: datetime, ground: Ground | None = None
    ) -> int:
        """As `append`, in the caller's own transaction, where `racing` tells what was lost.

        Raises psycopg's UniqueViolation, and SerializationFailure where an event was added to the ground.
        """
        stored = [self.mapper.to_stored_event(event) for event in events]
        return self.chain.append(cursor, stored, at, ground)[-1]

    def append_where(
        self, statement: LiteralString, params: Sequence[Any], events: Sequence[Event], at: datetime
    ) -> bool:
        """As `append`, with a statement that changes one other row and returns it: both, in one round trip.

        False, and nothing appended, where it found no row. Raises psycopg's UniqueViolation.
        """
        stored = [self.mapper.to_stored_event(event) for event in events]
        with at_once(self.chain.pool) as conn, conn.cursor() as cursor:
            return self.chain.append_where(statement, params, cursor, stored, at)

    def recall(self, once: Once) -> tuple[UUID, int] | None:
        """The stream and version the first use of this key made. Raises KeyReusedError."""
        return self.chain.recall(once)

    def load(
        self, stream: UUID, fold: Callable[[State | None, Any], State], *, upto: int | None = None
    ) -> State:
        """The state of a stream, folded from its events (up to a version). Raises UnknownStreamError."""

        def project(state: State | None, events: Any) -> State | None:
            for event in events:
                state = fold(state, event)
            return state

        try:
            return self.repository.get(stream, version=upto, projector_func=project)  # type: ignore[type-var]
        except AggregateNotFoundError:
            raise UnknownStreamError(str(stream)) from None

    def forward(self, stream: UUID, fold: Callable[[Known, Any], Known], state: Known) -> Known:
        """A state that knows its `version`, brought up to date by what the stream holds beyond it."""
        for event in self.events.get(stream, gt=state.version):
            state = fold(state, event)
        return state

    def read(self, after: int, limit: int, topics: Sequence[str] = ()) -> list[Recorded]:
        """Events after a position, at most `limit`, of these topics (of all where none is named)."""
        return [recorded(row) for row in self.chain.rows(after, limit, topics)]

    def pages(self, after: int, limit: int, topics: Sequence[str] = ()) -> Sequence[Recorded]:
        """As `read`, for one who goes through much of the log: a full page is made event by event."""
        rows = self.chain.rows(after, limit, topics)
        return Unmade(rows) if len(rows) == limit > 1 else [recorded(row) for row in rows]

    def everything(self, page: int = 2000) -> Iterator[Recorded]:
        """The whole log, in order."""
        after = 0
        while events := self.read(after, page):
            yield from events
            after = events[-1].position

    def ground(self, topics: Sequence[str]) -> Ground:
        """The events of these topics as they stand: take it, then read what is decided on."""
        return Ground(self.head(), tuple(topics))

    def head(self) -> int:
        """The last position; 0 while the log is empty."""
        return self.recorder.max_notification_id() or 0

    def times(self, positions: Iterable[int]) -> dict[int, datetime]:
        """When the events at these positions were recorded (UTC); those the log lacks are left out."""
        query = "SELECT position, recorded_at FROM events WHERE position = ANY(%s)"
        with at_once(self.chain.pool) as conn:
            found = conn.execute(query, (list(positions),)).fetchall()
        return {position: recorded_at.astimezone(UTC) for position, recorded_at in found}

    def since(self, stream: UUID, version: int, limit: int) -> list[tuple[datetime, Event]]:
        """The events of a stream after a version, at most `limit`, and when each was recorded (UTC)."""
        query = (
            "SELECT recorded_at, topic, originator_version, state FROM events"
            " WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s"
        )
        with at_once(self.chain.pool) as conn:
            found = conn.execute(query, (stream, version, limit)).fetchall()
        return [
            (at.astimezone(UTC), Event.load(topic, stream, number, bytes(state)))
            for at, topic, number, state in found
        ]

    def event(self, cursor: Cursor[Row], stream: UUID, version: int) -> Event | None:
        """One event of a stream, seen by the cursor's transaction; None where there is none."""
        row = self.chain.row(cursor, stream, version)
        return None if row is None else Event.load(row.topic, stream, version, row.state)

    def length(self, stream: UUID) -> int:
        """How many events the stream has."""
        last = next(iter(self.events.get(stream, desc=True, limit=1)), None)
        return 0 if last is None else last.originator_version

    def length_in(self, cursor: Cursor[Row], stream: UUID) -> int:
        """The same, seen by the cursor's transaction."""
        return self.chain.length(cursor, stream)

    def has(self, stream: UUID, cursor: Cursor[Row] | None = None) -> bool:
        """Whether the stream has any event."""
        return self.chain.has(stream, cursor)
