"""An alert as the web tells it: its state and the messages that went out, from one reading."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from broadcaster.alert import Alert
from broadcaster.lifecycle import Life
from broadcaster.log import AlertLog, UnknownStreamError
from schemas.content import MsgType
from schemas.events import AlertCancelled, AlertDrafted, AlertEvent, AlertIssued, Event


@dataclass(frozen=True)
class Told:
    """One message that went out."""

    version: int
    msg_type: MsgType
    sent: datetime
    identifier: str
    sender: str


@dataclass(frozen=True)
class Story:
    """The state now, and how it came to be as far as it was public."""

    alert: Alert
    told: tuple[Told, ...] = field(default=())
    """Every message, the first one first."""
    reason: str | None = None
    """Why it was withdrawn."""
    in_error: bool = False

    @staticmethod
    def fold(state: "Story | None", event: AlertEvent) -> "Story":
        """The story after the event."""
        alert = Alert.fold(state.alert if state else None, event)
        told = state.told if state else ()
        match event:
            case AlertIssued():
                message = Told(event.version, event.msg_type, event.sent, event.identifier, event.sender)
                return Story(alert, (*told, message))
            case AlertCancelled():
                message = Told(event.version, MsgType.CANCEL, event.sent, event.identifier, event.sender)
                return Story(alert, (*told, message), event.reason, event.in_error)
            case _:
                return Story(alert, told)

    @property
    def is_public(self) -> bool:
        """Whether anything of it ever went out."""
        return self.alert.issued is not None

    @property
    def is_ended(self) -> bool:
        """Whether the log says that it is over: it cannot hold again, nor be corrected."""
        return self.alert.life in {Life.CANCELLED, Life.EXPIRED}

    def is_over(self, at: datetime) -> bool:
        """Whether it no longer holds. Its time may be up a moment before the log says so."""
        issued = self.alert.issued
        return self.alert.life is not Life.LIVE or issued is None or issued.expires_at <= at


def read(log: AlertLog, alert_id: UUID) -> Story:
    """The story of an alert. Raises UnknownStreamError, also for the stream of something else."""

    def fold(state: Story | None, event: Event) -> Story:
        if state is None and not isinstance(event, AlertDrafted):
            raise UnknownStreamError(str(alert_id))
        return Story.fold(state, event)  # type: ignore[arg-type]  # a stream begun by a draft holds nothing else

    return log.load(alert_id, fold)
