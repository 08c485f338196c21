"""The commands on sets of areas: authors and managers of the body save and retire them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.area_set import AreaSet
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from schemas.events import Actor, AreaSetEvent
from schemas.ids import stream_id

KEEPERS = (Role.AUTHOR, Role.MANAGER)


class How(TypedDict, total=False):
    """What a caller may add to a command."""

    expected: int | None
    """The version of the stream the caller saw."""
    once: Once | None
    """The caller's idempotency key."""


class AreaSetCommands:
    """What members of a body do with its sets of areas."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def begin(
        self,
        by: Actor,
        issuer_id: str,
        name: str,
        areas: Sequence[str],
        *,
        at: datetime,
        once: Once | None = None,
    ) -> AreaSet:
        """Saves a new set. Raises RefusedError, and UnknownStreamError where there is no such body."""
        office = self._office
        area_set_id = stream_id("area-set", issuer_id, once.account, once.key) if once else uuid4()

        def decide() -> AreaSetEvent:
            office.account(by.account).check(issuer_id, *KEEPERS)
            office.issuer(issuer_id)
            tree = office.edition(at).tree
            return AreaSet.begin(by, area_set_id, issuer_id, name, areas=areas, tree=tree)

        with office.refusals(by, "save areas", at, issuer_id=issuer_id):
            what = f"area set {area_set_id} is"
            return deciding.begin(office.log, AreaSet.fold, decide, at=at, once=once, what=what)

    def save(
        self,
        by: Actor,
        area_set_id: UUID,
        name: str,
        areas: Sequence[str],
        *,
        at: datetime,
        **how: Unpack[How],
    ) -> AreaSet:
        """Saves the next version, in the edition in force."""

        def decide(known: AreaSet) -> AreaSetEvent:
            return known.save(by, name, areas, self._office.edition(at).tree)

        return self._change("save areas", by, area_set_id, decide, at=at, **how)

    def retire(self, by: Actor, area_set_id: UUID, *, at: datetime, **how: Unpack[How]) -> AreaSet:
        """Takes a set out of use."""
        return self._change("retire areas", by, area_set_id, lambda known: known.retire(by), at=at, **how)

    def _change(
        self,
        command: str,
        by: Actor,
        area_set_id: UUID,
        decide: Callable[[AreaSet], AreaSetEvent],
        *,
        at: datetime,
        **how: Unpack[How],
    ) -> AreaSet:
        office = self._office
        issuer_id = office.area_set(area_set_id).issuer_id

        def checked(known: AreaSet) -> AreaSetEvent:
            office.account(by.account).check(issuer_id, *KEEPERS)
            return decide(known)

        with office.refusals(by, command, at, issuer_id=issuer_id):
            return deciding.change(
                office.log, office.area_set, AreaSet.fold, area_set_id, checked, at=at, **how
            )
