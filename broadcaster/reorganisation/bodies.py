"""What happens to the bodies: as described, and by rule where nothing is said. Pure.

- A body of an area that goes on moves with it.
- Of the bodies whose areas became one area, the one whose code it has goes on, else the one of its
  most populous part; each other passes to the one that goes on where most of its people are now.
- A body of an abolished level passes to the body above it, which alone covers the whole of its area.
- An area of the lowest level that is left without a body of the kind that they have gets a new one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from broadcaster.atlas import Links
from broadcaster.issuer import Issuer
from broadcaster.issuer_seat import Seat
from broadcaster.reorganisation.description import DescriptionError, NewBody, Reorganisation
from schemas.areas import Area, AreaTree
from schemas.local_time import HANOI


@dataclass(frozen=True)
class Closing:
    """A body ends at an instant and passes to others."""

    body: Issuer
    successors: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class Move:
    """A body has this seat in the new edition."""

    body: Issuer
    seat: Seat

    @property
    def changes(self) -> bool:
        """Whether it is any other than the body's last one."""
        return self.seat != list(self.body.every_seat.values())[-1]


@dataclass(frozen=True)
class Founding:
    """A body comes to be, in an area of the new edition or, since earlier, of the one before."""

    said: NewBody
    level: int
    edition: str


@dataclass(frozen=True)
class BodyChanges:
    """Everything that changes for bodies."""

    moved: tuple[Move, ...]
    closed: tuple[Closing, ...]
    new: tuple[Founding, ...]


def midnight(day: date) -> datetime:
    """The instant (UTC) at which the day begins in Hanoi."""
    return datetime.combine(day, time.min, HANOI).astimezone(UTC)


def changes(
    said: Reorganisation,
    before: AreaTree,
    after: AreaTree,
    links: Links,
    bodies: Mapping[str, Issuer],
) -> BodyChanges:
    """What the description says of bodies, and what follows for those it does not name.

    `bodies` are as of now. Raises DescriptionError.
    """
    return _Reading(said, before, after, links, bodies).changes()


