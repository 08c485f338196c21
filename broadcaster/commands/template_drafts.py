"""Drafting from a template: its gaps filled, its areas found, and from there on a draft like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from broadcaster.alert import Alert
from broadcaster.area_set import check_edition
from broadcaster.commands.alerts import AlertCommands
from broadcaster.issuer import Issuer
from broadcaster.log import Once, UnknownStreamError
from broadcaster.office import Office
from broadcaster.office.shelf import Shelf, shelves
from broadcaster.rules import RefusedError, Rule
from broadcaster.template import Template
from channels.sms.segments import plain
from schemas.content import Content, Kind, Mode
from schemas.events import Actor
from schemas.local_time import HANOI


@dataclass(frozen=True)
class Given:
    """What the author gives to a template."""

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    areas: Sequence[str] = ()
    area_set: UUID | None = None
    expires_at: datetime | None = None
    version: int | None = None
    """Of the template; the latest where none is named."""
    mode: Mode = Mode.ACTUAL


class TemplateDrafts:
    """Begins alerts from templates."""

    def __init__(self, office: Office, alerts: AlertCommands, shelf: Shelf) -> None:
        self._office, self._alerts, self._shelf = office, alerts, shelf

    def draft(
        self,
        by: Actor,
        issuer_id: str,
        template_id: UUID,
        given: Given,
        *,
        at: datetime,
        once: Once | None = None,
    ) -> Alert:
        """Fills a template that the body may use, and drafts it.

        Areas are those given, else those of the set, else the template's own. Raises RefusedError, and
        UnknownStreamError where the body has no such template.
        """
        first = self._first(once)
        if first is not None:
            return first
        content = self.filled(by, issuer_id, template_id, given, at=at)
        return self._alerts.draft(by, issuer_id, content, at=at, once=once)

    def filled(
        self, by: Actor, issuer_id: str, template_id: UUID, given: Given, *, at: datetime
    ) -> Content:
        """What `draft` would draft, for a form that someone goes on writing. Raises likewise."""
        with self._office.refusals(by, "draft from template", at, issuer_id=issuer_id):
            template = self._usable(issuer_id, template_id, at)
            return self._content(self._office.body(issuer_id, at), template, given, at)

    def nothing_to_report(
        self, by: Actor, issuer_id: str, given: Given, *, at: datetime, once: Once | None = None
    ) -> Alert:
        """Drafts the bulletin that answers a reminder, from the nearest template for it.

        To the body's own area where none is given, and in the first of its own fields where the
        template's category is not among them.
        """
        first = self._first(once)
        if first is not None:
            return first
        with self._office.refusals(by, "draft nothing to report", at, issuer_id=issuer_id):
            issuer = self._office.body(issuer_id, at)
            template = self._for_nothing(issuer_id, at)
            if not given.areas and given.area_set is None and not template.latest.body.areas:
                given = Given(given.values, (issuer.area,), None, given.expires_at, mode=given.mode)
            content = self._content(issuer, template, given, at)
            if not issuer.has_field(content.category) and issuer.fields:
                content = content.model_copy(update={"category": min(issuer.fields)})
        return self._alerts.draft(by, issuer_id, content, at=at, once=once)

    def _first(self, once: Once | None) -> Alert | None:
        # Asked before the template is read: it may have changed since, the first answer has not.
        made = self._office.log.recall(once) if once else None
        return self._office.alert(made[0], upto=made[1]) if made else None

    def _usable(self, issuer_id: str, template_id: UUID, at: datetime) -> Template:
        template = self._office.template(template_id)
        if template.issuer_id not in shelves(self._office, issuer_id, at):
            raise UnknownStreamError(f"{issuer_id} has no template {template_id}")
        return template

    def _for_nothing(self, issuer_id: str, at: datetime) -> Template:
        every = self._shelf.templates().values()
        for body in shelves(self._office, issuer_id, at):
            for each in reversed([each for each in every if each.issuer_id == body]):
                latest = each.latest
                if (
                    latest.purpose == "nothing_to_report"
                    and latest.body.kind is Kind.BULLETIN
                    and not each.retired
                ):
                    return each
        raise RefusedError(
            Rule.TEMPLATE, f"neither {issuer_id} nor a body above it has a template for nothing to report"
        )

    def _content(self, issuer: Issuer, template: Template, given: Given, at: datetime) -> Content:
        number = given.version or template.latest.number
        try:
            version = template.at(number)
        except LookupError:
            raise RefusedError(
                Rule.TEMPLATE, f"version: there is no {number}, {template.latest.number} is the latest"
            ) from None
        body = version.body
        own = known_values(issuer, at)
        asked = {each.name for each in body.fields}
        expires_at = given.expires_at
        if expires_at is None and body.lifetime_hours is not None:
            expires_at = at + timedelta(hours=body.lifetime_hours)
        return template.fill(
            {name: value for name, value in own.items() if name in asked} | dict(given.values),
            areas=self._areas(issuer.issuer_id, template, number, given, at),
            expires_at=expires_at,
            plain=plain,
            number=number,
            mode=given.mode,
        )

    def _areas(
        self, issuer_id: str, template: Template, number: int, given: Given, at: datetime
    ) -> Sequence[str]:
        if given.areas:
            return given.areas
        tree = self._office.edition(at).tree
        if given.area_set is not None:
            found = self._office.area_set(given.area_set)
            if found.issuer_id not in shelves(self._office, issuer_id, at):
                raise UnknownStreamError(f"{issuer_id} has no area set {given.area_set}")
            return found.filled_in(tree)
        body = template.at(number).body
        if body.edition is not None:
            check_edition("areas", body.edition, tree)
        return body.areas


def known_values(issuer: Issuer, at: datetime) -> dict[str, str]:
    """What need not be asked: the body's name, and the local day and hour. Given values come first."""
    local = at.astimezone(HANOI)
    return {
        "don_vi": issuer.name,
        "ngay": f"{local.day}/{local.month}/{local.year}",
        "gio": f"{local:%H:%M}",
    }
