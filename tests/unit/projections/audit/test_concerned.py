"""Which bodies an event is found under, on a real database."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from psycopg import Connection

from projections.audit import view
from projections.audit.concerned import FIELDS
from projections.audit.projection import Audit
from projections.projection import Row
from schemas.events import (
    AccountClosed,
    AccountInvited,
    AccountOpened,
    Actor,
    AttemptRefused,
    DelegationGranted,
    IssuerClosed,
    KeyRevoked,
    PasswordChanged,
    RecoveryCodeUsed,
    RoleGranted,
    RoleRevoked,
)
from schemas.ids import account_stream, credentials_stream, delegations_stream, issuer_stream, key_stream
from tests.unit.projections.story import AT, Story, fold, opened, rebuild

OWN = Actor(account="mai")
ROLES, OPENS = account_stream("mai"), credentials_stream("mai")


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Audit()) as conn:
        yield conn


def found(conn: Connection[Row], body: str) -> list[str]:
    """Topics, the oldest first."""
    return [entry.topic for entry in reversed(view.entries(conn, body=body))]


def told() -> Story:
    story = Story()
    story.tell(AccountInvited, OPENS, account="mai")
    story.tell(RoleGranted, ROLES, account="mai", body="so-y-te", role="author")
    story.tell(AccountOpened, OPENS, account="mai", by=OWN)
    story.tell(RoleGranted, ROLES, account="mai", body="ubnd-001", role="auditor")
    story.tell(RoleGranted, ROLES, account="mai", body="ubnd-001", role="author")
    story.tell(RecoveryCodeUsed, OPENS, account="mai", left=3, by=OWN)
    story.tell(RoleRevoked, ROLES, account="mai", body="so-y-te", role="author")
    story.tell(RoleRevoked, ROLES, account="mai", body="ubnd-001", role="author")
    story.tell(PasswordChanged, OPENS, account="mai", by=OWN)
    story.tell(RoleRevoked, ROLES, account="mai", body="ubnd-001", role="auditor")
    story.tell(AccountClosed, OPENS, account="mai")
    return story


def test_what_opens_an_account_is_found_under_its_bodies_of_then(conn: Connection[Row]) -> None:
    fold(conn, Audit(), told().log)
    assert found(conn, "so-y-te") == [
        "role.granted",
        "account.opened",
        "account.recovery_used",
        "role.revoked",
    ]
    assert found(conn, "ubnd-001") == [
        "role.granted",
        "role.granted",
        "account.recovery_used",
        "role.revoked",
        "account.password_changed",
        "role.revoked",
    ]


def test_what_names_a_body_is_found_under_it_once(conn: Connection[Row]) -> None:
    story = Story()
    story.tell(
        DelegationGranted,
        delegations_stream("ubnd-00001"),
        delegation_id=UUID(int=1),
        grantor="ubnd-tp",
        grantee="ubnd-00001",
        fields=("mua_lon",),
        areas=("00001",),
        edition="2020-03-01",
        starts_at=AT,
        ends_at=AT.replace(year=2025),
    )
    story.tell(KeyRevoked, key_stream("k"), key_id="k", account="tram", body="ubnd-00001")
    story.tell(
        IssuerClosed,
        issuer_stream("ubnd-001"),
        issuer_id="ubnd-001",
        successors=("ubnd-00001", "ubnd-00004"),
        effective_at=AT,
    )
    refused = {"command": "issue", "rule": "role", "detail": "no", "issuer_id": "\0" + "x" * 500}
    story.tell(AttemptRefused, UUID(int=2), **refused)
    fold(conn, Audit(), story.log)
    assert found(conn, "ubnd-tp") == [recorded.event.TOPIC for recorded in story.log]  # Who acted.
    assert found(conn, "ubnd-00001") == ["delegation.granted", "key.revoked", "issuer.closed"]
    assert found(conn, "ubnd-00004") == ["issuer.closed"]
    assert found(conn, "\N{REPLACEMENT CHARACTER}" + "x" * 119) == ["attempt.refused"]


def test_rows_do_not_depend_on_pages(conn: Connection[Row]) -> None:
    story = told()
    whole = rebuild(conn, Audit(), story.log, 1000)
    assert len(whole["audit_concerned"]) == 10
    for size in (1, 2, 3):
        assert rebuild(conn, Audit(), story.log, size) == whole


def test_fields_that_are_called_like_a_body_name_one() -> None:
    """A new event with such a field is found by it: look whether that is meant, then add it here."""
    naming = {
        name: {kind.TOPIC for kind, names in FIELDS.items() if name in names} for name in ("body", "about")
    }
    assert naming["body"] == {
        "role.granted",
        "role.revoked",
        "access.asked",
        "access.confirmed",
        "access.refused",
        "access.lapsed",
        "key.revoked",
        "key.ended",
    }
    assert naming["about"] == {"reminder.due"}
    assert {kind.TOPIC.partition(".")[0] for kind, names in FIELDS.items() if "issuer_id" in names} == {
        "issuer",
        "alert",
        "attempt",
        "template",
        "area_set",
        "sms_budget",
        "screen_group",
        "cadence",
    }
