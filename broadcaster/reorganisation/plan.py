"""A reorganisation worked out: what it does to areas and bodies, and the events that say so. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.areas import AreaRegister, Edition
from broadcaster.atlas import Links, successors
from broadcaster.issuer import Issuer
from broadcaster.issuer_seat import Seat
from broadcaster.reorganisation import areas, bodies
from broadcaster.reorganisation.description import DescriptionError, Reorganisation
from schemas.areas import UnknownAreaError
from schemas.events import (
    Actor,
    AreaRegisterAdopted,
    Event,
    IssuerClosed,
    IssuerEvent,
    IssuerMoved,
    IssuerSucceeded,
)
from schemas.ids import issuer_stream


@dataclass(frozen=True)
class Plan:
    """All that follows from a description, given the register and the bodies there are."""

    said: Reorganisation
    before: Edition
    after: Edition
    links: Links
    areas: areas.AreaChanges
    bodies: bodies.BodyChanges

    @property
    def takes_effect(self) -> datetime:
        """The first instant (UTC) of the new edition."""
        return bodies.midnight(self.said.effective_on)


def plan(said: Reorganisation, register: AreaRegister, known: Mapping[str, Issuer]) -> Plan:
    """Works it out. Raises DescriptionError where it does not fit what there is."""
    before = _before(said, register)
    after = Edition(said.edition, said.effective_on, said.areas, said.successions)
    try:
        tree = after.tree
    except (LookupError, ValueError) as error:
        raise DescriptionError(f"areas: {error}") from None
    for one in said.successions:
        if one.old_code not in before.tree or not before.tree.is_leaf(one.old_code):
            raise DescriptionError(
                f"successions: {one.old_code} is no lowest-level area of edition {before.name}"
            )
        if one.new_code not in tree or not tree.is_leaf(one.new_code):
            raise DescriptionError(
                f"successions: {one.new_code} is no lowest-level area of edition {said.edition}"
            )
    try:
        links = successors(before.tree, tree, said.successions)
    except UnknownAreaError as error:
        raise DescriptionError(
            f"successions: where did the people of {error.code} {before.tree[error.code].name} go?"
        ) from None
    return Plan(
        said,
        before,
        after,
        links,
        areas.changes(before.tree, tree, links),
        bodies.changes(said, before.tree, tree, links, known),
    )


def _before(said: Reorganisation, register: AreaRegister) -> Edition:
    if not register.editions:
        raise DescriptionError("no edition of the area register is adopted yet; see `broadcaster migrate`")
    newest = max(register.editions, key=lambda edition: edition.effective_on)
    if any(edition.name == said.edition for edition in register.editions):
        raise DescriptionError(f"edition: {said.edition} is adopted already")
    if said.follows not in {None, newest.name}:
        raise DescriptionError(
            f"follows: {said.edition} follows {said.follows}, and the newest is {newest.name}"
        )
    if said.effective_on <= newest.effective_on:
        raise DescriptionError(
            f"effective_on: {said.effective_on} is not after {newest.effective_on}, that of {newest.name}"
        )
    return newest


def events(plan: Plan, register: AreaRegister, known: Mapping[str, Issuer], by: Actor) -> list[Event]:
    """What the log is to hold, all or none."""
    said = plan.said
    adopted: AreaRegisterAdopted = register.adopt(
        by, said.edition, said.effective_on, said.areas, said.successions
    )
    return [adopted, *_Writer(plan, dict(known), by).write()]


class _Writer:
    def __init__(self, plan: Plan, known: dict[str, Issuer], by: Actor) -> None:
        self._plan, self._known, self._by = plan, known, by
        self._events: list[Event] = []

    def write(self) -> list[Event]:
        changes = self._plan.bodies
        for founding in changes.new:
            one = founding.said
            event = Issuer.register(
                self._by,
                one.issuer_id,
                name=one.name,
                kind=one.kind,
                level=founding.level,
                area=one.area,
                fields=one.fields,
                parent=one.parent,
                edition=founding.edition,
            )
            self._known[one.issuer_id] = Issuer.fold(None, event)
            self._events.append(event)
        for closing in changes.closed:
            self._close(closing)
        for move in changes.moved:
            self._move(move.body.issuer_id, move.seat)
        for founding in changes.new:
            if founding.edition != self._plan.after.name:
                one = founding.said
                self._move(one.issuer_id, Seat(one.area, founding.level, one.name, one.parent))
        return self._events

    def _close(self, closing: bodies.Closing) -> None:
        body = closing.body
        self._add(
            body.issuer_id,
            lambda place: IssuerClosed(**place, successors=closing.successors, effective_at=closing.at),
        )
        for heir in closing.successors:
            fields = tuple(sorted(become_own(body, self._known[heir], self._plan.before)))
            self._add(
                heir,
                lambda place, fields=fields: IssuerSucceeded(
                    **place, predecessor=body.issuer_id, effective_at=closing.at, fields=fields
                ),
            )

    def _move(self, name: str, seat: Seat) -> None:
        edition = self._plan.after.name
        self._add(name, lambda place: IssuerMoved(**place, edition=edition, **seat._asdict()))

    def _add(self, name: str, make: Callable[[dict[str, Any]], IssuerEvent]) -> None:
        body = self._known[name]
        event = make(
            {
                "originator_id": issuer_stream(name),
                "originator_version": body.version + 1,
                "by": self._by,
                "issuer_id": name,
            }
        )
        self._known[name] = Issuer.fold(body, event)
        self._events.append(event)


def become_own(body: Issuer, heir: Issuer, edition: Edition) -> frozenset[str]:
    """The fields of a body that its heir may use in its own area: none where that is the wider one.

    So nobody gains a right that neither had. What the body might say in its own area is inherited
    besides (see delegation.py).
    """
    tree, seat = edition.tree, heir.seat(edition.name)
    return body.fields if seat is not None and body.reaches(seat, tree) else frozenset()
