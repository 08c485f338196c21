"""Nobody gets in by one manager alone: random histories against a brute-force oracle."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from broadcaster.access import CONFIRM_WITHIN, Standing
from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.accounts.passwords import Passwords
from broadcaster.accounts.sealing import Sealer
from broadcaster.accounts.store import AccountError, Accounts, State
from broadcaster.commands.access import AccessCommands
from broadcaster.engines.embedded import PostgresServer
from broadcaster.log import UnknownStreamError
from broadcaster.rules import RefusedError
from broadcaster.runtime import SYSTEM, House, clock
from schemas.events import AccessConfirmed, AccessLapsed, Actor, AttemptRefused, RoleGranted
from tests.house import BA_DINH, PHUC_XA, TRUC_BACH, house

CITY = "ubnd-tp"
TIMEKEEPER = Actor(account="system:timekeeper")
NAMES = st.sampled_from(["an", "binh", "chi", "dung"])
BODIES = st.sampled_from([PHUC_XA, TRUC_BACH, CITY])
ROLES = st.sampled_from(list(Role))
WISHES = st.sampled_from(["invite", "grant", "key"])
_NUMBERS = count()


@pytest.fixture(name="hanoi", scope="module")
def _hanoi(postgres: PostgresServer, furnished: str) -> Iterator[House]:
    database = f"access_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as conn:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        conn.execute(create.format(sql.Identifier(database), sql.Identifier(furnished)))
    with house(postgres.url_of(database)) as opened:
        for name in ("thanh", "thuy"):
            opened.setup.grant(SYSTEM, name, CITY, Role.MANAGER, at=clock())
        accounts = commands(opened)._accounts  # pyright: ignore[reportPrivateUsage]
        for name in ("thanh", "thuy", *(f"manager@{body}" for body in (PHUC_XA, TRUC_BACH, BA_DINH))):
            accounts.create(name, "mưa rơi trên phố", codes.new_secret(), SYSTEM.account, clock())
        yield opened


def commands(hanoi: House) -> AccessCommands:
    accounts = Accounts(
        hanoi.pool,
        hanoi.log,
        Sealer(lambda: bytes(32)),
        Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
    )
    return AccessCommands(hanoi.pool, hanoi.office, accounts, hanoi.keys)


@dataclass
class Asked:
    """What the oracle knows of a request that was taken."""

    id: Any
    wish: str
    account: str
    body: str
    role: Role
    asker: str
    lapses_at: Any
    secret: str | None
    pin: str | None = None
    settled: bool = False


@dataclass
class World:
    """The oracle: who holds what by the letter of the rule, and who was given which secret."""

    suffix: str
    held: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    asked: list[Asked] = field(default_factory=list[Asked])

    def recent(self, back: int) -> Asked:
        return self.asked[-min(back, len(self.asked))]

    def manages(self, account: str, body: str) -> bool:
        return bool({(account, of, "manager") for of in (body, CITY)} & self.held)

    def may_confirm(self, by: str, one: Asked, at: Any) -> bool:
        return (
            not one.settled
            and at < one.lapses_at
            and by not in {one.asker, one.account}
            and self.manages(by, one.body)
            and self.manages(one.asker, one.body)
        )


WHO = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 5])
"""The actors: two managers of the city, one of each commune, and two who may get in."""
RECENT = st.sampled_from([1, 1, 1, 2, 3, 5, 9])
"""Which request, counted from the last."""
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), WHO, WISHES, NAMES, BODIES, ROLES),
        st.tuples(st.just("confirm"), WHO, RECENT),
        st.tuples(st.just("confirm"), WHO, RECENT),
        st.tuples(st.just("refuse"), WHO, RECENT),
        st.tuples(st.just("accept"), RECENT),
        st.tuples(st.just("wait"), st.sampled_from([5, 30, 60, 61])),
        st.tuples(st.just("revoke"), WHO, NAMES, BODIES, ROLES),
    ),
    min_size=15,
    max_size=30,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_nothing_is_given_that_two_managers_did_not_both_want(hanoi: House, steps: list[Any]) -> None:
    """Whatever is tried in whatever order, a role or key exists only with two hands on its request."""
    access, at, suffix = commands(hanoi), clock(), f"{next(_NUMBERS)}"
    world = World(suffix)
    world.held |= {("thanh", CITY, "manager"), ("thuy", CITY, "manager")}
    for body in (PHUC_XA, TRUC_BACH):
        world.held.add((f"manager@{body}", body, "manager"))
    actors = ["thanh", "thuy", f"manager@{PHUC_XA}", f"manager@{TRUC_BACH}", f"an{suffix}", f"binh{suffix}"]
    for step in steps:
        if step[0] == "wait":
            at += timedelta(minutes=step[1])
        _take(access, world, actors, step, at)
        _compare(hanoi, access, world)


def _take(access: AccessCommands, world: World, actors: list[str], step: tuple[Any, ...], at: Any) -> None:
    match step:
        case ("ask", who, wish, name, body, role):
            _ask(access, world, actors[who], (wish, f"{name}{world.suffix}", body, role), at)
        case ("confirm", who, back) if world.asked:
            _confirm(access, world, actors[who], world.recent(back), at)
        case ("refuse", who, back) if world.asked:
            _refuse(access, world, actors[who], world.recent(back), at)
        case ("accept", back) if world.asked:
            _accept(access, world.recent(back), at)
        case ("wait", _):
            access.lapse(TIMEKEEPER, at)
        case ("revoke", who, name, body, role):
            _revoke(access, world, actors[who], (f"{name}{world.suffix}", body, role), at)
        case _:
            pass


def _by(account: str) -> Actor:
    return Actor(account=account)


def _done(command: Any) -> bool:
    try:
        command()
    except (RefusedError, AccountError):
        return False
    return True


def _ask(access: AccessCommands, world: World, by: str, what: tuple[Any, ...], at: Any) -> None:
    wish, account, body, role = what
    try:
        made = access.ask(_by(by), wish, account, body, role, at=at)
    except (RefusedError, AccountError):
        return  # What is not given harms nobody; what is given is looked at below.
    assert world.manages(by, body)
    assert by != account
    assert wish != "key" or role in {Role.AUTHOR, Role.AUDITOR}
    lapses_at = at + CONFIRM_WITHIN
    world.asked.append(Asked(made.request.id, wish, account, body, role, by, lapses_at, made.secret))


def _confirm(access: AccessCommands, world: World, by: str, one: Asked, at: Any) -> None:
    try:
        made = access.confirm(_by(by), one.id, at=at)
    except (RefusedError, AccountError):
        return
    assert world.may_confirm(by, one, at), (by, one)
    one.settled, one.pin = True, made.pin
    assert (made.pin is not None) == (one.wish == "invite")
    world.held.add((one.account, one.body, one.role.value))


def _refuse(access: AccessCommands, world: World, by: str, one: Asked, at: Any) -> None:
    may = not one.settled and at < one.lapses_at and world.manages(by, one.body)
    assert _done(lambda: access.refuse(_by(by), one.id, at=at)) == may
    one.settled |= may


def _revoke(access: AccessCommands, world: World, by: str, what: tuple[str, str, Role], at: Any) -> None:
    name, body, role = what
    held = (name, body, role.value)
    may = world.manages(by, body) and held in world.held
    assert _done(lambda: access.revoke(_by(by), name, body, role, at=at)) == may
    if may:
        world.held.discard(held)


def _accept(access: AccessCommands, one: Asked, at: Any) -> None:
    """Who asked has the link. Without the number of the one who confirmed it opens nothing."""
    if one.wish != "invite" or one.secret is None:
        return
    accounts = access._accounts  # pyright: ignore[reportPrivateUsage]
    invited = accounts.invited(one.secret, at)
    if invited is None:
        return
    assert one.pin is not None, "an invitation is open that nobody confirmed"
    code = codes.code(invited.secret, at)
    for pin in ("", "00000000", one.secret):
        if pin != one.pin:
            with pytest.raises(AccountError, match="pin"):
                accounts.accept(one.secret, "mưa rơi trên phố", code, at, pin)
    assert accounts.accept(one.secret, "mưa rơi trên phố", code, at, one.pin) == one.account


def _compare(hanoi: House, access: AccessCommands, world: World) -> None:
    names = [f"{name}{world.suffix}" for name in ("an", "binh", "chi", "dung")]
    real = {(name, body, role) for name in names for body, role in hanoi.office.account(name).roles}
    assert real == {each for each in world.held if each[0] in names}
    given = {one.account for one in world.asked if one.pin}
    for name in names:
        if access._accounts.state(name) is not None:  # pyright: ignore[reportPrivateUsage]
            assert name in given
    for one in world.asked:
        if one.wish == "key" and one.secret:
            confirmed = access.request(one.id).settled is Standing.CONFIRMED
            assert (hanoi.keys.find(one.secret) is not None) == confirmed


def test_one_manager_alone_gets_nobody_in(hanoi: House) -> None:
    access, at = commands(hanoi), clock()
    by = Actor(account=f"manager@{PHUC_XA}", body=PHUC_XA)
    asked = [
        access.ask(by, "invite", name, PHUC_XA, role, at=at)
        for name, role in (("ma1", Role.AUTHOR), ("ma2", Role.APPROVER), ("ma3", Role.MANAGER))
    ]
    for one in asked:
        with pytest.raises(RefusedError, match="four-eyes"):
            access.confirm(by, one.request.id, at=at)
        assert one.secret is not None
        assert access._accounts.invited(one.secret, at) is None  # pyright: ignore[reportPrivateUsage]
    other = Actor(account=f"manager@{BA_DINH}", body=BA_DINH)
    with pytest.raises(RefusedError, match=r"body\.not-yours"):
        access.confirm(other, asked[0].request.id, at=at)
    refused = [e.event for e in hanoi.log.everything() if isinstance(e.event, AttemptRefused)]
    assert [each.command for each in refused[-4:]] == ["confirm invite"] * 4
    # Not even a second account: it cannot be taken with the link alone, though the city confirmed it.
    confirmed = access.confirm(_by("thanh"), asked[2].request.id, at=at)
    assert confirmed.pin is not None
    granted = [e.event for e in hanoi.log.everything() if isinstance(e.event, RoleGranted)][-1]
    assert (granted.account, granted.by.account, granted.by.body) == ("ma3", "thanh", CITY)
    assert granted.request_id == asked[2].request.id
    assert access._accounts.state("ma3") is State.INVITED  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(RefusedError, match="confirms what"):
        hanoi.setup.grant(by, "ma1", PHUC_XA, Role.APPROVER, at=at)


def test_an_hour_is_an_hour(hanoi: House) -> None:
    access, at = commands(hanoi), clock()
    one = access.ask(_by("thanh"), "invite", "gio", PHUC_XA, Role.AUTHOR, at=at)
    assert [each.id for each in access.of("thuy", at)][-1] == one.request.id
    access.lapse(TIMEKEEPER, at + CONFIRM_WITHIN - timedelta(microseconds=1))
    assert access.request(one.request.id).standing(at) is Standing.WAITING
    with pytest.raises(RefusedError, match="is lapsed"):
        access.confirm(_by("thuy"), one.request.id, at=at + CONFIRM_WITHIN)
    assert access.lapse(TIMEKEEPER, at + CONFIRM_WITHIN) >= 1
    assert access.lapse(TIMEKEEPER, at + CONFIRM_WITHIN) == 0
    assert one.request.id not in {each.id for each in access.of("thuy", at)}
    last = [e.event for e in hanoi.log.everything() if isinstance(e.event, AccessLapsed | AccessConfirmed)]
    assert last[-1].TOPIC == "access.lapsed"
    with pytest.raises(UnknownStreamError):
        access.confirm(_by("thuy"), UUID(int=5), at=at)


def test_a_manager_who_was_let_go_asked_for_nothing(hanoi: House) -> None:
    access, at = commands(hanoi), clock()
    hanoi.setup.grant(SYSTEM, "cuu", PHUC_XA, Role.MANAGER, at=at)
    one = access.ask(_by("cuu"), "invite", "ban-cua-cuu", PHUC_XA, Role.AUTHOR, at=at)
    access.revoke(_by("thanh"), "cuu", PHUC_XA, Role.MANAGER, at=at)
    with pytest.raises(RefusedError, match="no longer a manager"):
        access.confirm(_by("thuy"), one.request.id, at=at)


def test_a_key_is_nobodys_second_pair_of_eyes(hanoi: House) -> None:
    """The operator can give a program the role of a manager: it asks, and lets nobody in."""
    access, at = commands(hanoi), clock()
    hanoi.setup.grant(SYSTEM, "may-quan-ly", PHUC_XA, Role.MANAGER, at=at)
    one = access.ask(_by("thanh"), "invite", "nguoi-ao", PHUC_XA, Role.APPROVER, at=at)
    with pytest.raises(RefusedError, match="a person confirms"):
        access.confirm(_by("may-quan-ly"), one.request.id, at=at)
    assert access.request(one.request.id).standing(at) is Standing.WAITING
    assert access._accounts.state("nguoi-ao") is None  # pyright: ignore[reportPrivateUsage]
    access.refuse(_by("may-quan-ly"), one.request.id, at=at)
    other = access.ask(_by("may-quan-ly"), "invite", "nguoi-that", PHUC_XA, Role.AUTHOR, at=at)
    access.confirm(_by("thanh"), other.request.id, at=at)
    assert access._accounts.state("nguoi-that") is State.INVITED  # pyright: ignore[reportPrivateUsage]


def test_a_key_opens_no_more_than_was_asked_for(hanoi: House) -> None:
    access, at = commands(hanoi), clock()
    hanoi.setup.grant(SYSTEM, "tram-do", TRUC_BACH, Role.AUTHOR, at=at)
    hanoi.setup.grant(SYSTEM, "may-duyet", PHUC_XA, Role.APPROVER, at=at)
    # Keys of these would open what others gave them: roles of another body, or more than to write.
    for name in ("tram-do", "may-duyet"):
        with pytest.raises(RefusedError, match=r"state\.exists"):
            access.ask(_by("thanh"), "key", name, PHUC_XA, Role.AUTHOR, at=at)
    with pytest.raises(RefusedError, match=r"role\.missing"):
        access.ask(_by("thanh"), "key", "robot", PHUC_XA, Role.APPROVER, at=at)
    one = access.ask(_by("thanh"), "key", "robot", PHUC_XA, Role.AUTHOR, at=at)
    assert one.secret is not None
    assert hanoi.keys.find(one.secret) is None
    access.confirm(_by("thuy"), one.request.id, at=at)
    found = hanoi.keys.find(one.secret)
    assert found is not None
    assert (found.account, found.body) == ("robot", PHUC_XA)
    access.revoke_key(_by("thuy"), found.key_id, at=at)
    assert hanoi.keys.find(one.secret) is None
    with pytest.raises(RefusedError, match="revoked already"):
        access.revoke_key(_by("thuy"), found.key_id, at=at)
