"""Who takes part in exercises and tests: a manager says so of people within the area of his body."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import Cursor

from broadcaster.account import Role
from broadcaster.log import racing
from broadcaster.office import Office, deciding
from broadcaster.registry.subscribers import Registry, Subscriber, UnknownSubscriberError
from broadcaster.registry.testers import Note
from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, TestersChanged


class TesterCommands:
    """Makes subscribers testers and ordinary again. The log counts them and names no one."""

    def __init__(self, office: Office, registry: Registry) -> None:
        self._office, self._registry = office, registry

    def add(self, by: Actor, device_id: UUID, *, at: datetime) -> bool:
        """False where it is a tester already. Raises UnknownSubscriberError."""

        def do(note: Note) -> bool:
            return self._registry.add_tester(device_id, at, note)

        return self._do("add tester", by, device_id, do, added=1, removed=0, at=at)

    def remove(self, by: Actor, device_id: UUID, *, at: datetime) -> bool:
        """False where it is no tester. Raises UnknownSubscriberError."""

        def do(note: Note) -> bool:
            return self._registry.remove_tester(device_id, note)

        return self._do("remove tester", by, device_id, do, added=0, removed=1, at=at)

    def list(self, by: Actor, *, at: datetime) -> list[UUID]:
        """The testers within the area of the body."""
        area = self._area(by, at)
        tree = self._office.edition(at).tree
        return self._registry.testers([leaf.code for leaf in tree.leaves(area)])

    def _area(self, by: Actor, at: datetime) -> str:
        if by.body is None:
            raise RefusedError(Rule.BODY, f"{by.account} acts for no body")
        self._office.account(by.account).check(by.body, Role.MANAGER)
        area = self._office.issuer(by.body).area
        if area not in self._office.edition(at).tree:
            raise RefusedError(Rule.AREA, f"{by.body} has no area in the edition in force")
        return area

    def _check(self, by: Actor, device_id: UUID, at: datetime) -> Subscriber:
        area = self._area(by, at)
        found = self._registry.subscriber(device_id)
        if found is None:
            raise UnknownSubscriberError(device_id)
        if not self._office.edition(at).tree.covers(area, found.home):
            raise RefusedError(Rule.AREA, f"the subscriber lives outside {area}, the area of {by.body}")
        return found

    def _do(
        self,
        command: str,
        by: Actor,
        device_id: UUID,
        do: Callable[[Note], bool],
        *,
        added: int,
        removed: int,
        at: datetime,
    ) -> bool:
        """The registry and the log change together, or neither does."""
        log = self._office.log

        def attempt() -> bool:
            ground = log.ground(deciding.GROUND)
            event = TestersChanged(
                originator_id=uuid4(),
                originator_version=1,
                by=by,
                area=self._check(by, device_id, at).home,
                edition=self._office.edition(at).name,
                added=added,
                removed=removed,
            )

            def note(cursor: Cursor[Any]) -> None:
                log.append_in(cursor, [event], at, ground)

            with racing():
                return do(note)

        with self._office.refusals(by, command, at, issuer_id=by.body):
            return deciding.insist(attempt, "the rights of others are")
