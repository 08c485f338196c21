"""The commands on templates: writing, approving and retiring them, and drafting alerts from them."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Unpack
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.area_set import known_areas
from broadcaster.commands.area_sets import How
from broadcaster.commands.template_limits import check_correction
from broadcaster.drafting.limits import Limits
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.template import Template
from schemas.events import Actor, TemplateEvent
from schemas.ids import stream_id
from schemas.template import Purpose, TemplateBody

WRITERS = (Role.AUTHOR, Role.MANAGER)
APPROVERS = (Role.APPROVER,)
RETIRERS = (Role.APPROVER, Role.MANAGER)


class Saved(NamedTuple):
    """What is saved of a version."""

    name: str
    purpose: Purpose
    body: TemplateBody


class TemplateCommands:
    """What members of a body do with its templates."""

    def __init__(self, office: Office, limits: Limits) -> None:
        self._office, self._limits = office, limits

    def begin(
        self, by: Actor, issuer_id: str, text: Saved, *, at: datetime, once: Once | None = None
    ) -> Template:
        """Saves a new template. Raises RefusedError, and UnknownStreamError where there is no such body."""
        office = self._office
        template_id = stream_id("template", issuer_id, once.account, once.key) if once else uuid4()

        def decide() -> TemplateEvent:
            office.account(by.account).check(issuer_id, *WRITERS)
            office.issuer(issuer_id)
            check_body(office, text.body, at)
            return Template.begin(
                by, template_id, issuer_id, text.name, purpose=text.purpose, body=text.body
            )

        with office.refusals(by, "save template", at, issuer_id=issuer_id):
            what = f"template {template_id} is"
            return deciding.begin(office.log, Template.fold, decide, at=at, once=once, what=what)

    def save(
        self, by: Actor, template_id: UUID, text: Saved, *, at: datetime, **how: Unpack[How]
    ) -> Template:
        """Saves the next version, whole."""

        def decide(known: Template) -> TemplateEvent:
            check_body(self._office, text.body, at)
            return known.save(by, *text)

        return self._change("save template", by, template_id, WRITERS, decide, at=at, **how)

    def approve(
        self, by: Actor, template_id: UUID, number: int, *, at: datetime, **how: Unpack[How]
    ) -> Template:
        """Approves the latest version, whose number the approver names, by another than its writers.

        A correction must hold to every limit now: it goes out later without anyone being asked again.
        """

        def decide(known: Template) -> TemplateEvent:
            approved = known.approve(by, number)
            check_correction(self._office, self._limits, known, at)
            return approved

        return self._change("approve template", by, template_id, APPROVERS, decide, at=at, **how)

    def retire(self, by: Actor, template_id: UUID, *, at: datetime, **how: Unpack[How]) -> Template:
        """Takes a template out of use."""
        return self._change(
            "retire template", by, template_id, RETIRERS, lambda known: known.retire(by), at=at, **how
        )

    def _change(
        self,
        command: str,
        by: Actor,
        template_id: UUID,
        roles: tuple[Role, ...],
        decide: Callable[[Template], TemplateEvent],
        *,
        at: datetime,
        **how: Unpack[How],
    ) -> Template:
        office = self._office
        issuer_id = office.template(template_id).issuer_id

        def checked(known: Template) -> TemplateEvent:
            office.account(by.account).check(issuer_id, *roles)
            return decide(known)

        with office.refusals(by, command, at, issuer_id=issuer_id):
            return deciding.change(
                office.log, office.template, Template.fold, template_id, checked, at=at, **how
            )


def check_body(office: Office, body: TemplateBody, at: datetime) -> None:
    """What a template can be told at once; the rest depends on who fills it, and is asked then."""
    category = office.categories.get(body.category)
    if category is None:
        raise RefusedError(Rule.UNKNOWN_CATEGORY, f"body.category: there is no {body.category}")
    if body.risk_level is not None and not category.natural_hazard:
        raise RefusedError(Rule.RISK_LEVEL, f"body.risk_level: {category.code} is not a natural hazard")
    longest = int(category.longest.total_seconds() // 3600)
    if body.lifetime_hours is not None and body.lifetime_hours > longest:
        raise RefusedError(
            Rule.EXPIRY,
            f"body.lifetime_hours: {body.lifetime_hours} hours, {longest} is the most for {category.code}",
        )
    if body.edition is not None:
        tree = office.edition(at).tree
        if body.edition != tree.edition:
            raise RefusedError(
                Rule.TEMPLATE, f"body.edition: {body.edition} is not in force, {tree.edition} is"
            )
        known_areas(body.areas, tree)
