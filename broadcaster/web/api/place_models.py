"""What the API answers about areas, bodies and screens."""

from uuid import UUID

from pydantic import Field

from broadcaster.issuer import Issuer
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.polls import ServedCount
from schemas.areas import Area


class AreaAnswer(Answer):
    """One administrative unit; level 1 is the city."""

    code: str
    name: str
    kind: str
    level: int
    parent: str | None
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


class BodyPage(Answer):
    """Issuing bodies."""

    bodies: list[BodyAnswer]


class ScreenCreated(Answer):
    """A screen with its key, which is not shown again."""

    screen_id: UUID
    name: str
    area: str
    profile: str
    key: str = Field(repr=False)
    feed_url: str


class ScreenAnswer(Answer):
    """A screen in service. The counts are of this web process since it started."""

    id: UUID
    name: str
    area: str
    profile: str
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


def area_answer(area: Area) -> AreaAnswer:
    """An area."""
    return AreaAnswer(parent=area.parent_code, **area.model_dump(exclude={"parent_code"}))


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
    )


def screen_answer(screen: PlacedScreen, count: ServedCount) -> ScreenAnswer:
    """A screen with its polls."""
    return ScreenAnswer(
        id=screen.id,
        name=screen.name,
        area=screen.area,
        profile=screen.profile,
        since=screen.since,
        last_seen=count.last_seen,
        polls=count.polls,
        unchanged=count.unchanged,
    )
