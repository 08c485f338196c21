"""Reminding a body from its page: by who watches over it, once a day, in the log."""

import pytest

from broadcaster.account import Role
from schemas.events import Notice, ReminderDue
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, HANG_BAC, PASSWORD, PHUC_XA, SECRET, SYSTEM, Town

PAGE = f"/console/cadence/{HANG_BAC}"


@pytest.fixture(name="boss")
def _boss(town: Town) -> Browser:
    """A manager of the body above, on the third day after everyone was registered."""
    town.setup.grant(SYSTEM, "boss", CITY, Role.MANAGER, at=town.now)
    town.desk.accounts.create("boss", PASSWORD, SECRET, "system:setup", town.now)
    town.later(days=5)
    town.follow()
    return Browser(town).sign_in("boss")


def asked(town: Town) -> list[ReminderDue]:
    found = (one.event for one in town.log.everything())
    return [one for one in found if isinstance(one, ReminderDue) and one.notice is Notice.ASKED]


def test_a_body_is_reminded_once_a_day(town: Town, boss: Browser) -> None:
    boss.go(PAGE).press("Nhắc bằng thư").sees("Hôm nay đã nhắc.")
    (notice,) = asked(town)
    assert (notice.recipient, notice.about, notice.by.account, notice.by.body) == (
        HANG_BAC,
        HANG_BAC,
        "boss",
        CITY,
    )
    assert [claim.notice for claim in town.reminders.claim(town.now)] == [notice]
    boss.send(f"{PAGE}/remind", [("csrf", boss.csrf())])
    assert boss.path == PAGE
    assert len(asked(town)) == 1
    town.later(days=1)
    Browser(town).sign_in("boss").go(PAGE).press("Nhắc bằng thư")
    assert len(asked(town)) == 2


@pytest.mark.parametrize("account", ["lan", "tuan", "kiem"])
def test_nobody_else_reminds(town: Town, boss: Browser, account: str) -> None:
    assert boss
    other = Browser(town).sign_in(account).go(PAGE)
    assert "Nhắc bằng thư" not in other.text
    other.send(f"{PAGE}/remind", [("csrf", other.csrf())])
    assert other.status == 403
    assert asked(town) == []
    assert town.refusals()[-1].command == "remind"


def test_the_office_reminds_as_itself(town: Town, boss: Browser) -> None:
    assert boss
    hoa = Browser(town).sign_in("hoa")
    hoa.go(PAGE).press("Nhắc bằng thư")
    assert asked(town)[0].by.body == PHUC_XA


def test_who_owes_nothing_soon_is_not_reminded(town: Town, boss: Browser) -> None:
    boss.send("/console/cadence/nobody/remind", [("csrf", boss.csrf())])
    assert boss.status == 404
    town.issue()
    town.follow()
    lucky = boss.go(f"/console/cadence/{PHUC_XA}")
    assert "Nhắc bằng thư" not in lucky.text
    boss.send(f"/console/cadence/{PHUC_XA}/remind", [("csrf", boss.csrf())])
    assert boss.status == 409
    assert asked(town) == []


def test_every_overdue_row_of_the_list_has_the_button(town: Town, boss: Browser) -> None:
    town.issue()
    town.follow()
    boss.go("/console/cadence?state=overdue")
    assert f'action="{PAGE}/remind"' in boss.answer.text
    # The city itself has nobody above it, and Phúc Xá is on time.
    assert f"/{CITY}/remind" not in boss.answer.text
    assert f"/{PHUC_XA}/remind" not in boss.answer.text
    same = [("csrf", boss.csrf()), ("back", "/console/cadence?state=overdue&page=1")]
    boss.send(f"{PAGE}/remind", same)
    assert boss.path == f"/console/cadence?state=overdue&page=1#b-{HANG_BAC}"
    boss.sees("Hôm nay đã nhắc.")
    assert [notice.recipient for notice in asked(town)] == [HANG_BAC]
    away = [("csrf", boss.csrf()), ("back", "https://example.org/console/cadence?")]
    assert boss.send(f"{PAGE}/remind", away).path == PAGE
    assert "Nhắc</button>" not in Browser(town).sign_in("kiem").go("/console/cadence").answer.text
