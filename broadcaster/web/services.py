"""What a request handler is given: the ports, and what the web keeps in memory beside them."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Request
from psycopg import Connection

from broadcaster.account import Account, Role
from broadcaster.commands.access import AccessCommands
from broadcaster.issuer import Issuer
from broadcaster.log import at_once
from broadcaster.office.shelf import Shelf
from broadcaster.registry.coverage import CoverageCount
from broadcaster.rules import RefusedError, Rule
from broadcaster.screens.book import ScreenBook
from broadcaster.screens.commands import ScreenCommands
from broadcaster.screens.desk import ScreenDesk
from broadcaster.screens.pairing import Pairings
from broadcaster.screens.plays import Plays
from broadcaster.screens.seen import Seen
from broadcaster.screens.sightings import Sightings
from broadcaster.screens.signing import Nonces
from broadcaster.web.console.doors.turns import Turns
from broadcaster.web.copies.desk import Copies
from broadcaster.web.directory import Directory
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.forms import FeedForms
from broadcaster.web.feeds.polls import ServedCount
from broadcaster.web.fragments import Fragments
from broadcaster.web.intake import Intake
from broadcaster.web.key_gate import KeyGate
from broadcaster.web.live.hub import Hub
from broadcaster.web.monitoring.lookout import Lookout
from broadcaster.web.monitoring.metrics import Metrics
from broadcaster.web.monitoring.plant import LaneDepth
from broadcaster.web.monitoring.pulse import Pulse
from broadcaster.web.overview import Overview
from broadcaster.web.page_cache import PageCache
from broadcaster.web.ports import WebPorts
from projections import positions
from projections.canary import view as canary
from projections.canary.rule import State, silent
from projections.positions import Standing
from schemas.areas import AreaTree


@dataclass
class Services:
    """One for each application."""

    ports: WebPorts
    directory: Directory
    cache: FeedCache
    forms: FeedForms
    metrics: Metrics
    pages: PageCache
    copies: Copies
    served: dict[UUID, ServedCount]
    """The polls of each screen, as the front counts them."""
    shelf: Shelf
    coverage: CoverageCount
    overview: Overview
    pairings: Pairings
    screens: ScreenCommands
    nonces: Nonces
    gate: KeyGate
    """Before looks for keys that nobody knows."""
    intake: Intake
    pulse: Pulse
    book: ScreenBook
    screen_desk: ScreenDesk
    sightings: Sightings
    seen: Seen
    plays: Plays
    hub: Hub
    refused: Counter[str]
    """What screens, and boxes that want to be some, were refused, by reason."""
    access: AccessCommands
    fragments: Fragments
    engines: Lookout[Mapping[str, bool]]
    lanes: Lookout[Sequence[LaneDepth] | None]
    """What lies in them, for pages that must not wait for a transport that is away."""
    turns: Turns
    """At the console's door."""

    def now(self) -> datetime:
        """The time now, UTC."""
        return self.ports.clock()

    @contextmanager
    def reading(self) -> Generator[Connection[Any]]:
        """A connection for questions to views, each of which sees its own moment."""
        # As they would within one transaction here (read committed), but without opening and closing it.
        with at_once(self.ports.pool) as conn:
            yield conn

    def tree(self, edition: str | None = None) -> AreaTree:
        """The areas of an edition, or of the one in force. Raises LookupError."""
        office = self.ports.office
        if edition is None:
            return office.edition(self.now()).tree
        return office.register().edition(edition).tree

    def covering(self, area: str) -> dict[str, list[str]]:
        """By edition, the codes whose alerts are for this area of the one in force, as it is or was."""
        return self.ports.office.atlas().covering([area], self.tree().edition)

    def body(self, body_id: str | None) -> Issuer | None:
        """A body as it is now; None where there is none."""
        known = self.directory.bodies().get(body_id or "")
        return known and known.as_of(self.now(), self.tree().edition)

    def account(self, name: str) -> Account:
        """The account's roles now."""
        return self.ports.office.account(name)

    def require(self, account: str, body: str | None, role: Role) -> None:
        """Refuses an account without the role for the body. Raises RefusedError."""
        if body is None:
            raise RefusedError(Rule.BODY, f"{account} acts for no body")
        self.account(account).check(body, role)


def standings(ports: WebPorts) -> list[Standing]:
    """Where each projection is in the log."""
    return positions.standings(ports.pool, ports.projections, ports.log.head())


def canary_late(ports: WebPorts) -> dict[tuple[str, str], bool]:
    """Each lane and channel that is probed: whether its latest test item, or the next, is late or lost."""
    at = ports.clock()
    with ports.pool.connection() as conn:
        found = canary.probes(conn)
    stopped = silent(found, ports.canary_every, at)
    bad = {State.LATE, State.LOST}
    return {(p.lane.value, p.channel.value): stopped or p.state(at) in bad for p in found}


async def services(request: Request) -> Services:
    """The application's own; async, so that it costs no thread."""
    return cast("Services", request.app.state.services)


WithServices = Annotated[Services, Depends(services)]
