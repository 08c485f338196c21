"""The registry: who is in it, how they prove it, and that nothing stays of who leaves."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql
from psycopg_pool import ConnectionPool

from broadcaster.engines.embedded import PostgresServer
from broadcaster.registry.subscribers import (
    InvalidSubscriberError,
    Registry,
    SubscriberChange,
    UnknownSubscriberError,
)
from schemas.content import Channel
from tests.registries import AT, Desk, desk_on, holdings, person

LATER = AT + timedelta(hours=1)
PHONE, E164 = "0912345678", "+84912345678"


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Desk]:
    with desk_on(postgres) as desk:
        yield desk


@pytest.fixture
def registry(shared: Desk) -> Registry:
    shared.clear()
    return shared.registry


@pytest.fixture
def pool(shared: Desk) -> ConnectionPool[Any]:
    return shared.pool


def addresses(registry: Registry, device_id: UUID) -> tuple[str | None, str | None]:
    """The device's token and number."""
    found = registry.subscriber(device_id)
    assert found is not None
    tokens = [address.address for address in registry.addresses(Channel.PUSH, [found.id])]
    return (tokens[0] if tokens else None), found.phone


def everything(pool: ConnectionPool[Any]) -> str:
    """The text of every row of every table of ours."""
    with pool.connection() as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        assert ("subscribers",) in tables
        query = sql.SQL("SELECT t::text FROM {} t")
        return "\n".join(
            text
            for (table,) in tables
            for (text,) in connection.execute(query.format(sql.Identifier(table)))
        )


def test_a_registration_is_kept_as_said(registry: Registry) -> None:
    device_id, _ = registry.register(
        person("tok-1", PHONE, areas=["002", "00103", "00101"], locale="en", opt_outs=["tuyen_truyen"]), AT
    )
    found = registry.subscriber(device_id)
    assert found is not None
    assert (found.push, found.phone, found.platform, found.locale) == (True, E164, "android", "en")
    assert (found.edition, found.home, found.areas) == ("small", "00101", ("00103", "002"))
    assert (found.opt_outs, found.created_at, found.updated_at) == (("tuyen_truyen",), AT, AT)
    assert registry.count() == {Channel.PUSH: 1, Channel.SMS: 1}
    assert E164 not in repr(found)


def test_only_the_secret_opens(registry: Registry) -> None:
    made = registry.register(person("tok-1"), AT)
    other = registry.register(person("tok-2"), AT)
    found = registry.authenticate(made.device_id, made.secret)
    assert found is not None
    assert found.device_id == made.device_id
    for device_id, secret in ((made.device_id, other.secret), (made.device_id, ""), (uuid4(), made.secret)):
        assert registry.authenticate(device_id, secret) is None
    assert made.secret not in repr(made)


def test_a_secret_is_not_kept(registry: Registry, pool: ConnectionPool[Any]) -> None:
    assert registry.register(person("tok-1"), AT).secret not in everything(pool)


def test_a_home_must_be_a_leaf(registry: Registry, pool: ConnectionPool[Any]) -> None:
    with pytest.raises(InvalidSubscriberError, match=r"^home: must be a lowest-level area"):
        registry.register(person("tok-1", home="001"), AT)
    assert holdings(pool) == set()


def test_the_same_token_again_is_the_same_phone(registry: Registry) -> None:
    first = registry.register(person("tok-1", PHONE, areas=["002"], opt_outs=["bao"]), AT)
    id_ = registry.subscriber(first.device_id)
    again = registry.register(person("tok-1", home="00201", locale="en"), LATER)
    assert again.device_id == first.device_id
    found = registry.authenticate(again.device_id, again.secret)
    assert found is not None
    assert id_ is not None
    assert (found.id, found.home, found.areas, found.opt_outs) == (id_.id, "00201", (), ())
    assert (found.phone, found.created_at, found.updated_at) == (None, AT, LATER)
    assert registry.authenticate(first.device_id, first.secret) is None
    assert registry.count() == {Channel.PUSH: 1, Channel.SMS: 0}


