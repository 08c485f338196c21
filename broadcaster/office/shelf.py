"""Every template and every set of areas, folded from the log and kept in memory.

A body reads and uses what is its own, what its parents have, and what those have that it or they
succeeded. That gives it no right: what is drafted from a template is checked like any draft.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from broadcaster.area_set import AreaSet
from broadcaster.issuer import Issuer
from broadcaster.log import AlertLog, UnknownStreamError
from broadcaster.office import Office
from broadcaster.succession import inherited
from broadcaster.template import Template
from schemas.events import AreaSetEvent, TemplateEvent
from schemas.events.base import topics

_TOPICS = topics(TemplateEvent, AreaSetEvent)
_PAGE = 2000


class Shelf:
    """Reads on from where it left off; thread-safe."""

    def __init__(self, log: AlertLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._position = 0
        self._templates: dict[UUID, Template] = {}
        self._area_sets: dict[UUID, AreaSet] = {}

    def templates(self) -> Mapping[UUID, Template]:
        """Every template up to the head of the log, in order of their first version."""
        self._read()
        return MappingProxyType(self._templates)

    def area_sets(self) -> Mapping[UUID, AreaSet]:
        """Every set of areas, likewise."""
        self._read()
        return MappingProxyType(self._area_sets)

    def _read(self) -> None:
        with self._lock:
            # The head goes first: what the reads then leave out up to there is of other topics.
            head, position = self._log.head(), self._position
            templates, area_sets = dict(self._templates), dict(self._area_sets)
            while page := self._log.read(position, _PAGE, _TOPICS):
                for recorded in page:
                    event = recorded.event
                    stream = event.originator_id
                    if isinstance(event, TemplateEvent):
                        templates[stream] = Template.fold(templates.get(stream), event)
                    elif isinstance(event, AreaSetEvent):
                        area_sets[stream] = AreaSet.fold(area_sets.get(stream), event)
                position = page[-1].position
            self._templates, self._area_sets = templates, area_sets
            self._position = max(head, position)


def shelves(office: Office, issuer_id: str, at: datetime) -> tuple[str, ...]:
    """The bodies whose templates and sets a body may use at an instant, the nearest first: itself is.

    Those above it are the ones it has now. One that it was under, and that is no more without anyone
    having succeeded it, comes last: what it left would be on nobody's shelf.
    Raises UnknownStreamError where there is no such body.
    """
    found: list[str] = []
    left: list[str] = []
    body: Issuer | None = office.body(issuer_id, at)
    while body is not None and body.issuer_id not in found:
        found += [body.issuer_id, *(one.issuer_id for one in _inherited(office, body, at))]
        before = (seat.parent for seat in body.every_seat.values())
        left += [each for each in before if each and each != body.parent]
        body = _body(office, body.parent, at)
    known = (_body(office, name, at) for name in left)
    found += [one.issuer_id for one in known if one and one.closed(at) and not one.successors]
    return tuple(dict.fromkeys(found))


def _inherited(office: Office, body: Issuer, at: datetime) -> tuple[Issuer, ...]:
    return inherited(lambda name: office.body(name, at), body, at)


def _body(office: Office, name: str | None, at: datetime) -> Issuer | None:
    try:
        return office.body(name, at) if name else None
    except UnknownStreamError:
        return None  # A register may name a parent that it does not hold.
