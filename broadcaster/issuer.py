"""Issuing bodies: who may speak about what, and where ("theo thẩm quyền, lĩnh vực quản lý")."""

from dataclasses import dataclass

from broadcaster.rules import Refusal, RefusedError, Rule
from schemas.areas import AreaTree, UnknownAreaError
from schemas.content import Content
from schemas.events import Actor, IssuerRegistered
from schemas.ids import issuer_stream

EVERY_FIELD = "*"


@dataclass(frozen=True)
class Issuer:
    """One issuing body: its jurisdiction is an area and all below it, in its fields."""

    issuer_id: str
    version: int
    name: str
    kind: str
    level: int
    area: str
    fields: frozenset[str]
    parent: str | None

    @staticmethod
    def fold(state: "Issuer | None", event: IssuerRegistered) -> "Issuer":
        """The body after the event."""
        del state
        return Issuer(
            event.issuer_id,
            event.originator_version,
            event.name,
            event.kind,
            event.level,
            event.area,
            frozenset(event.fields),
            event.parent,
        )

    @staticmethod
    def register(
        by: Actor,
        issuer_id: str,
        *,
        name: str,
        kind: str,
        level: int,
        area: str,
        fields: tuple[str, ...],
        parent: str | None,
    ) -> IssuerRegistered:
        """A new body. That its id is free is held by the stream's version."""
        return IssuerRegistered(
            originator_id=issuer_stream(issuer_id),
            originator_version=1,
            by=by,
            issuer_id=issuer_id,
            name=name,
            kind=kind,
            level=level,
            area=area,
            fields=fields,
            parent=parent,
        )

    def has_field(self, category: str) -> bool:
        """Whether the category is among its own fields."""
        return EVERY_FIELD in self.fields or category in self.fields

    def may(self, content: Content, tree: AreaTree) -> Refusal | None:
        """What its own rights say against the content: its fields, its area (telegram 05 §1d, §8b)."""
        if not self.has_field(content.category):
            return Refusal(
                Rule.FIELD, f"category {content.category} is not among the fields of {self.issuer_id}"
            )
        for code in content.areas:
            try:
                within = tree.covers(self.area, code)
            except UnknownAreaError as error:
                return Refusal(Rule.UNKNOWN_AREA, f"areas: {error}")
            if not within:
                return Refusal(
                    Rule.AREA, f"area {code} lies outside {self.area}, the area of {self.issuer_id}"
                )
        return None

    def check_authority(self, content: Content, tree: AreaTree) -> None:
        """Refuses content outside the body's own rights; what is delegated to it is in delegation.py."""
        refusal = self.may(content, tree)
        if refusal is not None:
            raise RefusedError(*refusal)
