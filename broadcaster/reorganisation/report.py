"""What a reorganisation will do, or did, by name: to be read before it is applied."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from broadcaster import template_moving
from broadcaster.area_set_moving import Carried, carried
from broadcaster.atlas import Atlas
from broadcaster.delegation import Delegation
from broadcaster.registry.move import Moving
from broadcaster.reorganisation.areas import Change
from broadcaster.reorganisation.plan import Plan
from broadcaster.reorganisation.standing import Standing
from broadcaster.template import Template
from schemas.areas import Area


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


def report(
    plan: Plan,
    atlas: Atlas,
    standing: Standing,
    delegations: Iterable[Delegation],
    *,
    people: Mapping[str, Moving],
    at: datetime,
) -> Report:
    """`atlas` knows the new edition already; `people` are by the area they live in."""
    before, after = plan.before.tree, plan.after.tree
    screens = [
        (screen, atlas.whole(screen.area, screen.edition, plan.after.name))
        for screen in standing.screens.values()
    ]
    sets = [
        (known, carried(atlas, known, plan.after.name))
        for known in standing.area_sets.values()
        if known.edition != plan.after.name
    ]
    templates = [
        (known, template_moving.carried(atlas, known, plan.after.name))
        for known in standing.templates.values()
        if template_moving.behind(known, plan.after.name)
    ]
    old = plan.before.name
    moved = [move for move in plan.bodies.moved if move.changes]
    return Report(
        edition=plan.after.name,
        follows=old,
        takes_effect=plan.takes_effect,
        in_force=plan.takes_effect <= at,
        unchanged=plan.areas.unchanged,
        merged=_changes(plan.areas.merged),
        split=_changes(plan.areas.split),
        renamed=_changes(plan.areas.renamed),
        recoded=_changes(plan.areas.recoded),
        abolished=tuple(map(_area, plan.areas.abolished)),
        created=tuple(map(_area, plan.areas.created)),
        bodies_unchanged=len(plan.bodies.moved) - len(moved),
        bodies_moved=tuple(
            Became(
                old=(f"{move.body.issuer_id} {move.body.name} ({move.body.area})",),
                new=(f"{move.seat.name} ({move.seat.area})",),
            )
            for move in moved
        ),
        bodies_closed=tuple(
            Became(
                old=(f"{closing.body.issuer_id} {closing.body.name}",),
                new=closing.successors or (f"{closing.body.parent} (above it)",),
            )
            for closing in plan.bodies.closed
        ),
        bodies_new=tuple(f"{one.said.issuer_id} {one.said.name}" for one in plan.bodies.new),
        subscribers=tuple(
            People(area=_area(before[home]), moved=count.moved, unsettled=count.unsettled)
            for home, count in sorted(people.items())
        ),
        screens_moved=tuple(
            Became(old=(f"{screen.name} ({screen.area})",), new=(_area(after[code]),))
            for screen, code in screens
            if code is not None
        ),
        screens_left=tuple(f"{screen.name} ({screen.area})" for screen, code in screens if code is None),
        delegations=tuple(
            f"{each.id} from {each.grantor} to {each.grantee}, until {each.ends_at.isoformat()}"
            for each in delegations
            if each.edition == old and not each.revoked and each.ends_at > max(at, plan.takes_effect)
        ),
        area_sets_carried=tuple(_set_carried(each) for _, each in sets if each is not None),
        area_sets=tuple(
            f"{known.name} of {known.issuer_id}: {', '.join(known.areas)}"
            for known, each in sets
            if each is None
        ),
        templates_carried=tuple(
            TemplateAreas(
                template=_template(known),
                old=tuple(map(_area, each.areas.old)),
                new=tuple(map(_area, each.areas.new)),
                abolished=tuple(map(_area, each.areas.abolished)),
            )
            for known, each in templates
            if each is not None
        ),
        templates=tuple(
            f"{_template(known)}: {', '.join(known.latest.body.areas)}"
            for known, each in templates
            if each is None
        ),
        live_alerts=tuple(
            f"{alert_id} of {event.issuer_id}: {event.content.text('vi').headline}, "
            f"until {event.expires_at.isoformat()}"
            for alert_id, event in standing.live.items()
            if event.edition != plan.after.name and event.expires_at > plan.takes_effect
        ),
    )


def _area(area: Area) -> str:
    return f"{area.code} {area.name}"


def _template(known: Template) -> str:
    return f"{known.latest.name} of {known.issuer_id}"


def _set_carried(one: Carried) -> SetCarried:
    return SetCarried(
        area_set=f"{one.known.name} of {one.known.issuer_id}",
        old=tuple(map(_area, one.old)),
        new=tuple(map(_area, one.new)),
        abolished=tuple(map(_area, one.abolished)),
    )


def _changes(changes: Iterable[Change]) -> tuple[Became, ...]:
    return tuple(
        Became(old=tuple(map(_area, change.old)), new=tuple(map(_area, change.new))) for change in changes
    )


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
