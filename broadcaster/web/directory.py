"""The bodies and the screens there are, folded from the log and kept in memory."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from broadcaster.issuer import Issuer
from broadcaster.log import AlertLog
from broadcaster.screens.hours import ALL_DAY, Hours
from schemas.areas import FIRST_EDITION
from schemas.events import (
    IssuerEvent,
    Recorded,
    ScreenIdentifyAsked,
    ScreenMoved,
    ScreenRegistered,
    ScreenRemoved,
)
from schemas.events.base import topics

_TOPICS = topics(IssuerEvent, ScreenRegistered, ScreenIdentifyAsked, ScreenMoved, ScreenRemoved)
_PAGE = 2000
_FRESH = 1.0
"""Seconds for which what was read is good enough."""


@dataclass(frozen=True)
class PlacedScreen:
    """A screen in service, where it stands and since when."""

    id: UUID
    name: str
    area: str
    profile: str
    drills: bool
    since: datetime
    edition: str = FIRST_EDITION
    """That names its area."""
    hours: Hours = ALL_DAY
    """When it is on."""
    identify_until: datetime | None = None
    """It was asked to make itself known until then."""

    @property
    def pair(self) -> tuple[str, str, bool]:
        """What its feed is for."""
        return self.area, self.profile, self.drills


class Directory:
    """Reads the log from where it left off, at most once a second. Safe to use from many threads."""

    def __init__(self, log: AlertLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._position = 0
        self._until = 0.0
        self._bodies: dict[str, Issuer] = {}
        self._screens: dict[UUID, PlacedScreen] = {}
        self.revision = 0
        """Rises with every change."""

    def bodies(self) -> Mapping[str, Issuer]:
        """Every body by its id, in order of registration; `Issuer.as_of` says what each is when."""
        self._freshen()
        return MappingProxyType(self._bodies)

    def body_name(self, issuer_id: str) -> str:
        """The name of a body; its id where it is unknown."""
        body = self.bodies().get(issuer_id)
        return body.name if body else issuer_id

    def screens(self) -> Mapping[UUID, PlacedScreen]:
        """Every screen in service."""
        self._freshen()
        return MappingProxyType(self._screens)

    def refresh(self) -> None:
        """Reads what is new."""
        with self._lock:
            self._read()

    def _freshen(self) -> None:
        if self._until < time.monotonic():
            with self._lock:
                # Of all who waited only the first reads.
                if self._until < time.monotonic():
                    self._read()

    def _read(self) -> None:
        # The head goes first: what the reads then leave out up to there is of other topics.
        head = self._log.head()
        bodies, screens = dict(self._bodies), dict(self._screens)
        before = position = self._position
        while page := self._log.read(position, _PAGE, _TOPICS):
            for recorded in page:
                _fold(bodies, screens, recorded)
            position = page[-1].position
        if position != before:
            # Swapped whole, so that who iterates over the former ones is not disturbed.
            self._bodies, self._screens = bodies, screens
            self.revision += 1
        self._position = max(head, position)
        self._until = time.monotonic() + _FRESH


def _fold(bodies: dict[str, Issuer], screens: dict[UUID, PlacedScreen], recorded: Recorded) -> None:
    event = recorded.event
    if isinstance(event, IssuerEvent):
        bodies[event.issuer_id] = Issuer.fold(bodies.get(event.issuer_id), event)
        return
    match event:
        case ScreenRegistered():
            screens[event.screen_id] = PlacedScreen(
                event.screen_id,
                event.name,
                event.area,
                event.profile,
                event.drills,
                recorded.recorded_at,
                event.edition or FIRST_EDITION,
                Hours(event.opens, event.closes),
            )
        case ScreenMoved(originator_id=screen_id, area=area, edition=edition):
            if screen_id in screens:
                screens[screen_id] = replace(screens[screen_id], area=area, edition=edition)
        case ScreenIdentifyAsked(originator_id=screen_id, until=until):
            if screen_id in screens:
                screens[screen_id] = replace(screens[screen_id], identify_until=until)
        case ScreenRemoved():
            screens.pop(event.originator_id, None)
        case _:
            pass
