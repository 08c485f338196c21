"""Trying a reorganisation, and applying it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.atlas import Atlas
from broadcaster.office import Office, deciding
from broadcaster.registry.move import forecast
from broadcaster.reorganisation import template_moving
from broadcaster.reorganisation.area_set_moving import carried
from broadcaster.reorganisation.description import Reorganisation
from broadcaster.reorganisation.foreseeing import report
from broadcaster.reorganisation.plan import Plan, events, plan
from broadcaster.reorganisation.report import Report
from broadcaster.reorganisation.standing import Standing
from schemas.events import Actor, Event


class ReorganisationCommands:
    """What the operator does when the areas of the city are drawn anew."""

    def __init__(self, pool: ConnectionPool[Any], office: Office) -> None:
        self._pool, self._office = pool, office

    def is_adopted(self, said: Reorganisation) -> bool:
        """Whether it was applied before."""
        return any(edition.name == said.edition for edition in self._office.register().editions)

    def try_out(self, said: Reorganisation, at: datetime) -> Report:
        """What it would do; nothing is changed. Raises DescriptionError."""
        standing = Standing.read(self._office.log, at)
        return self._report(plan(said, self._office.register(), standing.bodies), standing, at)

    def apply(self, said: Reorganisation, by: Actor, at: datetime) -> Report:
        """Records it, all or nothing, and answers what it does; subscribers are moved by the mover.

        Screens, saved sets of areas and templates that can be are brought to it in the same transaction
        where it is in force already, else by the mover on the day. Raises DescriptionError.
        """
        office = self._office

        def attempt() -> Report:
            ground = office.log.ground(deciding.GROUND)
            standing = Standing.read(office.log, at)
            register = office.register()
            planned = plan(said, register, standing.bodies)
            told = self._report(planned, standing, at)
            made: list[Event] = events(planned, register, standing.bodies, by)
            if told.in_force:
                made += _at_once(self._atlas(planned), standing, by, said.edition)
            office.log.append(made, at=at, ground=ground)
            return told

        return deciding.insist(attempt, "bodies, screens, area sets or templates are")

    def _atlas(self, planned: Plan) -> Atlas:
        register = self._office.register()
        return Atlas(replace(register, editions=(*register.editions, planned.after)))

    def _report(self, planned: Plan, standing: Standing, at: datetime) -> Report:
        people = forecast(self._pool, planned.before.tree, planned.after.tree, planned.after.successions)
        delegations = self._office.every_delegation().values()
        return report(planned, self._atlas(planned), standing, delegations, people=people, at=at)


def _at_once(atlas: Atlas, standing: Standing, by: Actor, edition: str) -> list[Event]:
    """What is in service and can be brought to the edition without asking anyone."""
    made: list[Event] = []
    for screen in standing.screens.values():
        became = atlas.whole(screen.area, screen.edition, edition)
        if became is not None:
            made.append(screen.move(by, became, edition))
    sets = (carried(atlas, known, edition) for known in standing.area_sets.values())
    made += [each.save(atlas, by, edition) for each in sets if each is not None]
    templates = (template_moving.carried(atlas, known, edition) for known in standing.templates.values())
    return made + [each.save(by) for each in templates if each is not None]
