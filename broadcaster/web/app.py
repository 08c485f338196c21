"""The application: the front around the guard around FastAPI."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client.core import Metric
from starlette.concurrency import run_in_threadpool

from broadcaster.commands.access import AccessCommands
from broadcaster.office.shelf import Shelf
from broadcaster.registry.coverage import CoverageCount
from broadcaster.screens.book import ScreenBook
from broadcaster.screens.commands import ScreenCommands
from broadcaster.screens.desk import ScreenDesk
from broadcaster.screens.pairing import Pairings
from broadcaster.screens.plays import Plays
from broadcaster.screens.seen import Seen
from broadcaster.screens.sightings import Sightings
from broadcaster.screens.signing import Nonces
from broadcaster.topics import figures as topic_figures
from broadcaster.web import docs, handlers, pages, player_page, scorecard
from broadcaster.web.api import (
    access,
    accounting,
    alert_actions,
    alerts,
    area_sets,
    areas,
    as_of,
    attachments,
    audit,
    bodies,
    cadence,
    cadence_terms,
    canary,
    cap,
    cap_feeds,
    datex,
    dead_letters,
    delegations,
    devices,
    frames,
    health,
    keys,
    pairing,
    preflight,
    reach,
    recount,
    screen_control,
    screen_own,
    screens,
    sms_budget,
    system,
    templates,
    testers,
    warnings,
)
from broadcaster.web.citizen.routers import ROUTERS as CITIZEN_ROUTERS
from broadcaster.web.console import trouble
from broadcaster.web.console.doors import lapsed
from broadcaster.web.console.doors.turns import Turns
from broadcaster.web.console.form import StaleFormError
from broadcaster.web.console.repeats import Repeats
from broadcaster.web.console.routers import ROUTERS as CONSOLE_ROUTERS
from broadcaster.web.console.visitor import SignInRequiredError, find
from broadcaster.web.copies.desk import Copies
from broadcaster.web.copies.news import News
from broadcaster.web.directory import Directory
from broadcaster.web.edge.desk import Desk
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.forms import FeedForms
from broadcaster.web.feeds.front import Front
from broadcaster.web.feeds.polls import ServedCount
from broadcaster.web.fragments import Fragments
from broadcaster.web.guard import Guard
from broadcaster.web.intake import Intake
from broadcaster.web.key_gate import KeyGate
from broadcaster.web.live.beside import Requested
from broadcaster.web.live.hub import Hub
from broadcaster.web.live.sight import scope_of
from broadcaster.web.monitoring import figures
from broadcaster.web.monitoring.lookout import Lookout
from broadcaster.web.monitoring.metrics import Figures, Metrics
from broadcaster.web.monitoring.pulse import Pulse
from broadcaster.web.openapi import DESCRIPTION, TAGS
from broadcaster.web.overview import Overview
from broadcaster.web.page_cache import PageCache
from broadcaster.web.ports import WebPorts
from broadcaster.web.services import Services, canary_late, standings

_ROUTERS = (
    cap.router,  # before alerts: its address ends like one of theirs
    cap_feeds.router,
    alerts.router,
    alert_actions.router,
    warnings.router,
    attachments.router,
    reach.router,
    accounting.router,
    preflight.router,
    dead_letters.router,
    areas.router,
    templates.router,
    area_sets.router,
    bodies.router,
    sms_budget.router,
    delegations.router,
    access.router,
    keys.router,
    devices.router,
    testers.router,
    pairing.router,
    screens.router,
    screen_own.router,
    datex.router,
    screen_control.router,  # after screen_own: `me` is no screen's id
    cadence_terms.router,  # before cadence: a body's address is any word
    cadence_terms.public_router,
    frames.router,
    cadence.router,
    audit.router,
    as_of.router,
    recount.router,
    canary.router,
    health.router,
    system.router,
    pages.router,
    scorecard.router,
    player_page.router,
    docs.router,
)


def create_app(ports: WebPorts) -> Front:
    """The ASGI application. Its lifespan follows the feeds; without it call `cache.refresh()`."""
    services = _services(ports)
    app = FastAPI(
        title="Hanoi alerts",
        version="1",
        description=DESCRIPTION.strip(),
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_following(services.cache, services.seen, services.copies.news),
        generate_unique_id_function=_operation_id,
    )
    app.state.services = services
    handlers.install(app, trouble.answer)
    app.add_exception_handler(SignInRequiredError, lapsed.signed_out)
    app.add_exception_handler(StaleFormError, lapsed.stale)
    routers = (*_ROUTERS, *CITIZEN_ROUTERS, *CONSOLE_ROUTERS)
    for router in routers:
        app.include_router(router)
    routes = [*app.routes, *(route for router in routers for route in router.routes)]
    paths = [str(getattr(route, "path", "/")) for route in routes]
    services.copies.rooms = frozenset(path.split("/", 2)[1] for path in paths)
    app.add_middleware(Repeats, is_signed_in=lambda request: find(services, request) is not None)
    guard = Guard(app, services.metrics.observe)
    desk = Desk(services.cache, services.forms, ports.clock, services.served)
    desk.refused = services.refused
    front = Front(
        guard, services.cache, ports.clock, services.served, services.nonces, desk, services.copies
    )
    front.closing = services.hub.close
    return front


def _services(ports: WebPorts) -> Services:
    directory = Directory(ports.log)
    served: dict[UUID, ServedCount] = {}
    refused: Counter[str] = Counter()
    pairings = Pairings(ports.pool)
    book = ScreenBook(ports.log)
    seen = Seen(ports.pool, served, ports.clock)
    access = AccessCommands(ports.pool, ports.office, ports.desk.accounts, ports.keys)
    more: list[Callable[[], Iterable[Metric]]] = [lambda: topic_figures.families(ports.pool, ports.clock())]
    made = Services(
        ports=ports,
        directory=directory,
        metrics=Metrics(
            Figures(
                ports.log.head,
                partial(standings, ports),
                lambda: served,
                partial(canary_late, ports),
                refused=lambda: refused,
                screens=lambda: seen.counts,
                more=more,
            )
        ),
        cache=FeedCache(ports.pool, ports.keys, directory, ports.feed_key.sign, ports.clock, book),
        forms=FeedForms(ports.pool, ports.feed_key.sign),
        pages=PageCache(),
        copies=Copies(ports.pool, ports.clock, ports.base_url),
        served=served,
        shelf=Shelf(ports.log),
        coverage=CoverageCount(ports.pool, lambda: ports.office.edition(ports.clock()).tree),
        overview=Overview(ports.pool, ports.cadence),
        pairings=pairings,
        screens=ScreenCommands(ports.pool, ports.office, ports.setup, pairings, ports.keys),
        nonces=Nonces(),
        gate=KeyGate(),
        intake=Intake(),
        pulse=Pulse(ports.health),
        book=book,
        screen_desk=ScreenDesk(ports.office, directory.screens),
        sightings=Sightings(ports.pool, served),
        seen=seen,
        plays=Plays(ports.pool, ports.log.has),
        hub=Hub(
            ports.pool,
            ports.desk.sessions,
            lambda account: scope_of(ports.office.account(account)),
            ports.clock,
            Requested(access),
        ),
        refused=refused,
        access=access,
        fragments=Fragments(),
        engines=Lookout(ports.health),
        lanes=Lookout(ports.lanes),
        turns=Turns(),
    )
    # What they read is what is made here.
    more.append(partial(figures.families, made))
    return made


def _following(cache: FeedCache, seen: Seen, news: News):  # noqa: ANN202 (FastAPI's own type of a lifespan)
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        cache.start()
        seen.start()
        news.start()
        yield
        await run_in_threadpool(news.stop)
        await run_in_threadpool(seen.stop)
        await run_in_threadpool(cache.stop)

    return lifespan


def _operation_id(route: APIRoute) -> str:
    return "-".join([*map(str, route.tags[:1]), route.name.replace("_", "-")])
