"""The screens whose keys are alive, in memory by the ids of their keys."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from broadcaster.keys import Keys
from broadcaster.keys.text import verifier
from broadcaster.web.directory import Directory, PlacedScreen

ACCOUNT = "screen:"

Pair = tuple[str, str, bool]
"""Area, profile, and whether it is for drill screens."""


class KnownScreen(NamedTuple):
    """A screen whose key is alive."""

    screen_id: UUID
    verifier: bytes
    pair: Pair
    succeeds: bool = False
    """Whether the first use of its key ends a former one."""
    sealed: bytes | None = None


class KnownScreens:
    """Reading takes no lock: one thread refreshes, and what is read is swapped whole."""

    def __init__(self, keys: Keys, directory: Directory, clock: Callable[[], datetime]) -> None:
        self._keys, self._directory, self._clock = keys, directory, clock
        self.used: set[str] = set()
        """Ids of keys that were used and end a former one; who serves adds, the next refresh takes."""
        self.flashing: dict[UUID, datetime] = {}
        """The screens that were asked to make themselves known, and until when."""
        self._by_key: dict[str, KnownScreen] = {}
        self._mark: object = None

    def screen(self, key_id: str, secret: str) -> KnownScreen | None:
        """The screen that this key is of; None where memory does not know it (yet, or any more)."""
        known = self._by_key.get(key_id)
        if known is None:
            return None
        return known if hmac.compare_digest(known.verifier, verifier(secret)) else None

    def screen_by(self, key_id: str) -> KnownScreen | None:
        """The screen of a key id; that the caller has the key is not said here."""
        return self._by_key.get(key_id)

    def of_others(self, key_ids: Iterable[str]) -> Mapping[str, bytes]:
        """Of these, the live keys that are of no screen, by what verifies them. Raises psycopg's errors."""
        return self._keys.of_others(key_ids)

    def signing_key(self, screen: KnownScreen, key_id: str) -> bytes | None:
        """What the screen signs with, opened for this once."""
        return self._keys.opened(screen.sealed, f"{ACCOUNT}{screen.screen_id}", key_id)

    def flash(self, screen_id: UUID, now: datetime) -> datetime | None:
        """Until when a screen is asked to make itself known; None where it is not."""
        until = self.flashing.get(screen_id) if self.flashing else None
        return until if until is not None and now < until else None

    def refresh(self) -> set[Pair] | None:
        """Takes in what has changed; answers the feeds whose screens must be told, None if nothing has.

        Raises psycopg's errors.
        """
        self._end_former()
        self._directory.refresh()
        mark = (self._keys.screen_mark(), self._directory.revision)
        if mark == self._mark:
            return None
        placed = self._directory.screens()
        known: dict[str, KnownScreen] = {}
        for key in self._keys.screen_keys():
            screen_id = screen_of(key.account)
            place = placed.get(screen_id) if screen_id else None
            if place is not None:
                known[key.key_id] = KnownScreen(
                    place.id, key.verifier, place.pair, key.succeeds, key.sealed
                )
        self._by_key, self._mark = known, mark
        return self._flash(placed)

    def pairs_of(self, screens: Iterable[UUID]) -> set[Pair]:
        """The pairs of these screens."""
        placed = self._directory.screens()
        return {placed[one].pair for one in screens if one in placed}

    def _end_former(self) -> None:
        used, self.used = self.used, set()
        if used:
            self._keys.supersede(used, self._clock())

    def _flash(self, placed: Mapping[UUID, PlacedScreen]) -> set[Pair]:
        now, before = self._clock(), self.flashing
        self.flashing = {
            screen.id: screen.identify_until
            for screen in placed.values()
            if screen.identify_until is not None and screen.identify_until > now
        }
        # Who waits there is answered at once, with a 304 for most.
        return {placed[one].pair for one, until in self.flashing.items() if before.get(one) != until}


def screen_of(account: str) -> UUID | None:
    """The screen that an account is of; None for an account of anything else."""
    try:
        return UUID(account.removeprefix(ACCOUNT)) if account.startswith(ACCOUNT) else None
    except ValueError:
        return None
