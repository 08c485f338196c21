"""Every delegation by its id, folded from the log and kept in memory."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from uuid import UUID

from broadcaster.delegation import Delegation
from broadcaster.log import AlertLog
from schemas.events import DelegationEvent, DelegationGranted, DelegationRevoked
from schemas.events.base import topics

_TOPICS = topics(DelegationEvent)
_PAGE = 2000


class DelegationIndex:
    """For whoever knows a delegation by its id only. Reads on from where it left off; thread-safe."""

    def __init__(self, log: AlertLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._position = 0
        self._found: dict[UUID, Delegation] = {}

    def all(self) -> Mapping[UUID, Delegation]:
        """Every delegation up to the head of the log, in order of grant."""
        with self._lock:
            # The head goes first: what the reads then leave out up to there is of other topics.
            head = self._log.head()
            position, found = self._position, dict(self._found)
            while page := self._log.read(position, _PAGE, _TOPICS):
                for recorded in page:
                    _fold(found, recorded.event)
                position = page[-1].position
            self._found, self._position = found, max(head, position)
        return MappingProxyType(found)


def _fold(found: dict[UUID, Delegation], event: object) -> None:
    match event:
        case DelegationGranted():
            found[event.delegation_id] = Delegation.of(event)
        case DelegationRevoked(delegation_id=delegation_id):
            found[delegation_id] = replace(found[delegation_id], revoked=True)
        case _:
            raise AssertionError("only delegations were asked for")
