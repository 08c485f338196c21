"""What every command on screens shares: which are in service, whose they are, and how one is decided."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from broadcaster.account import Role
from broadcaster.log import UnknownStreamError
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.screen_control import Exclusions, ScreenControl
from broadcaster.screen_group import ScreenGroup
from schemas.events import Actor, Event

State = TypeVar("State", ScreenControl, Exclusions, ScreenGroup)


class Placed(Protocol):
    """A screen in service, of which the place matters."""

    @property
    def area(self) -> str:
        """Its code."""
        ...

    @property
    def edition(self) -> str:
        """Of the area register, that names the area."""
        ...


class ScreenDeciding:
    """Each command is refused whole or done whole; one that changes nothing is no event."""

    def __init__(self, office: Office, screens: Callable[[], Mapping[UUID, Placed]]) -> None:
        self._office, self._screens = office, screens

    def group(self, group_id: UUID) -> ScreenGroup:
        """The group. Raises UnknownStreamError."""
        return self._office.screen_group(group_id)

    def _check_known(self, screens: Collection[UUID]) -> Mapping[UUID, Placed]:
        known = self._screens()
        for screen_id in screens:
            if screen_id not in known:
                raise UnknownStreamError(f"there is no screen {screen_id} in service")
        return known

    def _check_within(
        self, by: Actor, issuer_id: str | None, screens: Collection[UUID], at: datetime
    ) -> None:
        if issuer_id is None:
            raise RefusedError(Rule.BODY, f"{by.account} acts for no body")
        self._office.account(by.account).check(issuer_id, Role.MANAGER)
        known = self._check_known(screens)
        body, register = self._office.open_body(issuer_id, at), self._office.register()
        for area, edition in {(known[one].area, known[one].edition) for one in screens}:
            tree = register.edition(edition).tree
            if not body.reaches(area, tree):
                own = body.seat(edition)
                raise RefusedError(Rule.AREA, f"area {area} lies outside {own}, the area of {issuer_id}")

    def _change(
        self,
        load: Callable[[], State],
        decide: Callable[[State], Event | None],
        at: datetime,
        topics: Sequence[str] = deciding.GROUND,
    ) -> State:
        log = self._office.log

        def attempt() -> State:
            ground = log.ground(topics)
            event = decide(load())
            if event is not None:
                log.append([event], at=at, ground=ground)
            return load()

        return deciding.insist(attempt, "the screens are")
