"""Reckons what a reorganisation will do, or did, from its plan and from what stands."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from broadcaster.atlas import Atlas
from broadcaster.delegation import Delegation
from broadcaster.registry.move import Moving
from broadcaster.reorganisation import template_moving
from broadcaster.reorganisation.area_set_moving import Carried, carried
from broadcaster.reorganisation.areas import Change
from broadcaster.reorganisation.plan import Plan
from broadcaster.reorganisation.report import Became, People, Report, SetCarried, TemplateAreas
from broadcaster.reorganisation.standing import Standing
from broadcaster.template import Template
from schemas.areas import Area


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
