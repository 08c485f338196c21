"""Every CAP message of one alert, from the log, and the bytes of each."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from broadcaster.cap import render
from broadcaster.cap.render import Words
from broadcaster.log import AlertLog, UnknownStreamError
from schemas.events import AlertCancelled, AlertDrafted, AlertIssued, Event


class NoMessageError(LookupError):
    """No message of that version went out."""


@dataclass(frozen=True)
class Messages:
    """What went out, the first one first."""

    issued: tuple[AlertIssued, ...] = ()
    cancelled: AlertCancelled | None = None

    @property
    def latest(self) -> int:
        """The version of the last message; 0 where none went out."""
        if self.cancelled:
            return self.cancelled.version
        return self.issued[-1].version if self.issued else 0

    def identifier_of(self, version: int) -> str:
        """CAP's identifier of that version's message. Raises NoMessageError."""
        for event in (*self.issued, *((self.cancelled,) if self.cancelled else ())):
            if event.version == version:
                return event.identifier
        raise NoMessageError(f"no message of version {version} went out")

    def bytes_of(self, version: int, words: Callable[[AlertIssued], Words]) -> bytes:
        """The message of that version; `words` are looked up for what it says. Raises NoMessageError."""
        for event in self.issued:
            if event.version == version:
                return render.issued(event, words(event))
        if self.cancelled and self.cancelled.version == version:
            withdrawn = self.issued[-1]
            return render.cancelled(self.cancelled, withdrawn, words(withdrawn))
        raise NoMessageError(f"no message of version {version} went out")


def read(log: AlertLog, alert_id: UUID) -> Messages:
    """The messages of an alert. Raises UnknownStreamError, also for the stream of something else."""

    def fold(state: Messages | None, event: Event) -> Messages:
        match event:
            case AlertDrafted():
                return Messages()
            case _ if state is None:
                raise UnknownStreamError(str(alert_id))
            case AlertIssued():
                return Messages((*state.issued, event))
            case AlertCancelled():
                return Messages(state.issued, event)
            case _:
                return state

    return log.load(alert_id, fold)
