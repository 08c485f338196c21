"""Rows of the log as events."""

from collections.abc import Iterator, Sequence
from typing import cast, overload

from broadcaster.log.recorder import LogRow
from schemas.events import AnyEvent, Event, Recorded


def recorded(row: LogRow) -> Recorded:
    """The event of a row, with its place. Raises as `Event.load`."""
    position, recorded_at, stream, version, topic, state, _ = row
    return Recorded(position, recorded_at, cast("AnyEvent", Event.load(topic, stream, version, state)))


class Unmade(Sequence[Recorded]):
    """Rows that become events as one comes to them, and are not kept: take a list of it to go twice.

    A page of events does not fit the processor's cache; one event does, from its bytes to a view's row.
    What `recorded` raises is raised there.
    """

    def __init__(self, rows: Sequence[LogRow]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Recorded]:
        return map(recorded, self._rows)

    @overload
    def __getitem__(self, index: int) -> Recorded: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Recorded]: ...
    def __getitem__(self, index: int | slice) -> Recorded | Sequence[Recorded]:
        if isinstance(index, slice):
            return Unmade(self._rows[index])
        return recorded(self._rows[index])
