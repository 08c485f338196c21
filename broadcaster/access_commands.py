"""The commands on who gets in: ask, confirm, refuse, lapse; and ending a key."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool

from broadcaster.access import ROLES_OF_KEYS, AccessRequest, Standing
from broadcaster.access_index import AccessIndex
from broadcaster.account import Role
from broadcaster.accounts import pending
from broadcaster.accounts.store import AccountError, Accounts, State, is_name, new_invitation
from broadcaster.key_rows import KeyKind, KeyRecord, admit_in
from broadcaster.key_text import hash_of_text, new_text
from broadcaster.keys import Keys
from broadcaster.log import ConflictError, UnknownStreamError
from broadcaster.office import Office
from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, Event, KeyRevoked, Wish
from schemas.ids import key_stream


@dataclass(frozen=True)
class Asked:
    """A request, and what is shown once: an invitation's token or a key. It opens nothing yet."""

    request: AccessRequest
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Confirmed:
    """A request that was confirmed, and an invitation's number, shown once to the confirmer."""

    request: AccessRequest
    pin: str | None = field(default=None, repr=False)


class AccessCommands:
    """What managers do about people and keys. Log and tables change in one transaction."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, accounts: Accounts, keys: Keys) -> None:
        self._pool, self._office, self._accounts, self._keys = pool, office, accounts, keys
        self.index = AccessIndex(office.log)

    # --- who ------------------------------------------------------------------------------------

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

    # --- what -----------------------------------------------------------------------------------

    def ask(self, by: Actor, wish: Wish, account: str, body: str, role: Role, *, at: datetime) -> Asked:
        """Asks for an invitation, a role or a key.

        Raises RefusedError, UnknownStreamError, and AccountError: `name` for what is none, `unknown` for a
        role of nobody, `waiting` where the same was asked for already.
        """
        with self._office.refusals(by, f"ask {wish}", at, issuer_id=body):
            self._office.open_body(body, at)
            actor = Actor(account=by.account, body=self.acting(by.account, body, at))
            key_id, key = new_text() if wish == "key" else (None, None)
            event = AccessRequest.ask(
                actor, uuid4(), wish, account=account, body=body, role=role, at=at, key_id=key_id
            )
            made = AccessRequest.fold(None, event)
            self._check_possible(made)
            self._check_first(made, at)
        token, digest = (key, hash_of_text(key)) if key else new_invitation()
        with self._transaction() as conn:
            if wish != "grant":
                pending.keep_in(conn, made.id, digest, made.lapses_at, at)
            self._append(conn, [event], at)
        return Asked(made, None if wish == "grant" else token)

    def confirm(self, by: Actor, request_id: UUID, *, at: datetime) -> Confirmed:
        """Confirms another manager's request. Raises as `ask`; ConflictError where others were faster."""
        request = self.request(request_id)
        with self._office.refusals(by, f"confirm {request.wish}", at, issuer_id=request.body):
            actor = Actor(account=by.account, body=self.acting(by.account, request.body, at))
            self._office.open_body(request.body, at)
            self._check_asker(request, at)
            holder = self._office.account(request.account)
            confirmed, granted = request.confirm(actor, holder, at)
            self._check_possible(request)
        with self._transaction() as conn:
            pin = self._give(conn, request, at)
            self._append(conn, [confirmed, granted], at)
        return Confirmed(AccessRequest.fold(request, confirmed), pin)

    def refuse(self, by: Actor, request_id: UUID, *, at: datetime) -> AccessRequest:
        """Says no, or takes it back. Raises RefusedError, UnknownStreamError, ConflictError."""
        request = self.request(request_id)
        with self._office.refusals(by, f"refuse {request.wish}", at, issuer_id=request.body):
            actor = Actor(account=by.account, body=self.acting(by.account, request.body, at))
            event = request.refuse(actor, at)
        with self._transaction() as conn:
            pending.take_in(conn, request_id)
            self._append(conn, [event], at)
        return AccessRequest.fold(request, event)

    def lapse(self, by: Actor, at: datetime) -> int:
        """Notes the requests whose hour is over; answers how many."""
        done = 0
        for request in self.index.requests().values():
            if request.settled is not None or at < request.lapses_at:
                continue
            try:
                with self._transaction() as conn:
                    pending.take_in(conn, request.id)
                    self._append(conn, [request.lapse(by, at)], at)
            except ConflictError:
                continue  # Another timekeeper was faster.
            done += 1
        return done

    def revoke(self, by: Actor, account: str, body: str, role: Role, *, at: datetime) -> None:
        """Takes a role away; nobody else is needed. Raises RefusedError, ConflictError."""
        with self._office.refusals(by, "revoke role", at, issuer_id=body):
            actor = Actor(account=by.account, body=self.acting(by.account, body, at))
            event = self._office.account(account).revoke(actor, body, role)
        self._office.log.append([event], at=at)

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

    def revoke_key(self, by: Actor, key_id: str, *, at: datetime) -> None:
        """Ends a key; nobody else is needed. Raises RefusedError, UnknownStreamError."""
        found = [key for key in self._keys.list() if key.key_id == key_id]
        if not found or found[0].kind != KeyKind.STAFF or found[0].body is None:
            raise UnknownStreamError(f"there is no key {key_id}")
        key, body = found[0], found[0].body
        with self._office.refusals(by, "revoke key", at, issuer_id=body):
            actor = Actor(account=by.account, body=self.acting(by.account, body, at))
            if key.revoked_at is not None:
                raise RefusedError(Rule.STATE, f"key {key_id} is revoked already")
        event = KeyRevoked(
            originator_id=key_stream(key_id),
            originator_version=1,
            by=actor,
            key_id=key_id,
            account=key.account,
            body=body,
        )
        # The key first: were the log not to take it, a key that is ended too soon harms nobody.
        self._keys.revoke(key_id, at)
        self._office.log.append([event], at=at)

    # --- checks ---------------------------------------------------------------------------------

    def _check_possible(self, request: AccessRequest) -> None:
        """Whether the account is one for which this may be wished."""
        state = self._accounts.state(request.account)
        roles = self._office.account(request.account).roles
        match request.wish:
            case "invite":
                if not is_name(request.account):
                    raise AccountError("name")
                elsewhere = any(body != request.body for body, _ in roles)
                # An invitation to a name that holds roles, if only by a key, would hand them over.
                if state not in {None, State.INVITED} or (elsewhere if state else bool(roles)):
                    raise RefusedError(Rule.EXISTS, f"{request.account} is somebody already")
            case "grant":
                if state not in {State.INVITED, State.ACTIVE}:
                    raise AccountError("unknown")
            case "key":
                if not is_name(request.account):
                    raise AccountError("name")
                # A key opens all that its account may do, so it is for a program of this body alone.
                allowed = {(request.body, role.value) for role in ROLES_OF_KEYS}
                if state is not None or not roles <= allowed:
                    raise RefusedError(Rule.EXISTS, f"{request.account} is somebody already")

    def _check_first(self, asked: AccessRequest, at: datetime) -> None:
        for each in self.index.requests().values():
            if each.standing(at) is Standing.WAITING and _what(each) == _what(asked):
                raise AccountError("waiting")

    def _check_asker(self, request: AccessRequest, at: datetime) -> None:
        try:
            self.acting(request.asked_by.account, request.body, at)
        except RefusedError:
            raise RefusedError(
                Rule.STATE,
                f"{request.asked_by.account}, who asked, is no longer a manager of {request.body}",
            ) from None

    # --- one transaction ------------------------------------------------------------------------

    def _give(self, conn: Connection[Any], request: AccessRequest, at: datetime) -> str | None:
        if request.wish == "grant":
            return None
        digest = pending.take_in(conn, request.id)
        if digest is None:
            raise ConflictError(f"request {request.id} is being settled by others")
        if request.wish == "invite":
            return self._accounts.admit_in(conn, request.account, digest, request.asked_by.account, at)
        assert request.key_id is not None
        key, kind = (request.key_id, digest), KeyKind.STAFF
        admit_in(conn, key, account=request.account, body=request.body, kind=kind, at=at)
        return None

    @contextmanager
    def _transaction(self) -> Generator[Connection[Any]]:
        try:
            with self._pool.connection() as conn:
                yield conn
        except UniqueViolation as error:
            raise ConflictError(str(error.diag.constraint_name)) from error

    def _append(self, conn: Connection[Any], events: Sequence[Event], at: datetime) -> None:
        with conn.cursor() as cursor:
            self._office.log.append_in(cursor, events, at)


def _what(request: AccessRequest) -> tuple[str, str, str, str]:
    return (request.wish, request.account, request.body, request.role)
