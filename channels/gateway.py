"""What every channel's gateway promises, and the words it answers with."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, Self, runtime_checkable
from uuid import UUID

from schemas.content import Channel, Content, Lane, MsgType
from schemas.dispatch import Outcome


@dataclass(frozen=True)
class Message:
    """One version of an alert, ready to render in any language."""

    alert_id: UUID
    version: int
    msg_type: MsgType
    lane: Lane
    issuer_name: str
    content: Content
    sent: datetime
    expires_at: datetime
    reason: str = ""
    """Why it was withdrawn; only of a Cancel."""

    @property
    def collapse_key(self) -> str:
        """The same for every version of an alert: a phone shows one."""
        return str(self.alert_id)


TOPIC = "topic"
"""The kind of an address that is a topic's name: one recipient, for many phones."""


class Recipient(NamedTuple):
    """One address of one frozen audience. `rank` is its place there, `id` its registry number."""

    rank: int
    id: int
    address: str
    kind: str
    """Of the address: token, fid or topic (push by FCM), subscription (push by Web Push), msisdn (sms)."""
    platform: str
    """android, ios or web for push; empty otherwise."""
    locale: str
    via: str = ""
    """The only provider it may go through, for that one may have it already; empty: any."""


class Result(NamedTuple):
    """What the provider said about one recipient.

    `outcome` is accepted, gone, refused or deferred; of a topic that is refused, dead. `reason` is the
    provider's name for it, empty when accepted. `retry_after` (seconds) is the provider's wish. `ambiguous`
    says that a deferred one may have been accepted all the same: the line fell silent after the request
    left. `via` names the provider where a gateway has several. `segments` and `cost` (VND) are what this
    try took.
    """

    rank: int
    outcome: Outcome
    reason: str = ""
    retry_after: float | None = None
    ambiguous: bool = False
    via: str = ""
    segments: int = 0
    cost: int = 0


class PayloadFaultError(Exception):
    """The provider rejects what we say, not whom we say it to: the whole dispatch is dead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Gateway(Protocol):
    """A provider's client. Opened once, shared by all slots of a worker.

    `window` is how many recipients one `send` takes at most. The worker notes the results of one
    window before it begins the next; how many are under way in all is the allowance's matter.
    """

    channel: Channel
    name: str
    window: int

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """Sends to each recipient and answers one result for each, in any order.

        Never raises for a provider's or a line's trouble: that is a deferred result for each one
        concerned. Raises PayloadFaultError where the content itself is refused.
        """
        ...


@runtime_checkable
class Router(Protocol):
    """A gateway over several providers: it says whom it sends through before it does."""

    def route(self, message: Message, recipients: Sequence[Recipient]) -> Iterator[list[Recipient]]:
        """Cuts them into windows of one provider each, which every `via` then names.

        Lazy: each window is decided when it is asked for. Who has a `via` already keeps it.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A gateway that says who was accepted as it hears of it, not only with a window's last answer."""

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Callable[[Result], None]
    ) -> list[Result]:
        """As Gateway.send, with all results at the end; `tell` hears of those that are accepted before."""
        ...


@runtime_checkable
class Resting(Protocol):
    """A gateway that knows when its provider is not to be asked."""

    def rest(self, attempt: int = 1) -> float:
        """Seconds until it is worth making that attempt; 0 where it is now.

        What waits so long costs no attempt.
        """
        ...


@dataclass
class SandboxCount:
    """What a provider's double has received since its journal began."""

    received: int = 0
    """Messages it accepted."""
    unique: int = 0
    """Different (recipient, alert version) pairs among them."""
    refused: dict[str, int] = field(default_factory=dict)
    """Messages it answered with an error, by that error's name."""

    @property
    def duplicates(self) -> int:
        """Messages accepted beyond the first for their recipient and alert version."""
        return self.received - self.unique
