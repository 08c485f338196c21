"""What the API answers about areas, bodies and screens."""

from datetime import time
from uuid import UUID

from pydantic import Field

from broadcaster.issuer import Issuer
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.polls import ServedCount
from schemas.areas import Area, AreaTree
from schemas.events import IssuerContact


class AreaAnswer(Answer):
    """One administrative unit; level 1 is the city."""

    code: str
    name: str
    kind: str
    level: int
    parent: str | None
    parent_name: str | None
    """Beside the name wherever that is told: names repeat within a city."""
    latitude: float | None
    longitude: float | None
    population: int | None


class AreaPage(Answer):
    """Areas of one edition, parents before children."""

    edition: str
    areas: list[AreaAnswer]


class AreaDetail(Answer):
    """An area with those above it, nearest first, and those directly below."""

    edition: str
    area: AreaAnswer
    above: list[AreaAnswer]
    below: list[AreaAnswer]


class NamedArea(Answer):
    """A name of the list, and the area that it means."""

    text: str
    area: AreaAnswer


class NamedAreas(Answer):
    """A name of the list, and the areas that it may mean."""

    text: str
    candidates: list[AreaAnswer]


class AreaMatches(Answer):
    """A list of names, parted by how sure it is which areas they mean; each part in the list's order."""

    edition: str
    matched: list[NamedArea]
    ambiguous: list[NamedAreas]
    unmatched: list[str]


class BodyAnswer(Answer):
    """An issuing body: its jurisdiction is the area and all below it, in its fields."""

    id: str
    name: str
    kind: str
    level: int
    area: str
    fields: list[str]
    """Category codes; "*" stands for every one."""
    parent: str | None
    contacts: list[IssuerContact]
    one_person_bulletins: bool
    """Whoever wrote a bulletin may also approve it; never an alert."""
    quiet_from: time | None
    """Local. Bulletins wait from then until `quiet_until`."""
    quiet_until: time | None
    closed_at: Instant | None
    """From then on its successors answer for it."""
    successors: list[str]
    answers_for: list[str]
    """The bodies it succeeds, or will."""


class BodyPage(Answer):
    """Issuing bodies."""

    bodies: list[BodyAnswer]


class ScreenCreated(Answer):
    """A screen with its key, which is not shown again."""

    screen_id: UUID
    name: str
    area: str
    profile: str
    drills: bool
    key: str = Field(repr=False)
    feed_url: str
    feed_key: str
    """The key that signs what screens are told, 32 bytes in base64."""


class ScreenAnswer(Answer):
    """A screen in service. The counts are of this web process since it started."""

    id: UUID
    name: str
    area: str
    profile: str
    drills: bool
    since: Instant
    last_seen: Instant | None
    polls: int
    unchanged: int


class ScreenPage(Answer):
    """The screens within a body's area."""

    screens: list[ScreenAnswer]


class ScreenReported(Answer):
    """How much of a report was new."""

    new: int


def area_answer(area: Area, tree: AreaTree) -> AreaAnswer:
    """An area of an edition."""
    above = area.parent_code and tree[area.parent_code].name
    facts = area.model_dump(exclude={"parent_code"})
    return AreaAnswer(parent=area.parent_code, parent_name=above, **facts)


def body_answer(body: Issuer) -> BodyAnswer:
    """A body."""
    return BodyAnswer(
        id=body.issuer_id,
        name=body.name,
        kind=body.kind,
        level=body.level,
        area=body.area,
        fields=sorted(body.fields),
        parent=body.parent,
        contacts=list(body.contacts),
        one_person_bulletins=body.policy.one_person_bulletins,
        quiet_from=body.policy.quiet_from,
        quiet_until=body.policy.quiet_until,
        closed_at=body.closed_at,
        successors=list(body.successors),
        answers_for=[one.predecessor for one in body.succeeded],
    )


def screen_answer(screen: PlacedScreen, count: ServedCount) -> ScreenAnswer:
    """A screen with its polls."""
    return ScreenAnswer(
        id=screen.id,
        name=screen.name,
        area=screen.area,
        profile=screen.profile,
        drills=screen.drills,
        since=screen.since,
        last_seen=count.last_seen,
        polls=count.polls,
        unchanged=count.unchanged,
    )
