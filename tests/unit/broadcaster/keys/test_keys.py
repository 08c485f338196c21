"""API keys: what finds them, what ends them, and how soon."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import ConnectionPool

from broadcaster.accounts.sealing import Sealer
from broadcaster.keys import FRESH, Keys, Principal
from broadcaster.keys.rows import KEYS_DDL, KeyKind
from broadcaster.keys.text import digest, split
from schemas.events import Actor

SYSTEM = Actor(account="system:test")
SEALER = Sealer(lambda: b"s" * 32)
AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)


@dataclass
class Watch:
    """A monotonic clock that is set by hand."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(name="pool")
def _pool(database: str) -> Iterator[ConnectionPool[Any]]:
    with ConnectionPool[Any](database, min_size=1, max_size=3, open=False) as pool:
        with pool.connection() as conn:
            conn.execute(KEYS_DDL)
        yield pool


def test_a_key_finds_whom_it_was_given_to(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    key_id, text = keys.create("lan", "ubnd-00001", KeyKind.STAFF, AT)

    assert text.startswith(f"hn_{key_id}_")
    assert keys.find(text) == Principal("lan", "ubnd-00001", KeyKind.STAFF, key_id)
    for wrong in (
        "",
        "hn",
        text[:-1],
        text + "x",
        text.upper(),
        f"hn_{key_id}_",
        f"hn_000000000000_{text}",
    ):
        assert keys.find(wrong) is None


def test_the_secret_is_not_in_the_database(pool: ConnectionPool[Any]) -> None:
    _, text = Keys(pool, SEALER).create("lan", None, KeyKind.STAFF, AT)
    secret = text.split("_", 2)[2]
    with pool.connection() as conn:
        row = conn.execute("SELECT api_keys::text, secret_hash FROM api_keys").fetchone()
    assert row is not None
    assert secret not in row[0]
    assert secret.encode().hex() not in row[1].hex()


def test_a_revoked_key_is_refused_here_at_once_and_elsewhere_in_time(pool: ConnectionPool[Any]) -> None:
    watch = Watch()
    here, elsewhere = Keys(pool, SEALER, monotonic=watch), Keys(pool, SEALER, monotonic=watch)
    key_id, text = here.create("lan", None, KeyKind.STAFF, AT)
    assert here.find(text)
    assert elsewhere.find(text)

    assert here.revoke(key_id, AT, by=SYSTEM)
    assert not here.revoke(key_id, AT, by=SYSTEM)
    assert here.find(text) is None
    assert elsewhere.find(text)  # what it believes costs it no question
    watch.seconds += FRESH + 0.001
    assert elsewhere.find(text) is None
    assert FRESH <= 5


def test_what_is_believed_needs_no_database(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    _, text = keys.create("lan", None, KeyKind.STAFF, AT)
    keys.find(text)
    with pool.connection() as conn:
        conn.execute("DROP TABLE api_keys")
    assert keys.find(text)
    assert keys.find(text + "x") is None


def test_use_is_noted_by_the_minute(pool: ConnectionPool[Any]) -> None:
    watch = Watch()
    keys = Keys(pool, SEALER, monotonic=watch)
    _, text = keys.create("lan", None, KeyKind.STAFF, AT)
    seen: list[datetime | None] = []
    for minutes in (0, 0.5, 1, 1.5, 2):
        watch.seconds += FRESH + 1
        keys.find(text, AT + timedelta(minutes=minutes))
        seen.append(keys.list()[0].last_used_at)
    assert seen == [AT + timedelta(minutes=minutes) for minutes in (0, 0, 1, 1, 2)]


def test_keys_are_listed_the_newest_first(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    first, _ = keys.create("lan", None, KeyKind.STAFF, AT)
    second, _ = keys.create("lan", None, KeyKind.STAFF, AT + timedelta(hours=1))
    other, _ = keys.create("minh", None, KeyKind.STAFF, AT + timedelta(hours=2))
    assert keys.revoke_account("lan", AT + timedelta(hours=3)) == 2
    assert [(key.key_id, key.revoked_at is None) for key in keys.list()] == [
        (other, True),
        (second, False),
        (first, False),
    ]


def test_screens_keys_and_their_mark(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    keys.create("lan", None, KeyKind.STAFF, AT)
    marks = [keys.screen_mark()]
    key_id, _ = keys.create("screen:x", None, KeyKind.SCREEN, AT)
    marks.append(keys.screen_mark())
    assert [key.key_id for key in keys.screen_keys()] == [key_id]
    keys.revoke(key_id, AT, by=SYSTEM)
    marks.append(keys.screen_mark())
    assert keys.screen_keys() == []
    assert len(set(marks)) == 3


@given(st.text())
def test_any_text_is_a_key_or_is_not(text: str) -> None:
    parts = split(text)
    assert parts is None or text == f"hn_{parts[0]}_{parts[1]}"


def row_of(pool: ConnectionPool[Any], key_id: str) -> tuple[bytes, bytes | None]:
    with pool.connection() as conn:
        query = "SELECT secret_hash, signing_key FROM api_keys WHERE key_id = %s"
        row = conn.execute(query, (key_id,)).fetchone()
    assert row
    return row


def test_what_a_screen_signs_with_is_not_in_the_database(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    key_id, text = keys.create("screen:1", None, KeyKind.SCREEN, AT)
    parts = split(text)
    assert parts
    signing_key = digest(parts[1])
    found = keys.signer(key_id, AT)
    assert found == (signing_key, Principal("screen:1", None, KeyKind.SCREEN, key_id))
    verifier, sealed = row_of(pool, key_id)
    assert sealed
    assert verifier != signing_key
    assert signing_key not in sealed
    assert signing_key.hex().encode() not in sealed
    # Nor does it open for another house, another screen or another key.
    assert Keys(pool, Sealer(lambda: b"o" * 32)).signer(key_id, AT) is None
    assert keys.opened(sealed, "screen:2", key_id) is None
    assert keys.opened(sealed, "screen:1", "000000000000") is None
    # The key that is sent whole needs nothing but the database.
    assert Keys(pool, Sealer(lambda: b"o" * 32)).find(text) is not None
    staff_id, _ = keys.create("lan", None, KeyKind.STAFF, AT)
    assert keys.signer(staff_id, AT) is None


def test_keys_of_an_older_version_are_sealed_and_go_on(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    key_id, text = keys.create("screen:1", None, KeyKind.SCREEN, AT)
    signing_key = digest(text.split("_", 2)[2])
    with pool.connection() as conn:
        conn.execute("UPDATE api_keys SET secret_hash = %s, signing_key = NULL", (signing_key,))
    between = Keys(pool, SEALER)
    assert between.find(text) is not None
    assert between.signer(key_id, AT) is None
    with pool.connection() as conn:
        assert keys.seal_former(conn) == 1
        assert keys.seal_former(conn) == 0
    assert row_of(pool, key_id)[0] != signing_key
    after = Keys(pool, SEALER)
    assert after.find(text) is not None
    found = after.signer(key_id, AT)
    assert found is not None
    assert found[0] == signing_key


def test_a_former_key_signs_on_until_the_new_one_is_used(pool: ConnectionPool[Any]) -> None:
    keys = Keys(pool, SEALER)
    former, _ = keys.create("screen:1", None, KeyKind.SCREEN, AT)
    with pool.connection() as conn:
        fresh, text = keys.rotate_in(conn, "screen:1", former, AT)
    assert keys.signer(former, AT) is not None
    assert keys.signer(fresh, AT) is not None
    assert keys.find(text, AT) is not None
    assert keys.signer(former, AT) is None
