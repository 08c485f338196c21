"""Every request for access, and who manages which body: folded from the log and kept in memory."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from broadcaster.access import AccessRequest
from broadcaster.account import Role
from broadcaster.log import AlertLog
from schemas.events import (
    AccessAsked,
    AccessConfirmed,
    AccessEvent,
    AccessLapsed,
    AccessRefused,
    RoleEvent,
    RoleGranted,
    RoleRevoked,
)
from schemas.events.base import topics

_TOPICS = topics(AccessEvent, RoleEvent)
_PAGE = 2000


class AccessIndex:
    """Reads on from where it left off; thread-safe."""

    def __init__(self, log: AlertLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._position = 0
        self._requests: dict[UUID, AccessRequest] = {}
        self._holders: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def requests(self) -> Mapping[UUID, AccessRequest]:
        """Every request up to the head of the log, in the order they were asked."""
        with self._lock:
            self._forward()
            return MappingProxyType(dict(self._requests))

    def holders(self, body: str) -> tuple[tuple[str, str], ...]:
        """Who holds which role for the body, as (account, role) pairs in order."""
        with self._lock:
            self._forward()
            return tuple(sorted(self._holders.get(body, ())))

    def held(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """The same of every body for which anyone holds a role, as of one moment."""
        with self._lock:
            self._forward()
            return {body: tuple(sorted(held)) for body, held in self._holders.items() if held}

    def managers(self, body: str) -> tuple[str, ...]:
        """The accounts that manage the body."""
        return tuple(account for account, role in self.holders(body) if role == Role.MANAGER)

    def _forward(self) -> None:
        # The head goes first: what the reads then leave out up to there is of other topics.
        head = self._log.head()
        if head == self._position:
            return
        while page := self._log.read(self._position, _PAGE, _TOPICS):
            for recorded in page:
                self._fold(recorded.event)
            self._position = page[-1].position
        self._position = max(head, self._position)

    def _fold(self, event: object) -> None:
        match event:
            case AccessAsked() | AccessConfirmed() | AccessRefused() | AccessLapsed():
                before = self._requests.get(event.originator_id)
                self._requests[event.originator_id] = AccessRequest.fold(before, event)
            case RoleGranted():
                self._holders[event.body].add((event.account, event.role))
            case RoleRevoked():
                self._holders[event.body].discard((event.account, event.role))
            case _:
                raise AssertionError("only requests and roles were asked for")
