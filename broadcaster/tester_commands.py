"""Who takes part in exercises and tests: a manager says so of people within the area of his body."""

from datetime import datetime
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.office import Office
from broadcaster.registry.subscribers import Registry, Subscriber, UnknownSubscriberError
from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, TestersChanged


class TesterCommands:
    """Makes subscribers testers and ordinary again. The log counts them and names no one."""

    def __init__(self, office: Office, registry: Registry) -> None:
        self._office, self._registry = office, registry

    def add(self, by: Actor, device_id: UUID, *, at: datetime) -> bool:
        """False where it is a tester already. Raises UnknownSubscriberError."""
        with self._office.refusals(by, "add tester", at, issuer_id=by.body):
            home = self._check(by, device_id, at).home
        if not self._registry.add_tester(device_id, at):
            return False
        self._note(by, home, added=1, removed=0, at=at)
        return True

    def remove(self, by: Actor, device_id: UUID, *, at: datetime) -> bool:
        """False where it is no tester. Raises UnknownSubscriberError."""
        with self._office.refusals(by, "remove tester", at, issuer_id=by.body):
            home = self._check(by, device_id, at).home
        if not self._registry.remove_tester(device_id):
            return False
        self._note(by, home, added=0, removed=1, at=at)
        return True

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

    def _note(self, by: Actor, area: str, *, added: int, removed: int, at: datetime) -> None:
        event = TestersChanged(
            originator_id=uuid4(),
            originator_version=1,
            by=by,
            area=area,
            edition=self._office.edition(at).name,
            added=added,
            removed=removed,
        )
        self._office.log.append([event], at=at)
