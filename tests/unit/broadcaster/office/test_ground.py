"""A right taken away while somebody uses it: the log never holds what it no longer allowed."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from broadcaster.account import Role
from broadcaster.commands.alerts import AlertCommands
from broadcaster.lifecycle import Life
from broadcaster.log import ConflictError
from broadcaster.office import Office
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import SYSTEM, House, clock
from schemas.content import Content
from schemas.events import Actor, AlertIssued
from tests.house import BA_DINH, PHUC_XA, approver, author, content, house


class Interrupted(Office):
    """An office in which something happens right after somebody was found to have a right."""

    happens: Callable[[], object] | None = None

    def check(
        self, by: Actor, issuer_id: str, roles: tuple[Role, ...], content: Content | None, at: datetime
    ) -> str:
        body = super().check(by, issuer_id, roles, content, at)
        happens, self.happens = self.happens, None
        if happens:
            happens()
        return body


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


@pytest.fixture
def office(hanoi: House) -> Interrupted:
    there: Any = Interrupted.__new__(Interrupted)
    there.__dict__.update(hanoi.office.__dict__)
    return there


def approved(hanoi: House) -> UUID:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    return hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock()).id


def revoke(hanoi: House, account: str, body: str) -> None:
    event = hanoi.office.account(account).revoke(SYSTEM, body, Role.AUTHOR)
    hanoi.log.append([event], at=clock())


def test_a_role_revoked_while_its_holder_issues_is_no_role(hanoi: House, office: Interrupted) -> None:
    alert = approved(hanoi)
    office.happens = lambda: revoke(hanoi, author(PHUC_XA).account, PHUC_XA)
    with pytest.raises(RefusedError) as refused:
        AlertCommands(office).issue(author(PHUC_XA), alert, at=clock())
    assert refused.value.rule == Rule.BODY
    assert not [each for each in hanoi.log.everything() if isinstance(each.event, AlertIssued)]


def test_what_changes_elsewhere_only_has_it_decided_again(hanoi: House, office: Interrupted) -> None:
    alert = approved(hanoi)
    office.happens = lambda: revoke(hanoi, author(BA_DINH).account, BA_DINH)
    assert AlertCommands(office).issue(author(PHUC_XA), alert, at=clock()).life is Life.LIVE


def test_one_who_never_gets_to_decide_is_told(hanoi: House, office: Interrupted) -> None:
    alert, turns = approved(hanoi), iter(range(99))

    def again() -> None:
        name = f"someone-{next(turns)}"
        hanoi.setup.grant(SYSTEM, name, PHUC_XA, Role.AUTHOR, at=clock())
        office.happens = again

    office.happens = again
    with pytest.raises(ConflictError, match="changed by others"):
        AlertCommands(office).issue(author(PHUC_XA), alert, at=clock())
