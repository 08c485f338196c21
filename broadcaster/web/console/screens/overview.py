"""Screens within the areas of the visitor's bodies: seen when, showing what; put up and taken down."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.keys.rows import KeyKind
from broadcaster.log import ConflictError, Once
from broadcaster.rules import RefusedError
from broadcaster.screens.sightings import Contact
from broadcaster.web import screen_list
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import show
from broadcaster.web.console.screens import showing
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.feeds.known_screens import ACCOUNT
from broadcaster.web.feeds.polls import FEED_PATH
from broadcaster.web.services import Services, WithServices
from schemas.displays import DISPLAYS
from schemas.events import ScreenKind

router = APIRouter(prefix="/console/screens", include_in_schema=False)

PAGE = 24
LONGEST_NAME = 120
State = Literal["", "online", "late", "offline", "closed", "never"]


class Wanted(BaseModel):
    """Which screens."""

    model_config = ConfigDict(extra="ignore")

    words: Annotated[str, Field(max_length=100)] = ""
    state: State = ""
    area: Annotated[str, Field(max_length=20)] = ""
    kind: Annotated[str, Field(pattern="^(street|office|residential|mall)?$")] = ""
    group: Annotated[str, Field(pattern="^([0-9a-f-]{36})?$")] = ""
    faulty: Annotated[str, Field(pattern="^1?$")] = ""
    page: Annotated[int, Field(ge=1, le=10_000)] = 1

    @property
    def asked(self) -> screen_list.Wanted:
        """As lists know it."""
        group = UUID(self.group) if self.group else None
        return screen_list.Wanted(
            self.words, self.state, self.area, self.kind, group, faulty=bool(self.faulty)
        )

    def query(self, page: int) -> str:
        """The address of another page of the same."""
        return urlencode(self.model_dump(exclude_defaults=True) | {"page": page})


@dataclass(frozen=True)
class Made:
    """A screen that was just put up; its key is shown this once, empty where it was shown before."""

    name: str
    key: str
    feed_url: str


@router.get("")
def screens_page(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """By name."""
    visitor.require_somewhere(*Role)
    return _list(request, services, visitor, wanted)


@router.post("")
def put_up(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Puts a screen up. A form that comes twice makes one screen, and shows no second key."""
    body = form.one("body")
    visitor.require(body, Role.MANAGER)
    faults = _faults(services, visitor, form)
    made: Made | None = None
    if not faults:
        try:
            made = _registered(services, visitor, form, body)
        except RefusedError as refusal:
            faults = [Fault("area", refusal.rule.value)]
        except ConflictError:
            faults = [Fault("", "moved-on")]
    return _list(request, services, visitor, Wanted(), tuple(faults), made, form)


def _faults(services: Services, visitor: Visitor, form: Form) -> list[Fault]:
    faults: list[Fault] = []
    name = form.one("name")
    if not name:
        faults.append(Fault("name", "missing"))
    elif len(name) > LONGEST_NAME:
        faults.append(Fault("name", "long", LONGEST_NAME))
    elif not name.isprintable():
        faults.append(Fault("name", "line"))
    if form.one("profile") not in DISPLAYS:
        faults.append(Fault("profile", "invalid"))
    if form.one("area") not in services.tree():
        faults.append(Fault("area", "content.unknown-area"))
    if wrong := second_factor.fault(services, visitor, form):
        faults.append(Fault("code", f"code-{wrong}"))
    return faults


def _registered(services: Services, visitor: Visitor, form: Form, body: str) -> Made:
    ports, now, fresh = services.ports, services.now(), uuid4()
    told = {name: form.one(name) for name in ("name", "area", "profile")}
    digest = hashlib.sha256(repr((body, sorted(told.items()))).encode()).digest()
    screen = ports.setup.register_screen(
        visitor.by(body),
        fresh,
        **told,
        drills=form.ticked("drills"),
        at=now,
        once=Once(visitor.name, f"console screen {form.one('nonce')[:60]}", digest),
    )
    key = ""
    if screen.id == fresh:
        _, key = ports.keys.create(f"{ACCOUNT}{screen.id}", None, KeyKind.SCREEN, now)
    services.cache.refresh()
    return Made(screen.name, key, f"{ports.base_url}{FEED_PATH}")


def _list(
    request: Request,
    services: Services,
    visitor: Visitor,
    wanted: Wanted,
    faults: tuple[Fault, ...] = (),
    made: Made | None = None,
    form: Form | None = None,
) -> Response:
    every = screen_list.within(services, visitor.bodies())
    found = screen_list.matching(services, every, wanted.asked)
    states = Counter(each.contact for each in every)
    start = (wanted.page - 1) * PAGE
    managed = visitor.bodies(Role.MANAGER)
    typed = form if form is not None and faults else Form({})
    chosen = typed.one("body") or (managed[0] if managed else "")
    return show(
        request,
        visitor,
        "screens.html",
        here="screens",
        status=422 if faults else 200,
        path="/console/screens",
        wanted=wanted,
        faults=faults,
        made=made,
        counts={each.value: states[each] for each in Contact},
        alarms=states[Contact.OFFLINE],
        found=len(found),
        sights=[showing.sight(services, each) for each in found[start : start + PAGE]],
        kinds=list(ScreenKind),
        areas=sorted(
            {(each.screen.area, each.place) for each in every}, key=lambda at: screen_list.folded(at[1])
        ),
        groups=sorted(
            (group for group in services.book.groups().values() if not group.retired),
            key=lambda group: screen_list.folded(group.name),
        ),
        more=len(found) > start + PAGE,
        bodies=[(body, services.directory.body_name(body)) for body in managed],
        places=tuple(_places(services, managed)),
        fragments=services.fragments,
        profiles=list(DISPLAYS),
        typed=typed,
        chosen=chosen,
        nonce=uuid4(),
    )


def _places(services: Services, managed: tuple[str, ...]) -> list[tuple[str, str]]:
    """Where the visitor may put one up; areas of one name are told apart by the one above."""
    tree = services.tree()
    bodies = [found for body in managed if (found := services.body(body))]
    named: list[tuple[str, str]] = []
    for area in tree:
        if any(body.reaches(area.code, tree) for body in bodies):
            above = f", {tree[area.parent_code].name}" if area.parent_code and area.level > 2 else ""  # noqa: PLR2004
            named.append((area.code, f"{area.name}{above}"))
    return sorted(named, key=lambda each: screen_list.folded(each[1]))
