"""What opens an account is never changed unseen: each change is an event, and no event says what it is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher

from broadcaster.accounts import codes
from broadcaster.accounts.desk import Desk
from broadcaster.accounts.passwords import Passwords
from broadcaster.accounts.sealing import Sealer
from broadcaster.accounts.store import AccountError
from broadcaster.log import AlertLog
from broadcaster.runtime import House, clock
from projections.audit.words import describe
from schemas.events import Event
from schemas.ids import credentials_stream
from tests.house import house

FIRST, SECOND = "mưa rơi trên phố", "nắng lên ngoài bãi"
PROVIDER = "https://id.example.vn"
SUBJECT = "subject-7f31"


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def desk(hanoi: House, log: AlertLog | None = None) -> Desk:
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Desk.of(hanoi.pool, log or hanoi.log, Sealer(lambda: bytes(32)), passwords=quick)


def told(hanoi: House, account: str) -> list[Any]:
    stream = credentials_stream(account)
    return [one.event for one in hanoi.log.everything() if one.event.originator_id == stream]


def test_every_change_is_told_once_and_none_of_it_is_a_secret(hanoi: House) -> None:
    at, its = clock(), desk(hanoi)
    token = its.accounts.invite("lan", "system:setup", at)
    invited = its.accounts.invited(token, at)
    assert invited is not None
    its.accounts.accept(token, FIRST, codes.code(invited.secret, at), at)
    its.accounts.set_password("lan", SECOND, "lan", at)
    following = its.accounts.begin_secret("lan")
    assert its.accounts.take_secret("lan", codes.code(following, at), at)
    paper = its.accounts.recovery.renew("lan", at)
    assert its.accounts.sign_in("lan", SECOND, paper[0], at)
    assert its.links.link(PROVIDER, SUBJECT, "lan", at)
    assert its.links.unlink(PROVIDER, "lan", at)
    assert its.accounts.close("lan", "system:operator", at)
    found = told(hanoi, "lan")
    assert [(each.TOPIC, each.by.account) for each in found] == [
        ("account.invited", "system:setup"),
        ("account.opened", "lan"),
        ("account.password_changed", "lan"),
        ("account.second_factor_changed", "lan"),
        ("account.recovery_renewed", "lan"),
        ("account.recovery_used", "lan"),
        ("account.linked", "lan"),
        ("account.unlinked", "lan"),
        ("account.closed", "system:operator"),
    ]
    assert [each.originator_version for each in found] == list(range(1, 10))
    assert found[5].left == len(paper) - 1
    kept = b"".join(each.payload() for each in found).decode()
    shown = "".join(word for each in found for word in describe(each))
    secrets = [token, FIRST, SECOND, invited.secret, following, SUBJECT, *paper]
    assert not [each for each in secrets if each in kept or each in shown]


def test_what_was_refused_is_no_change(hanoi: House) -> None:
    at, its = clock(), desk(hanoi)
    its.accounts.create("lan", FIRST, codes.new_secret(), "system:setup", at)
    with pytest.raises(AccountError, match="short"):
        its.accounts.set_password("lan", "ngắn", "lan", at)
    its.accounts.begin_secret("lan")
    assert not its.accounts.take_secret("lan", "000000x", at)
    assert not its.accounts.recovery.take("lan", "abcd-efgh-jkmn-pqrs", at)
    assert not its.links.unlink(PROVIDER, "lan", at)
    assert not its.accounts.close("minh", "system:operator", at)
    its.accounts.set_password("minh", SECOND, "lan", at)
    assert told(hanoi, "lan") == told(hanoi, "minh") == []
    assert its.links.link(PROVIDER, SUBJECT, "lan", at)
    assert not its.links.link(PROVIDER, SUBJECT, "minh", at)
    assert [each.TOPIC for each in told(hanoi, "lan")] == ["account.linked"]
    assert told(hanoi, "minh") == []


class Torn(AlertLog):
    """A log that cannot be written."""

    def append_in(self, *given: Any, **more: Any) -> int:
        del given, more
        raise OSError("no room")


CHANGES: dict[str, Callable[[Desk], object]] = {
    "password": lambda its: its.accounts.set_password("lan", SECOND, "lan", clock()),
    "codes": lambda its: its.accounts.recovery.renew("lan", clock()),
    "link": lambda its: its.links.link(PROVIDER, SUBJECT, "lan", clock()),
    "close": lambda its: its.accounts.close("lan", "system:operator", clock()),
    "invite": lambda its: its.accounts.invite("moi", "system:setup", clock()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_log_does_not_take_is_not_changed(hanoi: House, change: str) -> None:
    its, torn = desk(hanoi), desk(hanoi, Torn(hanoi.pool))
    its.accounts.create("lan", FIRST, codes.new_secret(), "system:setup", clock())
    with pytest.raises(OSError, match="no room"):
        CHANGES[change](torn)
    assert its.accounts.knows_password("lan", FIRST)
    assert its.accounts.recovery.left("lan") == 0
    assert not its.links.is_linked(PROVIDER, "lan")
    assert its.accounts.state("moi") is None
    assert told(hanoi, "lan") == []


def test_an_event_of_the_kind_has_no_room_for_a_secret() -> None:
    for topic in ("account.password_changed", "account.linked", "account.recovery_used"):
        with pytest.raises(ValueError, match="Extra inputs"):
            Event.load(
                topic,
                credentials_stream("lan"),
                1,
                b'{"by":{"account":"lan"},"account":"lan","provider":"x","left":1,"secret":"y"}',
            )
