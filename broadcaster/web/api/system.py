"""How the whole house is, for managers of the city and their monitors."""

from typing import Literal

from fastapi import APIRouter

from broadcaster.rules import RefusedError, Rule
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff
from broadcaster.web.monitoring import soundness
from broadcaster.web.monitoring.plant import Disk, KeyFile, LaneDepth
from broadcaster.web.monitoring.soundness import RoleSeen, Soundness
from broadcaster.web.openapi import problems_of
from broadcaster.web.services import WithServices
from projections.canary.rule import State
from projections.reach.letters_view import Backlog
from schemas.content import Channel, Lane

router = APIRouter(prefix="/v1/system", tags=["operations"])


class FollowerAnswer(Answer):
    """A projection's place in the log."""

    name: str
    position: int
    lag: int
    """Events that it has yet to pass."""
    stopped_at: int | None
    """The event that it failed on."""


class ProbeState(Answer):
    """The latest test item on a lane and channel."""

    lane: Lane
    channel: Channel
    state: State


class ChainAnswer(Answer):
    """The newest rows of the chain reckoned anew, and the last checkpoint against the log."""

    head: int
    since: int
    sound: bool
    checkpoint: int | None
    """The position that was signed last; null where none was."""
    fits: bool


class SystemAnswer(Answer):
    """The house. `troubles` names what wants someone's eyes; it is empty where all is well."""

    status: Literal["ok", "trouble"]
    troubles: list[str]
    at: Instant
    engines: dict[str, bool]
    roles: list[RoleSeen]
    """By the connections that they hold; `running` is null where that cannot be told."""
    head: int
    followers: list[FollowerAnswer]
    unpublished: dict[Lane, int]
    """Orders that wait for the relay."""
    lanes: list[LaneDepth] | None
    """Null where the transport does not answer."""
    canary: list[ProbeState]
    dead_letters: Backlog
    """Those that nobody has settled."""
    chain: ChainAnswer | None
    """Null where the file of checkpoints cannot be read."""
    disks: list[Disk]
    """The room of each part that is on this machine, in bytes."""
    keys: list[KeyFile]
    """The operator's key files; nothing of what is in them."""
    api_keys: dict[str, int]
    """Keys that live, by kind."""


@router.get("", summary="How the house is", responses=problems_of(401, 403))
def system(services: WithServices, principal: Staff) -> SystemAnswer:
    """For managers of the city: roles, followers, lanes, canary, dead letters, the chain, and keys."""
    if not soundness.manages_city(services, services.account(principal.account)):
        raise RefusedError(Rule.ROLE, f"{principal.account} is not manager of a body of the city")
    return _answer(soundness.look(services))


def _answer(sight: Soundness) -> SystemAnswer:
    chain = sight.chain
    return SystemAnswer(
        status="trouble" if sight.troubles else "ok",
        troubles=list(sight.troubles),
        at=sight.at,
        engines=dict(sight.engines),
        roles=list(sight.roles),
        head=sight.head,
        followers=[
            FollowerAnswer(name=one.name, position=one.position, lag=one.lag, stopped_at=one.stopped_at)
            for one in sight.followers
        ],
        unpublished=dict(sight.unpublished),
        lanes=None if sight.lanes is None else list(sight.lanes),
        canary=[
            ProbeState(lane=one.lane, channel=one.channel, state=one.state(sight.at))
            for one in sight.probes
        ],
        dead_letters=sight.letters,
        chain=chain
        and ChainAnswer(
            head=chain.head,
            since=chain.since,
            sound=chain.verdict.sound,
            checkpoint=chain.checkpoint and chain.checkpoint.position,
            fits=chain.fits,
        ),
        disks=list(sight.disks),
        keys=list(sight.key_files),
        api_keys={one.kind: one.alive for one in sight.api_keys},
    )
