"""What managers do about recipients that were given up. A refusal changes nothing and is an event."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.dead_letter import DeadLetter
from broadcaster.log import Once, UnknownStreamError
from broadcaster.office import Office, deciding
from schemas.dispatch import Outcome
from schemas.events import Actor, DeadLetterReplayed, DeadLetterWrittenOff, ReceiptRecorded

SETTLERS = (Role.MANAGER,)
"""Of the body whose alert it is."""

Made = TypeVar("Made", DeadLetterReplayed, DeadLetterWrittenOff)


class DeadLetterCommands:
    """Replays dead letters, or writes them off: each one once."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def letter(self, dispatch_id: UUID) -> DeadLetter:
        """The dead letter of a dispatch. Raises UnknownStreamError."""

        def fold(state: DeadLetter | None, event: Any) -> DeadLetter:
            if state is None and not isinstance(event, ReceiptRecorded):
                raise UnknownStreamError(str(dispatch_id))
            return DeadLetter.fold(state, event)

        try:
            found = self._office.log.load(dispatch_id, fold)
        except UnknownStreamError:
            found = None
        # Whom a topic did not reach are sent to by token already: nothing is left to settle.
        if found is None or found.order.topic or not found.receipt.counts.get(Outcome.DEAD):
            raise UnknownStreamError(f"there is no dead letter {dispatch_id}")
        return found

    def replay(
        self, by: Actor, dispatch_id: UUID, reason: str, *, at: datetime, once: Once | None = None
    ) -> DeadLetterReplayed:
        """Has those it gave up tried once more."""

        def decide(letter: DeadLetter, alert: Alert) -> DeadLetterReplayed:
            return letter.replay(by, reason, alert, at)

        return self._settle("replay dead letter", by, dispatch_id, decide, at=at, once=once)

    def write_off(
        self, by: Actor, dispatch_id: UUID, reason: str, *, at: datetime, once: Once | None = None
    ) -> DeadLetterWrittenOff:
        """Lets those it gave up be."""

        def decide(letter: DeadLetter, alert: Alert) -> DeadLetterWrittenOff:
            del alert
            return letter.write_off(by, reason)

        return self._settle("write off dead letter", by, dispatch_id, decide, at=at, once=once)

    def _settle(
        self,
        command: str,
        by: Actor,
        dispatch_id: UUID,
        decide: Callable[[DeadLetter, Alert], Made],
        *,
        at: datetime,
        once: Once | None,
    ) -> Made:
        office, alert_id = self._office, self.letter(dispatch_id).order.alert_id

        def attempt() -> Made:
            if once and (first := office.log.recall(once)):
                return self._made(*first)
            ground = office.log.ground(deciding.GROUND)
            alert = office.alert(alert_id)
            office.account(by.account).check(alert.issuer_id, *SETTLERS)
            # What someone settled meanwhile is refused when it is decided again.
            event = decide(self.letter(dispatch_id), alert)
            office.log.append([event], at=at, once=once, ground=ground)
            return event

        with office.refusals(by, command, at, alert_id=alert_id):
            return deciding.insist(attempt, f"dead letter {dispatch_id} is")

    def _made(self, stream: UUID, version: int) -> Any:
        made: list[Any] = []

        def keep(state: int | None, event: Any) -> int:
            made.append(event)
            return (state or 0) + 1

        self._office.log.load(stream, keep, upto=version)
        return made[-1]
