"""What people and boxes do with screens: claim a code, change keys, end them, ask for a sign of life."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection, Cursor
from psycopg_pool import ConnectionPool

from broadcaster.commands.setup import SetupCommands
from broadcaster.keys import OVERLAP, Keys
from broadcaster.keys.rows import KeyKind, revoke_in
from broadcaster.log import ConflictError, Ground, racing
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.screen import Screen
from broadcaster.screens.pairing import Handover, Pairings, Waiting
from schemas.events import Actor, Event, ScreenEvent

IDENTIFY = timedelta(seconds=30)
"""How long a screen makes itself known: long enough to walk up to it and look."""
ACCOUNT = "screen:"


@dataclass(frozen=True)
class Place:
    """Where a new screen is put; None instead of one gives a known screen another box."""

    name: str
    area: str
    profile: str
    drills: bool = False
    hours: tuple[time, time] | None = None


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown once; the former one lives until then at the latest."""

    key: str
    former_ends_at: datetime


class UnknownCodeError(LookupError):
    """No open pairing has this code."""


class ScreenCommands:
    """Each is one transaction: what the log says of keys and what their table says never differ."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        office: Office,
        setup: SetupCommands,
        pairings: Pairings,
        keys: Keys,
    ) -> None:
        self._pool, self._office, self._setup, self._pairings = pool, office, setup, pairings
        self._keys = keys

    def claim(self, by: Actor, code: str, to: Place | UUID, *, at: datetime) -> Screen:
        """Gives the box that shows the code to a new screen, or to one that is known.

        A repeat by the same account answers the same screen. Raises UnknownCodeError, RefusedError,
        UnknownStreamError for a screen that is not known, ConflictError.
        """

        def attempt() -> Screen:
            ground = self._office.log.ground(deciding.GROUND)
            repairs = isinstance(to, UUID)
            screen, event = self._repair(by, to, at) if isinstance(to, UUID) else self._put_up(by, to, at)
            found = self._pairings.find(code, at)
            if found is None:
                raise UnknownCodeError("no panel shows this code now")
            if found.screen_id is not None:
                return self._claimed_before(by, found.screen_id, found.claimed_by)
            hand = Handover(screen.id, repairs)
            if not self._pairings.claim(code, hand, by.account, at, self._appending([event], at, ground)):
                raise ConflictError("another claimed this code just now")
            return Screen.fold(screen if repairs else None, event)

        with self._office.refusals(by, "claim screen", at, issuer_id=by.body):
            return deciding.insist(attempt, "the code is")

    def token(self, device_code: str, *, at: datetime) -> tuple[UUID, str] | Waiting:
        """One poll of a box that pairs: the screen and its key, once, or why not."""

        def give(conn: Connection[Any], hand: Handover) -> str:
            account = f"{ACCOUNT}{hand.screen_id}"
            if hand.repairs:
                revoke_in(conn, account, at)
            return self._keys.create_in(conn, account, None, KeyKind.SCREEN, at)[1]

        return self._pairings.take(device_code, at, give)

    def rotate_key(self, screen_id: UUID, key_id: str, *, at: datetime) -> NewKey:
        """A new key for the screen that calls with this one. Raises RefusedError, ConflictError."""
        by = Actor(account=f"{ACCOUNT}{screen_id}")
        screen = self._office.screen(screen_id)
        with self._pool.connection() as conn, conn.cursor() as cursor:
            made, text = self._keys.rotate_in(conn, by.account, key_id, at)
            row = conn.execute("SELECT ends_at FROM api_keys WHERE key_id = %s", (key_id,)).fetchone()
            ends_at = row[0] if row else at + OVERLAP
            # No ground: the screen asks with the key that it changes, and the stream knows of its end.
            self._appending([screen.rotate_key(by, made, key_id, ends_at)], at)(cursor)
        return NewKey(text, ends_at)

    def revoke_keys(self, by: Actor, screen_id: UUID, *, at: datetime) -> list[str]:
        """Ends every key of a screen, for its manager; answers their ids."""
        log = self._office.log

        def attempt() -> list[str]:
            ground = log.ground(deciding.GROUND)
            event = self._managed(by, screen_id, at).revoke_keys(by)
            with self._pool.connection() as conn, conn.cursor() as cursor:
                # Keys first, then the log, as wherever keys end: else two could wait for each other.
                ended = revoke_in(conn, f"{ACCOUNT}{screen_id}", at)
                self._appending([event], at, ground)(cursor)
                return ended

        with self._office.refusals(by, "revoke screen key", at, issuer_id=by.body):
            return deciding.insist(attempt, f"screen {screen_id} is")

    def identify(self, by: Actor, screen_id: UUID, *, at: datetime) -> datetime:
        """Asks a screen to make itself known; answers until when."""
        log, until = self._office.log, at + IDENTIFY

        def attempt() -> datetime:
            ground = log.ground(deciding.GROUND)
            event = self._managed(by, screen_id, at).identify(by, until)
            log.append([event], at=at, ground=ground)
            return until

        with self._office.refusals(by, "identify screen", at, issuer_id=by.body):
            return deciding.insist(attempt, f"screen {screen_id} is")

    def _put_up(self, by: Actor, place: Place, at: datetime) -> tuple[Screen, ScreenEvent]:
        edition = self._setup.check_place(by, place.area, at)
        event = Screen.register(
            by,
            uuid4(),
            name=place.name,
            area=place.area,
            profile=place.profile,
            drills=place.drills,
            hours=place.hours,
            edition=edition,
        )
        return Screen.fold(None, event), event

    def _repair(self, by: Actor, screen_id: UUID, at: datetime) -> tuple[Screen, ScreenEvent]:
        screen = self._office.screen(screen_id)
        self._setup.check_place(by, screen.area, at, screen.edition)
        return screen, screen.repair(by)

    def _claimed_before(self, by: Actor, screen_id: UUID, claimed_by: str | None) -> Screen:
        if claimed_by != by.account:
            raise RefusedError(Rule.EXISTS, "another account has claimed this code")
        return self._office.screen(screen_id)

    def _managed(self, by: Actor, screen_id: UUID, at: datetime) -> Screen:
        screen = self._office.screen(screen_id)
        self._setup.check_place(by, screen.area, at, screen.edition)
        if screen.removed:
            raise RefusedError(Rule.STATE, f"screen {screen_id} is removed")
        return screen

    def _appending(
        self, events: Sequence[Event], at: datetime, ground: Ground | None = None
    ) -> Callable[[Cursor[Any]], None]:
        def append(cursor: Cursor[Any]) -> None:
            with racing():
                self._office.log.append_in(cursor, events, at, ground)

        return append
