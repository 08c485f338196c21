"""Inviting and granting: a manager for the own body, never for oneself, never over someone's head."""

from broadcaster.account import Role
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import HANG_BAC, PHUC_XA, SYSTEM, Town


def test_a_manager_invites_and_grants(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    hoa.sees("lan", "minh", "soạn tin")
    assert "tuan" not in hoa.text
    hoa.press("Mời", account="Thu@ubnd-00001", role="author")
    assert hoa.status == 200, hoa.text
    hoa.sees("Lời mời cho thu@ubnd-00001", "http://town/console/welcome/")
    assert (PHUC_XA, "author") in town.office.account("thu@ubnd-00001").roles
    hoa.press("Thêm vai trò", account="thu@ubnd-00001", role="approver")
    assert (PHUC_XA, "approver") in town.office.account("thu@ubnd-00001").roles
    hoa.press("Bớt vai trò", account="thu@ubnd-00001", role="approver")
    assert (PHUC_XA, "approver") not in town.office.account("thu@ubnd-00001").roles
    hoa.sees("chờ nhận lời mời")


def test_nobody_helps_himself(town: Town) -> None:
    hoa = (
        Browser(town)
        .sign_in("hoa")
        .go("/console/people")
        .press("Thêm vai trò", account="hoa", role="approver")
    )
    assert hoa.status == 422
    assert town.office.account("hoa").roles == {(PHUC_XA, "manager")}
    assert [each.rule for each in town.refusals()] == ["approval.four-eyes"]
    values = [("csrf", hoa.csrf()), ("account", "new"), ("body", HANG_BAC), ("role", "author")]
    assert hoa.send("/console/people/invite", values).status == 403
    values = [
        ("csrf", hoa.go("/console/people").csrf()),
        ("account", "new"),
        ("body", PHUC_XA),
        ("role", "manager"),
    ]
    assert hoa.send("/console/people/invite", values).status == 422


def test_an_invitation_never_hands_over_roles_that_were_given(town: Town) -> None:
    town.setup.grant(SYSTEM, "robot", PHUC_XA, Role.APPROVER, at=town.now)
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    for name in ("robot", "lan", "tuan"):
        hoa.press("Mời", account=name, role="author")
        assert hoa.status == 422
        hoa.sees("Tên này đã có người dùng.")
    assert town.desk.accounts.state("robot") is None


def test_others_do_not_get_in(town: Town) -> None:
    assert Browser(town).sign_in("lan").go("/console/people").status == 403


def test_it_takes_a_fresh_second_factor(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa")
    town.later(minutes=11)
    hoa.go("/console/people").press("Mời", account="thu", role="author", code="")
    hoa.sees("Cần mã xác thực mới.")
    assert town.desk.accounts.state("thu") is None
