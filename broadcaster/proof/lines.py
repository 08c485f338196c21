"""Lines of the log in words, with the names that things had when each was recorded.

A view of the log keeps codes, so that a rename rewrites no line of it. Here a line is told anew from its
event: bodies as they were on that day, areas by the edition that the event names or that was in force,
and screens, templates, sets of areas and alerts as they had last been named in the log by then.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from broadcaster.areas import AreaRegister, Edition
from broadcaster.delegation import Delegation
from broadcaster.issuer import Issuer
from broadcaster.log import recorded
from broadcaster.log.recorder import LogRow
from broadcaster.office.records import Records
from broadcaster.proof.picking import Stored, last_until, openings, rows_at
from projections.audit.line import Words
from projections.audit.naming import Codes
from projections.audit.projection import alert_of
from projections.audit.words import describe
from schemas.events import AnyEvent, Recorded

NAMED = 3
"""At most so many of several are named; the others are counted."""

_RENAMED = {
    "alert.drafted": ("alert.drafted", "alert.revised", "alert.update_proposed"),
    "template.saved": ("template.saved",),
    "area_set.saved": ("area_set.saved",),
}
"""What names a thing anew, by the topic that began its stream. A screen or a group keeps its first name."""
_WORDED = _RENAMED["alert.drafted"]
_SUBJECTS = ("screen.", "screen_group.", "template.", "area_set.")


class Line(NamedTuple):
    """One event in words."""

    words: Words
    subject: str | None
    """The screen, group of screens, template or set of areas it is about, as it was called then."""
    headline: str | None
    """Of the alert it is about, in Vietnamese, as it read then."""
    body: str | None
    """That the account acted for, as it was called then."""


class Lines:
    """Tells lines. Safe to use from many threads."""

    def __init__(self, records: Records, bodies: Callable[[], Mapping[str, Issuer]]) -> None:
        self._records, self._bodies = records, bodies

    def of(self, conn: Connection[Any], positions: Sequence[int]) -> dict[int, Line]:
        """The lines at these positions; without those whose rows are no events any more."""
        events = [each for row in rows_at(conn, positions) if (each := _believed(row))]
        wanted = {(thing, each.position) for each in events for thing in _things(each.event)}
        named = _named(conn, wanted)
        known = _Known(self._records.register(), self._bodies(), self._records.every_delegation, named)

        def then(one: Recorded) -> _Then:
            return _Then(known, one.recorded_at, one.position)

        return {each.position: _line(each.event, then(each)) for each in events}


class _Known(NamedTuple):
    """What names are found in."""

    register: AreaRegister
    bodies: Mapping[str, Issuer]
    delegations: Callable[[], Mapping[UUID, Delegation]]
    named: Mapping[tuple[UUID, int], str]


class _Asking(Codes):
    """Hears which things a line would name."""

    def __init__(self) -> None:
        self.ids: set[UUID] = set()

    def things(self, ids: Collection[UUID]) -> Words:
        self.ids.update(list(ids)[:NAMED])
        return Codes.things(self, ids)


class _Then:
    """The names at one event."""

    def __init__(self, known: _Known, at: datetime, position: int) -> None:
        self._known, self._at, self._position = known, at, position

    def body(self, code: str) -> str:
        name = self.body_name(code)
        return f"{name} ({code})" if name else code

    def body_name(self, code: str) -> str | None:
        """What a body was called; None where there is none."""
        found, edition = self._known.bodies.get(code), self._in_force()
        return found.as_of(self._at, edition.name).name if found and edition else None

    def area(self, code: str, edition: str | None) -> str:
        name = self._area_name(code, edition)
        return f"{name} ({code})" if name else code

    def areas(self, codes: Collection[str], edition: str | None) -> Words:
        first = list(codes)[:NAMED]
        told = [" ".join(filter(None, (self._area_name(code, edition), code))) for code in first]
        return _listed(told, len(codes))

    def things(self, ids: Collection[UUID]) -> Words:
        return _listed([self.thing(each) or str(each) for each in list(ids)[:NAMED]], len(ids))

    def grantor(self, delegation_id: UUID) -> Words:
        found = self._known.delegations().get(delegation_id)
        name = found and self.body(found.grantor)
        return Words(f" của {name}", f" of {name}") if name else Words("", "")

    def thing(self, thing: UUID | None) -> str | None:
        """What it was called; None where the log does not say."""
        return self._known.named.get((thing, self._position)) if thing else None

    def _area_name(self, code: str, edition: str | None) -> str | None:
        known = {each.name: each for each in self._known.register.editions}
        found = known.get(edition) if edition else self._in_force()
        return found.tree[code].name if found and code in found.tree else None

    def _in_force(self) -> Edition | None:
        try:
            return self._known.register.current(self._at)
        except LookupError:
            return None


def _believed(row: LogRow) -> Recorded | None:
    try:
        return recorded(row)
    except (KeyError, ValueError):
        # Who looks here after the log was tampered with must see the page; the chain says that it was.
        return None


def _line(event: AnyEvent, then: _Then) -> Line:
    return Line(
        describe(event, then),
        then.thing(_subject(event)),
        then.thing(alert_of(event)),
        event.by.body and then.body_name(event.by.body),
    )


def _subject(event: AnyEvent) -> UUID | None:
    if not event.TOPIC.startswith(_SUBJECTS):
        return None
    return getattr(event, "screen_id", event.originator_id)


def _things(event: AnyEvent) -> set[UUID]:
    asking = _Asking()
    describe(event, asking)
    return asking.ids | {each for each in (_subject(event), alert_of(event)) if each}


def _listed(told: Sequence[str], count: int) -> Words:
    if not told:
        return Words("", "")
    names, more = "; ".join(told), count - len(told)
    vi, en = (f" và {more} nữa", f" and {more} more") if more else ("", "")
    return Words(f" ({names}{vi})", f" ({names}{en})")


# --- what things were called --------------------------------------------------------------------


def _named(conn: Connection[Any], wanted: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    """What each thing was called at each position."""
    places = list(wanted)
    first = openings(conn, sorted({thing for thing, _ in places})) if places else {}
    renamed = [place for place in places if place[0] in first and first[place[0]].topic in _RENAMED]
    topics = [topic for each in _RENAMED.values() for topic in each]
    last = last_until(conn, renamed, topics) if renamed else {}
    found = {place: last.get(place) or first.get(place[0]) for place in places}
    return {place: name for place, stored in found.items() if stored and (name := _name(stored))}


def _name(stored: Stored) -> str | None:
    try:
        said = json.loads(stored.state)
        return said["content"]["texts"]["vi"]["headline"] if stored.topic in _WORDED else said["name"]
    except (KeyError, TypeError, ValueError):
        return None  # Its first event tells no name, or was tampered with.
