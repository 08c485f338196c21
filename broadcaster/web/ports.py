"""What the web needs from the rest of the house; runtime fills it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.accounts.desk import Desk
from broadcaster.accounts.oidc import Oidc
from broadcaster.cap.signing import SignedMessages
from broadcaster.commands.alerts import AlertCommands
from broadcaster.commands.setup import SetupCommands
from broadcaster.drafting.drafts import Drafts
from broadcaster.duty.asking import Asking
from broadcaster.duty.commands import CadenceCommands
from broadcaster.duty.reports import Reports
from broadcaster.keys import Keys
from broadcaster.keys.feed import FeedKey
from broadcaster.log import AlertLog
from broadcaster.office import Office
from broadcaster.proof.handing_out import Seals
from broadcaster.reckoning.forecast import Quotas
from broadcaster.registry.subscribers import Registry
from broadcaster.web.monitoring.plant import Disk, KeyFile, LaneDepth
from projections.cadence.view import CadenceBook
from schemas.web_push import Services


@dataclass(frozen=True)
class WebPorts:
    """The ports of one web process."""

    pool: ConnectionPool[Any]
    """For reading views; at least as many connections as commands that should run at once."""
    log: AlertLog
    office: Office
    alerts: AlertCommands
    setup: SetupCommands
    registry: Registry
    keys: Keys
    desk: Desk
    drafts: Drafts
    clock: Callable[[], datetime]
    """The time now, UTC."""
    cadence: CadenceBook
    cadence_commands: CadenceCommands
    reports: Reports
    feed_key: FeedKey
    """Signs what screens are told."""
    base_url: str
    """What others reach us by, without a slash at its end."""
    health: Callable[[], Mapping[str, bool]]
    """Each engine by its name: whether it answers. It must itself be quick, within a second or two."""
    signing: SignedMessages | None = None
    """Signs CAP messages, where the operator has a key."""
    cadence_public: bool = False
    """Whether anyone may read the scorecard."""
    canary_every: timedelta = timedelta()
    """How often test items are sent; none are where it is nothing."""
    push_key: str = ""
    """The public key that browsers subscribe to notifications by (RFC 8292); empty where there is none."""
    push_services: Services = field(default_factory=Services)
    """Where browsers may be reached; what is elsewhere is not taken into the registry."""
    projections: Sequence[str] = ()
    """Names of the projections whose place in the log is shown."""
    seals: Seals | None = None
    """Where checkpoints of the log are kept."""
    quotas: Quotas = field(default_factory=Quotas)
    """What forecasts reckon with."""
    oidc: Oidc | None = None
    """The city's identity provider, where the operator set one."""
    asking: Asking | None = None
    """Reminds bodies, where the operator wants reminders."""
    lanes: Callable[[], Sequence[LaneDepth] | None] = lambda: None
    """What lies in the lanes; None where the transport does not answer, within two seconds."""
    key_files: Callable[[], Sequence[KeyFile]] = tuple
    """The operator's keys, as far as anyone may know of them."""
    disks: Callable[[], Sequence[Disk]] = tuple
    """The room that there is."""
