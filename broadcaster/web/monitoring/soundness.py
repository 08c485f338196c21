"""Whether the house is sound: what runs, what lags, what could not be sent, whether the log is whole.

Every part is read from where it stands already; what cannot be read is unknown, and never said to be well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.account import Account, Role
from broadcaster.proof import tail
from broadcaster.proof.checkpoint import CheckpointError
from broadcaster.web.monitoring.plant import Disk, KeyFile, LaneDepth
from broadcaster.web.services import Services, standings
from projections.canary import view as canary
from projections.canary.rule import Probe, State, silent
from projections.fanout.outbox import unpublished
from projections.positions import Standing
from projections.reach.letters_view import Backlog, backlog
from schemas.content import Lane

BEHIND = 1000
"""Events; a follower takes some seconds for so many."""
FOLLOWS, RELAYS = "broadcaster listen event_log", "broadcaster relay "

_CONNECTED = """
SELECT application_name, count(*), min(backend_start) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'broadcaster %' GROUP BY application_name
"""
_KEYS = """
SELECT kind, count(*) FILTER (WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > %(at)s)),
    count(*) FILTER (WHERE revoked_at IS NULL AND ends_at > %(at)s)
FROM api_keys GROUP BY kind ORDER BY kind
"""


@dataclass(frozen=True)
class RoleSeen:
    """A role, by the connections that it holds; `running` is None where that cannot be told."""

    name: str
    running: bool | None
    since: datetime | None = None


@dataclass(frozen=True)
class ApiKeys:
    """Keys of one kind that live, and how many of these were rotated and end soon."""

    kind: str
    alive: int
    ending: int


@dataclass(frozen=True)
class Soundness:
    """One look. `lanes` is None where the transport is silent, `chain` where checkpoints cannot be read.

    An engine of which nothing is known is not among the engines.
    """

    at: datetime
    engines: Mapping[str, bool]
    roles: Sequence[RoleSeen]
    head: int
    followers: Sequence[Standing]
    unpublished: Mapping[Lane, int]
    lanes: Sequence[LaneDepth] | None
    probes: Sequence[Probe]
    probing: bool
    """False where test items should be sent, and none are any more."""
    letters: Backlog
    chain: tail.Tail | None
    key_files: Sequence[KeyFile]
    disks: Sequence[Disk]
    api_keys: Sequence[ApiKeys]

    @property
    def signs(self) -> Mapping[str, bool]:
        """All that may want someone's eyes, by a name that pages have words for: whether it does."""
        keys = [each.ends(self.at) for each in self.key_files]
        return {
            "engine": not all(self.engines.values()),
            "role": any(each.running is False for each in self.roles),
            "stopped": any(each.stopped_at is not None for each in self.followers),
            "behind": any(each.lag > BEHIND for each in self.followers),
            "transport": self.lanes is None,
            "canary": not self.probing
            or any(each.state(self.at) in {State.LATE, State.LOST} for each in self.probes),
            "letters": self.letters.letters > 0,
            "chain": self.chain is None or not self.chain.verdict.sound or not self.chain.fits,
            "disk": any(each.low for each in self.disks),
            "key": any(not each.private for each in self.key_files if each.present),
            "expiry": any(each in {"soon", "over"} for each in keys),
        }

    @property
    def troubles(self) -> tuple[str, ...]:
        """The signs that do; none where all is well."""
        return tuple(name for name, is_so in self.signs.items() if is_so)


def manages_city(services: Services, account: Account) -> bool:
    """Whether it manages a body of the city's own level, to whom the state of the whole house is shown."""
    return any(_of_city(services, body) for body, role in account.roles if role == Role.MANAGER)


def _of_city(services: Services, body_id: str) -> bool:
    known = services.directory.bodies().get(body_id)
    levels = {seat.level for seat in known.every_seat.values()} if known else set[int]()
    if len(levels) <= 1:
        # It has been at one level throughout: which edition is in force need not be asked, page by page.
        return levels == {1}
    body = services.body(body_id)
    return body is not None and body.level == 1


def look(services: Services) -> Soundness:
    """Reads it all. An engine that has not answered in a moment is not waited for."""
    ports, at = services.ports, services.now()
    lanes = services.lanes.get()
    with services.reading() as conn:
        connected = {name: (count, since) for name, count, since in conn.execute(_CONNECTED).fetchall()}
        keys = [ApiKeys(*row) for row in conn.execute(_KEYS, {"at": at})]
        probes, letters, waiting = canary.probes(conn), backlog(conn), unpublished(conn)
    return Soundness(
        at=at,
        engines=dict(services.engines.get() or {}),
        roles=_roles(connected, lanes),
        head=ports.log.head(),
        followers=standings(ports),
        unpublished=waiting,
        lanes=lanes,
        probes=probes,
        probing=not silent(probes, ports.canary_every, at),
        letters=letters,
        chain=_chain(services),
        key_files=ports.key_files(),
        disks=ports.disks(),
        api_keys=keys,
    )


def _roles(
    connected: Mapping[str, tuple[int, datetime]], lanes: Sequence[LaneDepth] | None
) -> list[RoleSeen]:
    found = [RoleSeen("web", running=True)]
    for name, prefix in (("follow", FOLLOWS), ("relay", RELAYS)):
        since = [began for app, (_, began) in connected.items() if app.startswith(prefix)]
        found.append(RoleSeen(name, bool(since), min(since, default=None)))
    for channel in dict.fromkeys(each.channel for each in lanes or ()):
        mine = [each for each in lanes or () if each.channel is channel]
        found.append(RoleSeen(channel.value, any(each.workers or each.in_hand for each in mine)))
    return found


def _chain(services: Services) -> tail.Tail | None:
    seals = services.ports.seals
    try:
        newest = seals.newest() if seals else None
    except CheckpointError:
        return None
    return tail.look(services.ports.log, newest)
