"""Screens as people ask for them: within the areas of some bodies, by state, area, kind, group or words."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from broadcaster.screen_control import ScreenControl
from broadcaster.screens.sightings import UNSEEN, Contact, Sighting, contact
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.services import Services
from projections.feeds.render import POLICY
from schemas.areas import AreaTree, unaccented
from schemas.events import ScreenKind

folded = lru_cache(50_000)(unaccented)


@dataclass(frozen=True)
class Wanted:
    """Which screens; each that is empty asks for nothing."""

    words: str = ""
    state: str = ""
    area: str = ""
    """A code: the screens there and below."""
    kind: str = ""
    group: UUID | None = None
    faulty: bool = False


@dataclass(frozen=True)
class Listed:
    """One screen of a list."""

    screen: PlacedScreen
    place: str
    """The name of its area."""
    sighting: Sighting
    contact: Contact
    control: ScreenControl

    @property
    def is_alarming(self) -> bool:
        """Whether the alarm stands: silent for five minutes of its hours."""
        return self.contact is Contact.OFFLINE


def within(services: Services, bodies: Collection[str] | None) -> list[Listed]:
    """Every screen within the areas of the bodies, or of anyone where there are none named; by name."""
    at, edition, known = services.now(), services.tree().edition, services.directory.bodies()
    found = [known[name].as_of(at, edition) for name in bodies or () if name in known]
    trees: dict[str, AreaTree] = {}
    reached: dict[tuple[str, str], bool] = {}
    sightings, now, late = services.sightings.every(), services.now(), POLICY["stale_after_s"]
    listed: list[Listed] = []
    for screen in services.directory.screens().values():
        tree = trees.get(screen.edition)
        if tree is None:
            tree = trees[screen.edition] = services.tree(screen.edition)
        at = (screen.edition, screen.area)
        if at not in reached:
            reached[at] = screen.area in tree and (
                bodies is None or any(body.reaches(screen.area, tree) for body in found)
            )
        if reached[at]:
            sighting = sightings.get(screen.id, UNSEEN)
            listed.append(
                Listed(
                    screen,
                    tree[screen.area].name,
                    sighting,
                    contact(sighting, screen.hours, late, now),
                    services.book.control(screen.id),
                )
            )
    return sorted(listed, key=lambda one: (folded(one.screen.name), one.screen.id))


def one(services: Services, screen: PlacedScreen) -> Listed:
    """One screen."""
    tree = services.tree(screen.edition)
    sighting = services.sightings.of(screen.id)
    return Listed(
        screen,
        tree[screen.area].name if screen.area in tree else screen.area,
        sighting,
        contact(sighting, screen.hours, POLICY["stale_after_s"], services.now()),
        services.book.control(screen.id),
    )


def matching(services: Services, every: list[Listed], wanted: Wanted) -> list[Listed]:
    """Those of the list that are wanted, in its order."""
    words = unaccented(wanted.words.strip())
    group = services.book.groups().get(wanted.group) if wanted.group else None
    members = group.screens if group and not group.retired else frozenset[UUID]()
    areas: dict[str, set[str]] = {}
    if wanted.area:
        for edition in {each.screen.edition for each in every}:
            tree = services.tree(edition)
            areas[edition] = (
                {area.code for area in tree if tree.covers(wanted.area, area.code)}
                if wanted.area in tree
                else set()
            )
    kind = ScreenKind(wanted.kind) if wanted.kind else None
    return [
        each
        for each in every
        if (not wanted.state or each.contact == wanted.state)
        and (kind is None or each.control.kind is kind)
        and (not wanted.group or each.screen.id in members)
        and (not wanted.faulty or each.sighting.faults)
        and (not wanted.area or each.screen.area in areas[each.screen.edition])
        and (not words or words in folded(f"{each.screen.name} {each.place}"))
    ]