def test_a_proved_number_alone_again_is_the_same_phone(registry: Registry) -> None:
    first = registry.register(person(phone=PHONE), AT)
    with_token = registry.register(person("tok-1", E164), LATER, proved=True)
    assert with_token.device_id == first.device_id
    assert addresses(registry, first.device_id) == ("tok-1", E164)


def test_a_proved_number_beside_another_token_moves(registry: Registry) -> None:
    first = registry.register(person("tok-1", PHONE), AT)
    second = registry.register(person("tok-2", PHONE), LATER, proved=True)
    assert second.device_id != first.device_id
    assert addresses(registry, first.device_id) == ("tok-1", None)
    assert addresses(registry, second.device_id) == ("tok-2", E164)
    assert registry.authenticate(first.device_id, first.secret) is not None


def test_a_token_wins_over_a_number_and_an_empty_row_goes(registry: Registry) -> None:
    by_phone = registry.register(person(phone=PHONE), AT)
    by_token = registry.register(person("tok-1"), AT)
    both = registry.register(person("tok-1", PHONE), LATER, proved=True)
    assert both.device_id == by_token.device_id
    assert registry.subscriber(by_phone.device_id) is None
    assert registry.count() == {Channel.PUSH: 1, Channel.SMS: 1}


@pytest.mark.parametrize("token", [None, "tok-2"])
@pytest.mark.parametrize("beside", [None, "tok-1"])
def test_who_names_a_number_takes_it_from_nobody(
    registry: Registry, pool: ConnectionPool[Any], beside: str | None, token: str | None
) -> None:
    owner = registry.register(person(beside, PHONE), AT)
    before = holdings(pool)
    with pytest.raises(InvalidSubscriberError, match="phone: is registered already"):
        registry.register(person(token, E164, home="00201"), LATER)
    assert holdings(pool) == before
    assert registry.authenticate(owner.device_id, owner.secret) is not None


def test_a_token_again_keeps_its_own_number_and_takes_no_other(registry: Registry) -> None:
    by_phone = registry.register(person(phone=PHONE), AT)
    by_token = registry.register(person("tok-1", "0987654321"), AT)
    assert registry.register(person("tok-1", "0987654321"), LATER).device_id == by_token.device_id
    with pytest.raises(InvalidSubscriberError, match="phone"):
        registry.register(person("tok-1", PHONE), LATER)
    assert registry.subscriber(by_phone.device_id) is not None
    assert addresses(registry, by_token.device_id) == ("tok-1", "+84987654321")


def test_many_at_once_with_the_same_addresses_leave_one(
    registry: Registry, pool: ConnectionPool[Any]
) -> None:
    start, devices = threading.Barrier(6), list[UUID]()

    def register(number: int) -> None:
        start.wait()
        for turn in range(4):
            new = person("tok-1" if (number + turn) % 2 else "tok-2", PHONE if turn % 2 else None)
            devices.append(registry.register(new, AT, proved=True).device_id)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(devices) == 24
    assert len(set(devices)) == len(holdings(pool)) == 2


def test_what_is_not_named_in_a_change_stays(registry: Registry) -> None:
    device_id, secret = registry.register(person("tok-1", PHONE, areas=["002"], opt_outs=["bao"]), AT)
    moved = registry.change(device_id, SubscriberChange(home="00202"), LATER)
    assert (moved.home, moved.areas, moved.opt_outs) == ("00202", ("002",), ("bao",))
    assert (moved.phone, moved.locale, moved.updated_at) == (E164, "vi", LATER)
    changed = registry.change(
        device_id, SubscriberChange(locale="en", opt_outs=(), areas=("00101",)), LATER
    )
    assert (changed.home, changed.areas, changed.opt_outs) == ("00202", ("00101",), ())
    assert registry.change(device_id, SubscriberChange(phone=None), LATER).phone is None
    assert registry.authenticate(device_id, secret) == registry.subscriber(device_id)


def test_a_number_that_is_changed_is_taken_from_nobody(registry: Registry) -> None:
    keeps, _ = registry.register(person("tok-1", PHONE), AT)
    stays, _ = registry.register(person(phone="0987654321"), AT)
    wants, _ = registry.register(person("tok-2"), AT)
    for number in (PHONE, "0987654321"):
        with pytest.raises(InvalidSubscriberError, match="phone: is registered already"):
            registry.change(wants, SubscriberChange(phone=number), LATER)
    assert addresses(registry, keeps) == ("tok-1", E164)
    assert registry.subscriber(stays) is not None
    registry.unregister(stays)
    assert registry.change(wants, SubscriberChange(phone="0987654321"), LATER).phone == "+84987654321"


