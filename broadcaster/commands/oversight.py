"""Who decides about whom: the managers of a body, and those of the city for all bodies below it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from broadcaster.access import AccessRequest, Standing
from broadcaster.account import Role
from broadcaster.keys import KeyKind, KeyRecord, Keys
from broadcaster.log import UnknownStreamError
from broadcaster.office import Office
from broadcaster.office.access_index import AccessIndex


class AccessOversight:
    """What is asked before anyone decides, and what managers are shown."""

    def __init__(self, office: Office, keys: Keys) -> None:
        self._office, self._keys = office, keys
        self.index = AccessIndex(office.log)

    def overseers(self, body: str, at: datetime) -> tuple[str, ...]:
        """The bodies whose managers decide about it: itself and the city. Raises UnknownStreamError."""
        seen = [body]
        while (above := self._office.body(seen[-1], at).parent) is not None and above not in seen:
            seen.append(above)
        return (body,) if len(seen) == 1 else (body, seen[-1])

    def managers(self, body: str, at: datetime) -> tuple[str, ...]:
        """The accounts that may ask or confirm for the body."""
        found = {name for each in self.overseers(body, at) for name in self.index.managers(each)}
        return tuple(sorted(found))

    def acting(self, account: str, body: str, at: datetime) -> str:
        """The body as whose manager the account decides about it. Raises RefusedError."""
        holder = self._office.account(account)
        for each in self.overseers(body, at):
            if (each, Role.MANAGER) in holder.roles:
                return each
        holder.check(body, Role.MANAGER)
        raise AssertionError("an account without the role passed its check")

    def of(self, account: str, at: datetime) -> Sequence[AccessRequest]:
        """The waiting requests that the account has a say in, the oldest first."""
        managed = {body for body, role in self._office.account(account).roles if role == Role.MANAGER}
        return [
            each
            for each in self.index.requests().values()
            if each.standing(at) is Standing.WAITING
            and managed
            and not managed.isdisjoint(self.overseers(each.body, at))
        ]

    def request(self, request_id: UUID) -> AccessRequest:
        """The request. Raises UnknownStreamError."""
        try:
            return self.index.requests()[request_id]
        except KeyError:
            raise UnknownStreamError(f"there is no request {request_id}") from None

    def keys_of(self, account: str, at: datetime) -> Sequence[KeyRecord]:
        """The keys of staff that the account may end, the newest first."""
        managed = {body for body, role in self._office.account(account).roles if role == Role.MANAGER}
        return [
            key
            for key in self._keys.list()
            if key.kind == KeyKind.STAFF
            and key.body is not None
            and not managed.isdisjoint(self.overseers(key.body, at))
        ]
