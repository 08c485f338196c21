"""What a reorganisation will do, or did, by name: to be read before it is applied."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Became(_Told):
    """What became of what; each as "code name"."""

    old: tuple[str, ...]
    new: tuple[str, ...]


class People(_Told):
    """The subscribers who live in one old area."""

    area: str
    moved: int
    unsettled: int
    """Of them, who cannot be placed: they get the alerts of every part until they choose."""


class SetCarried(_Told):
    """A saved set of areas in its old and its new codes."""

    area_set: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    abolished: tuple[str, ...]
    """Of the old ones, those that are no more; all that their lowest areas became is in `new`."""


class TemplateAreas(_Told):
    """The areas that a template names, in old and new codes; see `SetCarried`."""

    template: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    abolished: tuple[str, ...]


class Report(_Told):
    """All of it."""

    edition: str
    follows: str
    takes_effect: datetime
    in_force: bool
    """Whether that instant has passed."""
    unchanged: int
    merged: tuple[Became, ...]
    split: tuple[Became, ...]
    renamed: tuple[Became, ...]
    recoded: tuple[Became, ...]
    abolished: tuple[str, ...]
    created: tuple[str, ...]
    bodies_unchanged: int
    bodies_moved: tuple[Became, ...]
    """Those whose area, name or parent changes."""
    bodies_closed: tuple[Became, ...]
    bodies_new: tuple[str, ...]
    subscribers: tuple[People, ...]
    screens_moved: tuple[Became, ...]
    screens_left: tuple[str, ...]
    """To be placed by hand: their area was parted."""
    delegations: tuple[str, ...]
    """That lapse."""
    area_sets_carried: tuple[SetCarried, ...]
    """That are saved again in the new codes."""
    area_sets: tuple[str, ...]
    """To be saved again by hand: what became of their areas is not known."""
    templates_carried: tuple[TemplateAreas, ...]
    """That name areas, and are saved again in the new codes; that version is approved by nobody."""
    templates: tuple[str, ...]
    """That name areas, to be saved again by hand."""
    live_alerts: tuple[str, ...]
    """That go on in the old codes for whom they were issued; an update is addressed in new ones."""

    @property
    def moved(self) -> int:
        """How many subscribers move."""
        return sum(people.moved for people in self.subscribers)

    @property
    def unsettled(self) -> int:
        """How many of them are to be asked where they live."""
        return sum(people.unsettled for people in self.subscribers)

    def lines(self) -> Iterator[str]:
        """For people."""
        when = "in force since" if self.in_force else "takes effect"
        yield f"edition {self.edition} follows {self.follows}; {when} {self.takes_effect.isoformat()}"
        yield f"areas: {self.unchanged} unchanged"
        yield from _became("merged", self.merged)
        yield from _became("split", self.split)
        yield from _became("renamed", self.renamed)
        yield from _became("recoded", self.recoded)
        yield from _named("abolished", self.abolished)
        yield from _named("created", self.created)
        yield f"bodies: {self.bodies_unchanged} unchanged"
        yield from _became("bodies that go on otherwise", self.bodies_moved)
        yield from _became("bodies that close", self.bodies_closed)
        yield from _named("bodies that come to be", self.bodies_new)
        yield f"subscribers: {self.moved} move, {self.unsettled} of them to be asked where they live"
        for people in self.subscribers:
            yield f"  {people.area}: {people.moved} move, {people.unsettled} to be asked"
        yield from _became("screens that move", self.screens_moved)
        yield from _named("screens to be placed by hand", self.screens_left)
        yield from _named("delegations that lapse", self.delegations)
        sets = [(one.area_set, one) for one in self.area_sets_carried]
        yield from _carried("saved area sets in new codes", sets)
        yield from _named("saved area sets to be saved again by hand", self.area_sets)
        templates = [(one.template, one) for one in self.templates_carried]
        yield from _carried("templates in new codes, to be approved again", templates)
        yield from _named("templates whose areas are to be written again by hand", self.templates)
        yield from _named("live alerts that go on in old codes (update them in new ones)", self.live_alerts)


def _became(title: str, changes: tuple[Became, ...]) -> Iterator[str]:
    if changes:
        yield f"{title}: {len(changes)}"
        for change in changes:
            yield f"  {'; '.join(change.old)} -> {'; '.join(change.new)}"


def _carried(title: str, named: Sequence[tuple[str, SetCarried | TemplateAreas]]) -> Iterator[str]:
    if named:
        yield f"{title}: {len(named)}"
        for name, one in named:
            yield f"  {name}: {'; '.join(one.old)} -> {'; '.join(one.new)}"
            if one.abolished:
                yield f"    no more, look whether all of that is meant: {'; '.join(one.abolished)}"


def _named(title: str, names: tuple[str, ...]) -> Iterator[str]:
    if names:
        yield f"{title}: {len(names)}"
        for name in names:
            yield f"  {name}"
