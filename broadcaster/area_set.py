"""A set of areas that a body saved under a name, in the edition of the register it was saved in.

Codes are used again for other places by later editions, so a set of another edition than the one in
force is out of date: it is listed, and not filled in. A reorganisation saves it anew in the new codes
(reorganisation/area_set_moving.py); one that it cannot translate waits for someone to save it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from broadcaster.rules import RefusedError, Rule
from schemas.areas import AreaTree
from schemas.events import Actor, AreaSetEvent, AreaSetRetired, AreaSetSaved


@dataclass(frozen=True)
class AreaSet:
    """A set after `version` events; `number` is that of its latest text."""

    id: UUID
    version: int
    issuer_id: str
    number: int
    name: str
    edition: str
    areas: tuple[str, ...]
    saved_by: str
    retired: bool = False

    @staticmethod
    def fold(state: "AreaSet | None", event: AreaSetEvent) -> "AreaSet":
        """The set after the event."""
        match event:
            case AreaSetSaved():
                return AreaSet(
                    event.originator_id,
                    event.originator_version,
                    event.issuer_id,
                    event.version,
                    event.name,
                    event.edition,
                    event.areas,
                    event.by.account,
                )
            case AreaSetRetired():
                assert state is not None, "a set begins with its first version"
                return replace(state, version=event.originator_version, retired=True)

    @staticmethod
    def begin(
        by: Actor, area_set_id: UUID, issuer_id: str, name: str, *, areas: Sequence[str], tree: AreaTree
    ) -> AreaSetSaved:
        """A new set, its version 1."""
        return AreaSetSaved(
            originator_id=area_set_id,
            originator_version=1,
            by=by,
            area_set_id=area_set_id,
            issuer_id=issuer_id,
            version=1,
            name=name,
            edition=tree.edition,
            areas=known_areas(areas, tree),
        )

    def save(self, by: Actor, name: str, areas: Sequence[str], tree: AreaTree) -> AreaSetSaved:
        """The next version, whole, in the edition in force."""
        self.check_offered()
        return AreaSetSaved(
            originator_id=self.id,
            originator_version=self.version + 1,
            by=by,
            area_set_id=self.id,
            issuer_id=self.issuer_id,
            version=self.number + 1,
            name=name,
            edition=tree.edition,
            areas=known_areas(areas, tree),
        )

    def retire(self, by: Actor) -> AreaSetRetired:
        """Takes it out of use."""
        self.check_offered()
        return AreaSetRetired(
            originator_id=self.id, originator_version=self.version + 1, by=by, area_set_id=self.id
        )

    def check_offered(self) -> None:
        """Refuses what was retired."""
        if self.retired:
            raise RefusedError(Rule.STATE, f"area set {self.id} is retired")

    def filled_in(self, tree: AreaTree) -> tuple[str, ...]:
        """Its areas, for use in the edition. Refused where they are of another one."""
        self.check_offered()
        check_edition("area_set", self.edition, tree)
        return self.areas


def check_edition(field: str, edition: str, tree: AreaTree) -> None:
    """Refuses areas of another edition than the tree's."""
    if edition != tree.edition:
        raise RefusedError(
            Rule.TEMPLATE,
            f"{field}: its areas are of edition {edition} of the area register and out of date; "
            f"{tree.edition} is in force",
        )


def known_areas(areas: Sequence[str], tree: AreaTree) -> tuple[str, ...]:
    """The areas, all of the edition. Raises RefusedError."""
    for code in areas:
        if code not in tree:
            raise RefusedError(Rule.UNKNOWN_AREA, f"areas: edition {tree.edition} has no {code}")
    return tuple(areas)
