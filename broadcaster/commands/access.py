"""The commands on who gets in: ask, confirm, refuse, lapse; and ending a key."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg_pool import ConnectionPool

from broadcaster.access import ROLES_OF_KEYS, AccessRequest, Asked, Confirmed, Standing
from broadcaster.account import Role
from broadcaster.accounts import pending
from broadcaster.accounts.store import AccountError, Accounts, State, is_name, new_invitation
from broadcaster.commands.oversight import AccessOversight
from broadcaster.keys import Keys
from broadcaster.keys.rows import KeyKind, KeyRecord, admit_in
from broadcaster.keys.text import hash_of_text, new_text
from broadcaster.log import ConflictError, Ground, UnknownStreamError, racing
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, Event, Wish

Made = TypeVar("Made")


class AccessCommands(AccessOversight):
    """What managers do about people and keys. Log and tables change in one transaction."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, accounts: Accounts, keys: Keys) -> None:
        super().__init__(office, keys)
        self._pool, self._accounts = pool, accounts

    def ask(self, by: Actor, wish: Wish, account: str, body: str, role: Role, *, at: datetime) -> Asked:
        """Asks for an invitation, a role or a key.

        Raises RefusedError, UnknownStreamError, and AccountError: `name` for what is none, `unknown` for a
        role of nobody, `waiting` where the same was asked for already.
        """

        def attempt() -> Asked:
            ground = self._ground()
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
            with racing(), self._pool.connection() as conn:
                if wish != "grant":
                    pending.keep_in(conn, made.id, digest, made.lapses_at, at)
                self._append_in(conn, [event], at, ground)
            return Asked(made, None if wish == "grant" else token)

        with self._office.refusals(by, f"ask {wish}", at, issuer_id=body):
            return deciding.insist(attempt, f"who gets into {body} is")

    def confirm(self, by: Actor, request_id: UUID, *, at: datetime) -> Confirmed:
        """Confirms another manager's request. For people: a key is nobody's second pair of eyes.

        Raises as `ask`; ConflictError where others were faster.
        """

        def attempt() -> Confirmed:
            ground, request = self._ground(), self.request(request_id)
            actor = Actor(account=by.account, body=self.acting(by.account, request.body, at))
            self._office.open_body(request.body, at)
            self._check_asker(request, at)
            self._check_person(by.account)
            holder = self._office.account(request.account)
            confirmed, granted = request.confirm(actor, holder, at)
            self._check_possible(request)
            with racing(), self._pool.connection() as conn:
                pin = self._give(conn, request, at)
                self._append_in(conn, [confirmed, granted], at, ground)
            return Confirmed(AccessRequest.fold(request, confirmed), pin)

        return self._settle("confirm", by, request_id, attempt, at)

    def refuse(self, by: Actor, request_id: UUID, *, at: datetime) -> AccessRequest:
        """Says no, or takes it back. Raises RefusedError, UnknownStreamError, ConflictError."""

        def attempt() -> AccessRequest:
            ground, request = self._ground(), self.request(request_id)
            actor = Actor(account=by.account, body=self.acting(by.account, request.body, at))
            event = request.refuse(actor, at)
            with racing(), self._pool.connection() as conn:
                pending.take_in(conn, request_id)
                self._append_in(conn, [event], at, ground)
            return AccessRequest.fold(request, event)

        return self._settle("refuse", by, request_id, attempt, at)

    def _settle(
        self, command: str, by: Actor, request_id: UUID, attempt: Callable[[], Made], at: datetime
    ) -> Made:
        known = self.request(request_id)
        with self._office.refusals(by, f"{command} {known.wish}", at, issuer_id=known.body):
            return deciding.insist(attempt, f"request {request_id} is")

    def lapse(self, by: Actor, at: datetime) -> int:
        """Notes the requests whose hour is over; answers how many."""
        done = 0
        for request in self.index.requests().values():
            if request.settled is not None or at < request.lapses_at:
                continue
            try:
                # No ground: the clock ends it, and the request's own version says who was first.
                with racing(), self._pool.connection() as conn:
                    pending.take_in(conn, request.id)
                    self._append_in(conn, [request.lapse(by, at)], at)
            except ConflictError:
                continue  # Another timekeeper was faster.
            done += 1
        return done

    def revoke(self, by: Actor, account: str, body: str, role: Role, *, at: datetime) -> None:
        """Takes a role away; nobody else is needed. Raises RefusedError, ConflictError."""
        log = self._office.log

        def attempt() -> None:
            ground = self._ground()
            actor = Actor(account=by.account, body=self.acting(by.account, body, at))
            event = self._office.account(account).revoke(actor, body, role)
            log.append([event], at=at, ground=ground)

        with self._office.refusals(by, "revoke role", at, issuer_id=body):
            deciding.insist(attempt, f"the roles of {account} are")

    def revoke_key(self, by: Actor, key_id: str, *, at: datetime) -> None:
        """Ends a key; nobody else is needed. Raises RefusedError, UnknownStreamError."""
        body = self._staff_key(key_id)[1]

        def attempt() -> None:
            ground, (key, _) = self._ground(), self._staff_key(key_id)
            actor = Actor(account=by.account, body=self.acting(by.account, body, at))
            if key.revoked_at is not None:
                raise RefusedError(Rule.STATE, f"key {key_id} is revoked already")
            with racing():
                if not self._keys.revoke(key_id, at, by=actor, ground=ground):
                    raise ConflictError(f"key {key_id} was ended by another")

        with self._office.refusals(by, "revoke key", at, issuer_id=body):
            deciding.insist(attempt, f"key {key_id} is")

    def _staff_key(self, key_id: str) -> tuple[KeyRecord, str]:
        """A key of staff, and its body."""
        for key in self._keys.list():
            if key.key_id == key_id and key.kind == KeyKind.STAFF and key.body is not None:
                return key, key.body
        raise UnknownStreamError(f"there is no key {key_id}")

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

    def _check_person(self, account: str) -> None:
        if self._accounts.state(account) is not State.ACTIVE:
            raise RefusedError(Rule.FOUR_EYES, f"{account} does not sign in: a person confirms")

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

    def _append_in(
        self, conn: Connection[Any], events: Sequence[Event], at: datetime, ground: Ground | None = None
    ) -> None:
        with conn.cursor() as cursor:
            self._office.log.append_in(cursor, events, at, ground)

    def _ground(self) -> Ground:
        return self._office.log.ground(deciding.ENTRY_GROUND)


def _what(request: AccessRequest) -> tuple[str, str, str, str]:
    return (request.wish, request.account, request.body, request.role)
