"""What the API answers about areas, bodies and screens."""

from datetime import time
from typing import Annotated
from uuid import UUID

from pydantic import Field

from broadcaster.issuer import Issuer
from broadcaster.screens.sightings import Contact
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.feeds.polls import ServedCount
from broadcaster.web.screen_list import Listed, Wanted
from schemas.areas import Area, AreaTree
from schemas.content import AreaCode
from schemas.events import IssuerContact, ScreenKind
from schemas.requests import Body


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
    contact: Contact
    offline_since: Instant | None
    """The alarm: it is silent within its hours, for more than five minutes."""
    faults: int
    opens: time | None
    closes: time | None
    kind: ScreenKind | None


class ScreenPage(Answer):
    """The screens within a body's area."""

    screens: list[ScreenAnswer]
    found: int
    """On all pages together."""
    next: UUID | None
    """Where the next page begins: pass it as `after`."""


class ScreensWanted(Body):
    """Which screens; without any of it, all."""

    words: Annotated[str, Field(max_length=100, description="In its name, or that of its area.")] = ""
    state: Contact | None = None
    area: Annotated[AreaCode | None, Field(description="There and below.")] = None
    kind: ScreenKind | None = None
    group: UUID | None = None
    faulty: Annotated[bool, Field(description="Only those that say they have faults.")] = False
    after: Annotated[UUID | None, Field(description="The `next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000

    @property
    def asked(self) -> Wanted:
        """As lists know it."""
        return Wanted(
            self.words, self.state or "", self.area or "", self.kind or "", self.group, self.faulty
        )


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


def screen_answer(listed: Listed, count: ServedCount) -> ScreenAnswer:
    """A screen with its polls."""
    screen = listed.screen
    return ScreenAnswer(
        id=screen.id,
        name=screen.name,
        area=screen.area,
        profile=screen.profile,
        drills=screen.drills,
        since=screen.since,
        last_seen=listed.sighting.last_seen,
        polls=count.polls,
        unchanged=count.unchanged,
        contact=listed.contact,
        offline_since=listed.sighting.offline_since,
        faults=listed.sighting.faults,
        opens=screen.hours.opens,
        closes=screen.hours.closes,
        kind=listed.control.kind,
    )
