"""A template of a body: the versions of a text with gaps, and who stands behind each.

Every save is a version, and what was saved stays readable. A version is approved by someone who wrote
nothing of it: neither that version nor one that it grew from since the last approval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from broadcaster.filling import fill
from broadcaster.rules import RefusedError, Rule
from schemas.content import Content, Mode
from schemas.events import Actor, TemplateApproved, TemplateEvent, TemplateRetired, TemplateSaved
from schemas.template import Purpose, TemplateBody


@dataclass(frozen=True)
class TemplateVersion:
    """One saved text."""

    number: int
    name: str
    purpose: Purpose
    body: TemplateBody
    saved_by: str
    approved_by: str | None = None


@dataclass(frozen=True)
class Template:
    """A template after `version` events; the latest of its `versions` is what authors are offered."""

    id: UUID
    version: int
    issuer_id: str
    versions: tuple[TemplateVersion, ...]
    retired: bool = False

    @staticmethod
    def fold(state: "Template | None", event: TemplateEvent) -> "Template":
        """The template after the event."""
        if isinstance(event, TemplateSaved):
            saved = TemplateVersion(event.version, event.name, event.purpose, event.body, event.by.account)
            before = state.versions if state else ()
            return Template(
                event.originator_id, event.originator_version, event.issuer_id, (*before, saved)
            )
        assert state is not None, "a template begins with its first version"
        return replace(state.after(event), version=event.originator_version)

    def after(self, event: TemplateApproved | TemplateRetired) -> "Template":
        """The template after an event that is no new text."""
        match event:
            case TemplateApproved(version=number):
                approved = tuple(
                    replace(each, approved_by=event.by.account) if each.number == number else each
                    for each in self.versions
                )
                return replace(self, versions=approved)
            case TemplateRetired():
                return replace(self, retired=True)

    @property
    def latest(self) -> TemplateVersion:
        """What was saved last."""
        return self.versions[-1]

    @property
    def approved(self) -> TemplateVersion | None:
        """The last version that was approved; None where none was."""
        return next((each for each in reversed(self.versions) if each.approved_by), None)

    def at(self, number: int) -> TemplateVersion:
        """The version of that number. Raises LookupError."""
        if not 1 <= number <= len(self.versions):
            raise LookupError(f"template {self.id} has no version {number}")
        return self.versions[number - 1]

    def writers(self, number: int) -> frozenset[str]:
        """Who had a hand in a version: all who saved since the version that was approved before it."""
        found: set[str] = set()
        for each in self.versions[:number]:
            found.add(each.saved_by)
            if each.approved_by and each.number < number:
                found.clear()
        return frozenset(found)

    @staticmethod
    def begin(
        by: Actor, template_id: UUID, issuer_id: str, name: str, *, purpose: Purpose, body: TemplateBody
    ) -> TemplateSaved:
        """A new template, its version 1."""
        return TemplateSaved(
            originator_id=template_id,
            originator_version=1,
            by=by,
            template_id=template_id,
            issuer_id=issuer_id,
            version=1,
            name=name,
            purpose=purpose,
            body=body,
        )

    def save(self, by: Actor, name: str, purpose: Purpose, body: TemplateBody) -> TemplateSaved:
        """The next version, whole. It is not approved, whatever the one before was."""
        self.check_offered()
        return TemplateSaved(
            originator_id=self.id,
            originator_version=self.version + 1,
            by=by,
            template_id=self.id,
            issuer_id=self.issuer_id,
            version=self.latest.number + 1,
            name=name,
            purpose=purpose,
            body=body,
        )

    def approve(self, by: Actor, number: int) -> TemplateApproved:
        """Approves the latest version, by another than its writers; `number` is the one that was read."""
        self.check_offered()
        if number != self.latest.number:
            raise RefusedError(
                Rule.STATE, f"version: {number} is not the latest, which is {self.latest.number}"
            )
        if self.latest.approved_by is not None:
            raise RefusedError(Rule.STATE, f"version {number} is approved by {self.latest.approved_by}")
        if by.account in self.writers(number):
            raise RefusedError(
                Rule.FOUR_EYES, f"{by.account} wrote of version {number}; another must approve"
            )
        return TemplateApproved(
            originator_id=self.id,
            originator_version=self.version + 1,
            by=by,
            template_id=self.id,
            version=number,
        )

    def retire(self, by: Actor) -> TemplateRetired:
        """Takes it out of use; what was drafted from it stands."""
        self.check_offered()
        return TemplateRetired(
            originator_id=self.id, originator_version=self.version + 1, by=by, template_id=self.id
        )

    def check_offered(self) -> None:
        """Refuses what was retired."""
        if self.retired:
            raise RefusedError(Rule.STATE, f"template {self.id} is retired")

    def fill(
        self,
        values: Mapping[str, str],
        *,
        areas: Sequence[str],
        expires_at: datetime | None,
        plain: Callable[[str], str],
        number: int | None = None,
        mode: Mode = Mode.ACTUAL,
    ) -> Content:
        """An alert's content from a version (the latest, unless numbered). See `filling.fill`."""
        self.check_offered()
        body = (self.latest if number is None else self.at(number)).body
        return fill(body, values, areas=areas, expires_at=expires_at, plain=plain, mode=mode)