def test_a_change_that_breaks_a_rule_changes_nothing(registry: Registry, pool: ConnectionPool[Any]) -> None:
    device_id, _ = registry.register(person(phone=PHONE, areas=["002"]), AT)
    before = holdings(pool)
    for change, rule in (
        (SubscriberChange(phone=None, locale="en"), "phone: is the only address; unregister instead"),
        (SubscriberChange(home="001", locale="en"), "home: must be a lowest-level area"),
        (SubscriberChange(areas=("nowhere",)), "areas: no. 1 is not an area"),
    ):
        with pytest.raises(InvalidSubscriberError, match=rule):
            registry.change(device_id, change, LATER)
    assert holdings(pool) == before


def test_a_refreshed_token_replaces_the_old_and_is_taken_from_its_holder(registry: Registry) -> None:
    first, _ = registry.register(person("tok-1"), AT)
    second, _ = registry.register(person("tok-2"), AT)
    registry.refresh_token(first, "tok-2", "fid", "ios", LATER)
    assert addresses(registry, first) == ("tok-2", None)
    assert registry.subscriber(second) is None
    with pytest.raises(InvalidSubscriberError, match=r"^token: must be 1 to 4096 visible"):
        registry.refresh_token(first, "", "fid", "ios", LATER)
    assert addresses(registry, first) == ("tok-2", None)


def test_an_unknown_device_is_said_to_be(registry: Registry) -> None:
    nobody = uuid4()
    assert registry.subscriber(nobody) is None
    assert registry.unregister(nobody) is False
    assert registry.note(nobody, uuid4(), 1, "shown", AT) is False
    with pytest.raises(UnknownSubscriberError):
        registry.change(nobody, SubscriberChange(locale="en"), AT)
    with pytest.raises(UnknownSubscriberError):
        registry.refresh_token(nobody, "tok-1", "token", "web", AT)


def test_nothing_is_left_of_who_unregisters(registry: Registry, pool: ConnectionPool[Any]) -> None:
    stays, _ = registry.register(person("tok-stays", home="00202"), AT)
    empty = everything(pool)
    device_id, _ = registry.register(person("tok-leaves", PHONE, areas=["002", "01"]), AT)
    registry.note(device_id, uuid4(), 1, "opened", AT)
    assert "tok-leaves" in everything(pool)
    assert E164 in everything(pool)
    assert registry.unregister(device_id) is True
    assert everything(pool) == empty
    assert registry.unregister(device_id) is False
    assert registry.subscriber(stays) is not None


def test_a_phone_reports_once_and_an_opened_alert_was_shown(registry: Registry) -> None:
    alert, other = uuid4(), uuid4()
    first, _ = registry.register(person("tok-1"), AT)
    second, _ = registry.register(person("tok-2"), AT)
    for at in (AT, LATER):
        assert registry.note(first, alert, 1, "shown", at)
    assert registry.device_counts(alert) == (1, 0)
    for version in (1, 2):
        assert registry.note(first, alert, version, "opened", LATER)
        assert registry.note(second, alert, version, "opened", LATER)
    assert registry.device_counts(alert) == (2, 2)
    assert registry.device_counts(other) == (0, 0)
    registry.unregister(second)
    assert registry.device_counts(alert) == (1, 1)


def test_the_first_report_of_a_phone_stands(registry: Registry, pool: ConnectionPool[Any]) -> None:
    alert = uuid4()
    device_id, _ = registry.register(person("tok-1"), AT)
    hours = [AT + timedelta(hours=hour) for hour in range(4)]
    for at, event in zip(hours, ("shown", "opened", "opened", "shown"), strict=True):
        registry.note(device_id, alert, 1, event, at)
    with pool.connection() as connection:
        row = connection.execute("SELECT shown_at, opened_at FROM device_receipts").fetchone()
    assert row == (hours[0], hours[1])
