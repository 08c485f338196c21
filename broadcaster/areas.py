"""The area register: editions that take effect on a date, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from broadcaster.rules import RefusedError, Rule
from schemas.areas import Area, AreaTree, Succession
from schemas.events import Actor, AreaRegisterAdopted
from schemas.ids import REGISTER_STREAM
from schemas.local_time import HANOI


@dataclass(frozen=True)
class Edition:
    """One adopted edition."""

    name: str
    effective_on: date
    areas: tuple[Area, ...]
    successions: tuple[Succession, ...] = ()
    """What became of the areas of the edition before."""

    @cached_property
    def tree(self) -> AreaTree:
        """Its areas as a tree."""
        return AreaTree(self.name, self.areas)


@dataclass(frozen=True)
class AreaRegister:
    """Every edition adopted so far, in order of adoption."""

    version: int = 0
    editions: tuple[Edition, ...] = field(default=())

    @staticmethod
    def fold(state: "AreaRegister | None", event: AreaRegisterAdopted) -> "AreaRegister":
        """The register after the event."""
        before = state or AreaRegister()
        adopted = Edition(event.edition, event.effective_on, event.areas, event.successions)
        return AreaRegister(event.originator_version, (*before.editions, adopted))

    def adopt(
        self,
        by: Actor,
        edition: str,
        effective_on: date,
        areas: Sequence[Area],
        successions: Sequence[Succession] = (),
    ) -> AreaRegisterAdopted:
        """Takes a whole edition. Refused where the name is taken; ValueError where it is no tree."""
        if any(known.name == edition for known in self.editions):
            raise RefusedError(Rule.EXISTS, f"edition {edition} of the area register is already adopted")
        AreaTree(edition, areas)
        return AreaRegisterAdopted(
            originator_id=REGISTER_STREAM,
            originator_version=self.version + 1,
            by=by,
            edition=edition,
            effective_on=effective_on,
            areas=tuple(areas),
            successions=tuple(successions),
        )

    def current(self, at: datetime) -> Edition:
        """The edition in force on the local day of the instant. Raises LookupError where none is."""
        today = at.astimezone(HANOI).date()
        in_force = [edition for edition in self.editions if edition.effective_on <= today]
        if not in_force:
            raise LookupError("no edition of the area register is in force")
        return max(in_force, key=lambda edition: edition.effective_on)

    def edition(self, name: str) -> Edition:
        """The edition of that name. Raises LookupError."""
        for edition in self.editions:
            if edition.name == name:
                return edition
        raise LookupError(f"no edition {name} of the area register")
