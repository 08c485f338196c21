"""The registry of devices and phones: an ordinary table, erasable, never in the log.

It is the only place with personal data. An address has one owner, so no phone gets an alert twice.
Where a registration names an address that is already here,
- the subscriber that holds the token is the same phone: it keeps its ids, everything else becomes
  what is now said, and its secret is new;
- a number stays with whoever holds it, and the registration is refused: anyone can name a number, and
  who could take one might send its owner's alerts elsewhere;
- unless it is proved, by the operator's import or the app's own server: the subscriber that holds the
  number, if it has no token, is the same phone; a number held beside another token moves, and the old
  one keeps its token.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg import Cursor

from broadcaster.registry.address_book import HOLD_SHARED, Address, AddressBook, Audience, Row
from broadcaster.registry.device_receipts import DeviceCounts, DeviceEvent, DeviceReceipts
from broadcaster.registry.rows import (
    SUBSCRIBERS_DDL,
    Holder,
    Keys,
    check_number_free,
    follow,
    insert,
    lock,
    phone_columns,
    push_columns,
    same_phone,
    take,
    update,
)
from broadcaster.registry.rules import (
    InvalidSubscriberError,
    NewSubscriber,
    Platform,
    SubscriberChange,
    TokenKind,
    check_push_address,
    places,
)
from broadcaster.registry.testers import Testers
from schemas.content import Language

__all__ = [
    "SUBSCRIBERS_DDL",
    "Address",
    "Audience",
    "BeingMovedError",
    "DeviceCounts",
    "DeviceEvent",
    "InvalidSubscriberError",
    "NewSubscriber",
    "Registered",
    "Registry",
    "Subscriber",
    "SubscriberChange",
    "UnknownSubscriberError",
]

_ONE: LiteralString = """
SELECT secret_hash,
    ARRAY(SELECT area_no FROM subscriber_areas WHERE subscriber_id = id AND NOT meanwhile ORDER BY area_no),
    ARRAY(SELECT area_no FROM subscriber_areas WHERE subscriber_id = id AND meanwhile ORDER BY area_no),
    id, device_id, push_hash IS NOT NULL, msisdn, platform, locale, edition, home, opt_outs,
    created_at, updated_at
FROM subscribers WHERE device_id = %s
"""


class UnknownSubscriberError(LookupError):
    """No such device: never registered, or erased."""

    def __init__(self, device_id: UUID) -> None:
        super().__init__(f"device {device_id} is not registered")
        self.device_id = device_id


class BeingMovedError(Exception):
    """The row is still in the edition before: its other codes cannot be read together with new ones."""

    def __init__(self, edition: str) -> None:
        super().__init__(f"subscribers are being moved to edition {edition} of the area register")
        self.edition = edition


class Registered(NamedTuple):
    """A phone's public id, and the secret that proves it is the one; never shown again."""

    device_id: UUID
    secret: str

    def __repr__(self) -> str:
        return f"Registered(device_id={self.device_id!r})"


@dataclass(frozen=True)
class Subscriber:
    """What the registry holds about one phone, its token apart."""

    id: int
    device_id: UUID
    push: bool
    """Whether it has a token."""
    phone: str | None = field(repr=False)
    platform: Platform | None
    locale: Language
    edition: str
    home: str
    opt_outs: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    areas: tuple[str, ...]
    """Further ones, by choice."""
    meanwhile: tuple[str, ...]
    """The other parts of a home that was split, until the subscriber names a home."""