class _Reading:
    def __init__(
        self,
        said: Reorganisation,
        before: AreaTree,
        after: AreaTree,
        links: Links,
        bodies: Mapping[str, Issuer],
    ) -> None:
        self._said, self._before, self._after, self._links = said, before, after, links
        self._known = bodies
        self._at = midnight(said.effective_on)
        self._seated = {
            name: seat
            for name, body in bodies.items()
            if (seat := body.seat(before.edition)) is not None and seat in before
        }
        self._named = {one.issuer_id for one in (*said.closed, *said.moved)}
        self._target: dict[str, str] = {}
        self._closed: dict[str, tuple[tuple[str, ...], datetime]] = {}

    def changes(self) -> BodyChanges:
        self._check()
        for one in self._said.closed:
            self._closed[one.issuer_id] = (one.successors, midnight(one.on or self._said.effective_on))
        for one in self._said.moved:
            self._target[one.issuer_id] = one.area
        self._above_the_lowest()
        self._lowest()
        founded = self._founded()
        names = {one.issuer_id: one.name for one in self._said.moved if one.name}
        parents = {one.issuer_id: one.parent for one in self._said.moved if one.parent}
        moved = [
            Move(self._known[name], self._seat(self._known[name], area, names, parents))
            for name, area in self._target.items()
        ]
        closed = [Closing(self._known[name], heirs, at) for name, (heirs, at) in self._closed.items()]
        return BodyChanges(tuple(moved), tuple(closed), tuple(founded))

    def _check(self) -> None:
        said, new = self._said, {one.issuer_id for one in self._said.new}
        ended = {name for name, body in self._known.items() if body.closed_at is not None}
        for name in sorted(self._named - self._known.keys()):
            raise DescriptionError(f"closed, moved: there is no body {name}")
        for name in sorted(self._named & ended):
            raise DescriptionError(f"closed, moved: {name} is closed already")
        for name in sorted(new & self._known.keys()):
            raise DescriptionError(f"new: there is a body {name} already")
        for one in said.closed:
            for heir in one.successors:
                if heir == one.issuer_id or heir not in (self._known.keys() | new) - ended:
                    raise DescriptionError(f"closed: {one.issuer_id} cannot pass to {heir}")
        for one in (*said.moved, *said.new):
            if one.area not in self._after:
                raise DescriptionError(f"moved, new: edition {said.edition} has no area {one.area}")

    def _unnamed(self, *, leaf: bool) -> list[tuple[Issuer, str]]:
        return [
            (self._known[name], area)
            for name, area in self._seated.items()
            if name not in self._named and self._before.is_leaf(area) == leaf
        ]

    def _above_the_lowest(self) -> None:
        for body, area in self._unnamed(leaf=False):
            if self._links[area] == (area,) and area in self._after:
                self._target[body.issuer_id] = area
            elif body.closed_at is None:
                self._closed[body.issuer_id] = ((), self._at)

    def _lowest(self) -> None:
        bodies = self._unnamed(leaf=True)
        going_on = self._going_on()
        heirs = {
            (body.kind, going_on[area]): body
            for body, area in bodies
            if area in going_on and body.closed_at is None
        }
        for body, area in bodies:
            if area in going_on and body.closed_at is None:
                self._target[body.issuer_id] = going_on[area]
            elif body.closed_at is None:
                found = (heirs.get((body.kind, new)) for new in self._links[area])
                heir = next((each for each in found if each and each is not body), None)
                self._closed[body.issuer_id] = ((heir.issuer_id,) if heir else (), self._at)
            elif body.successors and len(self._links[area]) == 1:
                # It is no more, but those who answer for it need to know where its land is.
                self._target[body.issuer_id] = self._links[area][0]

    def _going_on(self) -> dict[str, str]:
        """The old area that each new one of the lowest level continues, by the old one."""
        sources: dict[str, list[str]] = {}
        for area in self._before:
            if self._before.is_leaf(area.code):
                for new in self._links[area.code]:
                    sources.setdefault(new, []).append(area.code)
        found = {new: new for new, olds in sources.items() if new in olds}
        for new, olds in sorted(sources.items()):
            free = [old for old in olds if old not in found]
            if new not in found.values() and free:
                found[max(free, key=lambda old: (self._share(old, new), old))] = new
        return found

    def _share(self, old: str, new: str) -> float:
        parts = self._links[old]
        return (self._before[old].population or 0) / len(parts) if new in parts else 0

    def _founded(self) -> list[Founding]:
        said = [self._founding(one) for one in self._said.new]
        kinds = Counter(body.kind for body, _ in self._unnamed(leaf=True) if body.closed_at is None)
        if not kinds:
            return said
        kind = kinds.most_common(1)[0][0]
        has = {area for name, area in self._target.items() if self._known[name].kind == kind}
        has |= {one.area for one in self._said.new if one.kind == kind}
        ids = self._known.keys() | {one.issuer_id for one in self._said.new}
        for area in self._after.leaves(self._after.root):
            if area.code not in has:
                name = f"ubnd-{area.code}"
                name = name if name not in ids else f"{name}-{self._said.edition}".lower()
                said.append(self._founding(self._default(area, name, kind)))
        return said

    def _default(self, area: Area, name: str, kind: str) -> NewBody:
        fields = Counter(body.fields for body in self._known.values() if body.kind == kind)
        return NewBody(
            issuer_id=name,
            name=seat_name(area),
            kind=kind,
            area=area.code,
            fields=tuple(sorted(fields.most_common(1)[0][0])),
        )

    def _founding(self, one: NewBody) -> Founding:
        parent = one.parent or self._body_of(self._after[one.area].parent_code)
        level = min(4, self._after[one.area].level)
        since = {heir: at for heirs, at in self._closed.values() for heir in heirs}
        # Who takes over from another before the edition takes effect has its first seat before it too.
        early = since.get(one.issuer_id, self._at) < self._at and one.area in self._before
        edition = self._before.edition if early else self._said.edition
        return Founding(one.model_copy(update={"parent": parent}), level, edition)

    def _seat(self, body: Issuer, area: str, names: Mapping[str, str], parents: Mapping[str, str]) -> Seat:
        place = self._after[area]
        old = self._before[self._seated[body.issuer_id]] if body.issuer_id in self._seated else place
        own = body.name.casefold() == seat_name(old).casefold()
        name = names.get(body.issuer_id) or (seat_name(place) if own else body.name)
        parent = parents.get(body.issuer_id) or self._heir(body.parent)
        return Seat(area, min(4, place.level), name, parent)

    def _heir(self, name: str | None) -> str | None:
        """The body itself, or who goes on in its stead."""
        seen: set[str] = set()
        while name is not None and name in self._closed and name not in seen:
            seen.add(name)
            heirs = self._closed[name][0]
            name = heirs[0] if heirs else self._known[name].parent
        return name

    def _body_of(self, code: str | None) -> str | None:
        """The territorial body of an area of the new edition: of several the one above the others."""
        seated = [self._known[name] for name, area in self._target.items() if area == code]
        here = {body.issuer_id for body in seated}
        tops = [body for body in seated if body.parent not in here]
        return tops[0].issuer_id if tops else None


def seat_name(area: Area) -> str:
    """How the people's committee of an area is called: "UBND phường Ba Đình"."""
    return f"UBND {area.name[:1].lower()}{area.name[1:]}"


def passing(closings: Sequence[Closing]) -> Iterable[tuple[Closing, str]]:
    """Each closing with each body it passes to."""
    return ((closing, heir) for closing in closings for heir in closing.successors)
