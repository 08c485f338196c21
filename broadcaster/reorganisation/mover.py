"""Moves subscribers, screens, saved sets of areas and templates to the area register's edition in force.

Its events are recorded when a reorganisation is applied; it takes effect on its day. From then on the
timekeeper calls this once a second, and it does nothing where nothing is left to move. Each step is
one transaction and safe to repeat, so a crash between two is mended by the next call.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from psycopg_pool import ConnectionPool

from broadcaster.areas import Edition
from broadcaster.log import ConflictError
from broadcaster.office import Office
from broadcaster.office.shelf import Shelf
from broadcaster.registry.move import move_edition
from broadcaster.registry.subscribers import Registry
from broadcaster.reorganisation import template_moving
from broadcaster.reorganisation.area_set_moving import carried
from projections.feeds import view as feeds
from projections.positions import Positions
from schemas.events import Actor, AlertIssued, Event

log = structlog.get_logger(__name__)

_PAGE = 500


class Done(NamedTuple):
    """What one call moved, and whether it must wait until audiences ordered before are taken."""

    subscribers: int = 0
    unsettled: int = 0
    screens: int = 0
    waiting: bool = False


class Mover:
    """Brings everyone to the edition in force."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        office: Office,
        registry: Registry,
        clock: Callable[[], datetime],
        by: Actor,
    ) -> None:
        self._pool, self._office, self._registry = pool, office, registry
        self._clock, self._by = clock, by
        self._left: tuple[str, frozenset[object]] = ("", frozenset())
        self._shelf = Shelf(office.log)
        self._sets_in = self._templates_in = ""

    def move(self) -> Done:
        """Moves who is behind. Raises UnknownAreaError where the log does not say what an area became."""
        at = self._clock()
        current = self._office.edition(at)
        screens = self.move_screens(current, at)
        self.move_area_sets(current, at)
        self.move_templates(current, at)
        behind = self._registry.editions() - {current.name}
        if not behind:
            return Done(screens=screens)
        if self._unfrozen(current):
            return Done(screens=screens, waiting=True)
        moved = unsettled = 0
        atlas = self._office.atlas()
        for before, after in atlas.steps(current):
            if before.name in behind:
                done = move_edition(self._pool, before.tree, after.tree, after.successions, at)
                moved, unsettled = moved + done.moved, done.unsettled
                behind = behind | {after.name}
                log.info("subscribers_moved", edition=after.name, **done._asdict())
        return Done(moved, unsettled, screens)

    def move_screens(self, current: Edition, at: datetime) -> int:
        """Gives each screen whose area went whole to one other the code it has now."""
        with self._pool.connection() as conn:
            behind = feeds.behind(conn, current.name)
        left = frozenset[object](behind)
        if self._left == (current.name, left):
            return 0
        moved, atlas = 0, self._office.atlas()
        known = {edition.name for edition in atlas.register.editions}
        for screen in behind:
            if screen.edition not in known:
                continue
            became = atlas.whole(screen.area, screen.edition, current.name)
            if became is None:
                continue
            folded = self._office.screen(screen.screen_id)
            if folded.removed or folded.edition == current.name:
                continue  # The view lags behind the log.
            try:
                self._office.log.append([folded.move(self._by, became, current.name)], at=at)
            except ConflictError:
                continue  # It showed something just now; the next call sees it again.
            moved += 1
        # What is left is for people to place; it is looked at again when it changes.
        self._left = (current.name, left) if not moved else ("", frozenset())
        return moved

    def move_area_sets(self, current: Edition, at: datetime) -> int:
        """Saves each set of another edition anew in the codes of this one; answers how many.

        Once for an edition: from then on a set is saved in it, and what cannot be translated waits.
        """
        if self._sets_in == current.name:
            return 0
        atlas, by = self._office.atlas(), self._by
        usable = (known for known in self._shelf.area_sets().values() if not known.retired)
        found = (carried(atlas, known, current.name) for known in usable)
        moved, lost = self._save((each.save(atlas, by, current.name) for each in found if each), at)
        if moved:
            log.info("area_sets_moved", edition=current.name, sets=moved)
        self._sets_in = "" if lost else current.name
        return moved

    def move_templates(self, current: Edition, at: datetime) -> int:
        """The same for templates that name areas."""
        if self._templates_in == current.name:
            return 0
        atlas = self._office.atlas()
        every = self._shelf.templates().values()
        found = (template_moving.carried(atlas, known, current.name) for known in every)
        moved, lost = self._save((each.save(self._by) for each in found if each), at)
        if moved:
            log.info("templates_moved", edition=current.name, templates=moved)
        self._templates_in = "" if lost else current.name
        return moved

    def _save(self, events: Iterable[Event], at: datetime) -> tuple[int, bool]:
        """How many were saved, and whether one was not: the next call sees what is left."""
        moved, lost = 0, False
        for event in events:
            try:
                self._office.log.append([event], at=at)
            except ConflictError:
                lost = True  # Someone saved or retired it just now.
                continue
            moved += 1
        return moved, lost

    def _unfrozen(self, current: Edition) -> bool:
        """Whether an alert in codes of an edition before is issued whose audience is not yet taken."""
        position = Positions(self._pool, "fanout").get().position
        while page := self._office.log.read(position, _PAGE, (AlertIssued.TOPIC,)):
            for recorded in page:
                event = recorded.event
                if isinstance(event, AlertIssued) and event.edition != current.name:
                    return True
            position = page[-1].position
        return False