class Registry(AddressBook, DeviceReceipts, Testers):
    """Registers, changes and erases subscribers; answers who is concerned and where to reach them.

    `tree` gives the area tree of the edition in force, `tree_of` that of any. A row says which one it
    is in: for a moment after another edition took effect that is still the one before.
    """

    def register(self, new: NewSubscriber, at: datetime, *, proved: bool = False) -> Registered:
        """Takes a phone in, or again: see the rules above. Raises InvalidSubscriberError.

        `proved` says that the number is known to be of who registers; then it is taken from any other.
        """
        tree = self._tree()
        place = places(tree, new.home, new.areas)
        secret = secrets.token_urlsafe(32)
        columns = {
            "secret_hash": _digest(secret),
            **push_columns(new.token, new.token_kind, new.platform),
            **phone_columns(new.phone),
            "locale": new.locale,
            "edition": tree.edition,
            "home": new.home,
            "home_no": place.home,
            "opt_outs": list(new.opt_outs),
            "updated_at": at,
        }
        keys = Keys.of(new.token, new.phone)
        with self._cursor() as cursor:
            holders = lock(cursor, keys)
            if not proved:
                check_number_free(holders, keys)
            same = same_phone(holders, keys)
            take(cursor, [other for other in holders if other != same], keys)
            if same is None:
                id_, device_id = insert(cursor, columns | {"created_at": at})
            else:
                id_, device_id = same.id, same.device_id
                update(cursor, id_, columns)
            follow(cursor, id_, place.areas)
        return Registered(device_id, secret)

    def authenticate(self, device_id: UUID, secret: str) -> Subscriber | None:
        """The subscriber, where the secret is its own. An unknown device takes as long as a known one."""
        found = self._find(device_id)
        kept = found[1] if found else None
        right = hmac.compare_digest(kept or bytes(32), _digest(secret))
        return found[0] if found and kept and right else None

    def change(
        self, device_id: UUID, change: SubscriberChange, at: datetime, *, proved: bool = False
    ) -> Subscriber:
        """Changes what is named, and answers the whole. `proved` as of `register`.

        Raises UnknownSubscriberError, InvalidSubscriberError.
        """
        columns: dict[str, Any] = {"updated_at": at}
        if change.locale is not None:
            columns["locale"] = change.locale
        if change.opt_outs is not None:
            columns["opt_outs"] = list(change.opt_outs)
        with self._cursor() as cursor:
            own = _own(cursor, device_id, Keys.of(phone=change.phone), proved=proved)
            if "phone" in change.model_fields_set:
                if change.phone is None and own.keys.push is None:
                    raise InvalidSubscriberError("phone", "is the only address; unregister instead")
                columns |= phone_columns(change.phone)
            if change.home is not None or change.areas is not None:
                columns |= self._move(cursor, own, change)
            update(cursor, own.id, columns)
            return self._get(device_id, cursor)

    def _move(self, cursor: Cursor[Row], own: Holder, change: SubscriberChange) -> dict[str, Any]:
        tree, before = self._tree(), self._get(own.device_id, cursor)
        if before.edition != tree.edition and (change.home is None or change.areas is None):
            raise BeingMovedError(tree.edition)
        home = before.home if change.home is None else change.home
        place = places(tree, home, before.areas if change.areas is None else change.areas)
        follow(cursor, own.id, place.areas, settled=change.home is not None)
        return {"edition": tree.edition, "home": home, "home_no": place.home}

    def refresh_token(
        self, device_id: UUID, token: str, kind: TokenKind, platform: Platform, at: datetime
    ) -> None:
        """The phone's push service gave it another token.

        Raises UnknownSubscriberError, InvalidSubscriberError.
        """
        check_push_address(token, kind, platform)
        with self._cursor() as cursor:
            own = _own(cursor, device_id, Keys.of(token))
            update(cursor, own.id, push_columns(token, kind, platform) | {"updated_at": at})

    def unregister(self, device_id: UUID) -> bool:
        """Erases everything about the device; False where there was nothing."""
        with self._cursor() as cursor:
            cursor.execute(HOLD_SHARED)
            cursor.execute("DELETE FROM subscribers WHERE device_id = %s", (device_id,))
            return cursor.rowcount == 1

    def subscriber(self, device_id: UUID) -> Subscriber | None:
        """What is held about the device."""
        found = self._find(device_id)
        return found[0] if found else None

    def _find(
        self, device_id: UUID, cursor: Cursor[Row] | None = None
    ) -> tuple[Subscriber, bytes | None] | None:
        with self._cursor(cursor) as reader:
            row = reader.execute(_ONE, (device_id,)).fetchone()
        if row is None:
            return None
        secret_hash, areas, meanwhile, *facts, opt_outs, created_at, updated_at = row
        tree = self._tree_of(facts[6])
        found = Subscriber(
            *facts,
            opt_outs=tuple(opt_outs),
            created_at=created_at.astimezone(UTC),
            updated_at=updated_at.astimezone(UTC),
            areas=tuple(tree.at(number).code for number in areas),
            meanwhile=tuple(tree.at(number).code for number in meanwhile),
        )
        return found, secret_hash

    def _get(self, device_id: UUID, cursor: Cursor[Row] | None = None) -> Subscriber:
        found = self._find(device_id, cursor)
        if found is None:
            raise UnknownSubscriberError(device_id)
        return found[0]


def _own(cursor: Cursor[Row], device_id: UUID, keys: Keys, *, proved: bool = False) -> Holder:
    """The device's row, locked, after its new token was taken from whoever else held it.

    Raises UnknownSubscriberError, InvalidSubscriberError where another holds the number.
    """
    holders = lock(cursor, keys, device_id)
    own = next((holder for holder in holders if holder.device_id == device_id), None)
    if own is None:
        raise UnknownSubscriberError(device_id)
    if not proved:
        check_number_free(holders, keys, device_id)
    take(cursor, [other for other in holders if other != own], keys)
    return own


def _digest(secret: str) -> bytes:
    # The secret is 256 random bits: nothing to guess, so nothing to slow down.
    return sha256(secret.encode()).digest()
