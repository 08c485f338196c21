"""Bodies: contacts, policy and delegations, by their manager or the one above; the SMS budget shown."""

from datetime import time
from uuid import uuid4

import pytest

from broadcaster.account import Role
from broadcaster.commands.sms_budgets import SmsBudgetCommands
from schemas.events import Actor
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, HANG_BAC, PHUC_XA, SYSTEM, Town

PAGE = f"/console/bodies/{PHUC_XA}"


@pytest.fixture(name="hoa")
def _hoa(town: Town) -> Browser:
    return Browser(town).sign_in("hoa").go(PAGE)


def topics(town: Town) -> list[str]:
    return [
        each.event.TOPIC
        for each in town.log.everything()
        if each.event.TOPIC.startswith(("issuer.c", "issuer.p", "delegation"))
    ]


def test_contacts(town: Town, hoa: Browser) -> None:
    values = [("csrf", hoa.csrf()), ("kind", "phone"), ("value", "024 3826 0000"), ("kind", "web")]
    hoa.send(f"{PAGE}/contacts", [*values, ("value", "https://phucxa.example")])
    assert "024 3826 0000" in hoa.answer.text
    assert [each.kind for each in town.office.issuer(PHUC_XA).contacts] == ["phone", "web"]
    for wrong in ("ftp://x", "x"):
        assert hoa.send(f"{PAGE}/contacts", [*values, ("value", wrong)]).status == 422
        hoa.sees("Có ký tự" if wrong == "x" else "chưa đúng dạng")
        assert wrong in hoa.answer.text
    assert topics(town) == ["issuer.contacts_set"]
    Browser(town).sign_in("lan").go(PAGE).sees(
        "Điện thoại: 024 3826 0000", "Giờ yên tĩnh: 22:00 \u2013 06:00"
    )


def test_policy(town: Town, hoa: Browser) -> None:
    hoa.press("Lưu quy định", one_person=True, quiet_from="23:00", quiet_until="05:30")
    policy = town.office.issuer(PHUC_XA).policy
    assert policy == (True, time(23), time(5, 30))
    hoa.press("Lưu quy định", one_person=False, quiet_from="", quiet_until="")
    assert town.office.issuer(PHUC_XA).policy == (False, None, None)
    for start, end in (("23:00", ""), ("x", "05:00"), ("05:00", "05:00"), ("05:00:01", "06:00")):
        hoa.press("Lưu quy định", quiet_from=start, quiet_until=end)
        assert hoa.status == 422
        hoa.sees("Điền cả hai giờ")
    assert topics(town) == ["issuer.policy_set"] * 2


def test_a_right_is_given_and_taken_back(town: Town, hoa: Browser) -> None:
    told = {"grantee": HANG_BAC, "fields": ["mua_lon"], "areas": "phuc xa", "ends": "2024-08-01T00:00"}
    hoa.press("Giao quyền", **told)
    hoa.sees("UBND phường Hàng Bạc", "đang có hiệu lực", "Phường Phúc Xá")
    (given,) = town.office.every_delegation().values()
    assert (given.grantor, given.grantee, given.areas) == (PHUC_XA, HANG_BAC, ("00001",))
    Browser(town).sign_in("tuan").go(f"/console/bodies/{HANG_BAC}").sees(
        "Quyền nhận từ cơ quan khác", "đang có hiệu lực"
    )
    hoa.press("Thu hồi")
    hoa.sees("đã thu hồi")
    assert topics(town) == ["delegation.granted", "delegation.revoked"]
    values = [("csrf", hoa.csrf())]
    assert hoa.send(f"{PAGE}/delegations/{given.id}/revoke", values).status == 422
    assert hoa.send(f"{PAGE}/delegations/{uuid4()}/revoke", values).status == 404
    for wrong, words in (
        ({"grantee": PHUC_XA}, "Không giao được cho chính mình."),
        ({"fields": []}, "Chưa điền."),
        ({"grantee": ""}, "Chưa điền."),
        ({"areas": "hang bac"}, "Có tên không tìm thấy"),
        ({"ends": "2026-08-01T00:00"}, "trong 366 ngày"),
        ({"ends": "x"}, "Ngày giờ chưa đúng."),
    ):
        hoa.go(PAGE).press("Giao quyền", **(told | wrong))
        assert hoa.status == 422, wrong
        hoa.sees(words)
    town.later(minutes=11)
    hoa.go(PAGE).press("Giao quyền", **told, code="")
    hoa.sees("Cần mã xác thực mới.")
    assert len(topics(town)) == 2


def test_the_manager_above_sets_and_others_do_not(town: Town, hoa: Browser) -> None:
    town.setup.grant(SYSTEM, "kiem", CITY, Role.MANAGER, at=town.now)
    kiem = Browser(town).sign_in("kiem").go("/console/bodies")
    kiem.sees("Trực thuộc", "UBND phường Hàng Bạc")
    kiem.go(PAGE).press("Lưu quy định", one_person=True)
    assert town.office.issuer(PHUC_XA).policy.one_person_bulletins
    assert "Giao quyền phát tin" not in kiem.text
    other = f"/console/bodies/{HANG_BAC}"
    for path in (f"{other}/contacts", f"{other}/policy", f"{other}/delegations"):
        assert hoa.send(path, [("csrf", hoa.go(PAGE).csrf())]).status == 403
    path = f"{other}/delegations/{uuid4()}/revoke"
    assert hoa.send(path, [("csrf", hoa.go(PAGE).csrf())]).status == 403
    assert hoa.go("/console/bodies/none").status == 404


def test_the_budget_is_shown(town: Town, hoa: Browser) -> None:
    town.setup.grant(SYSTEM, "kiem", CITY, Role.MANAGER, at=town.now)
    by = Actor(account="kiem", body=CITY)
    SmsBudgetCommands(town.office).set(by, PHUC_XA, segments=5000, vnd=None, at=town.now)
    hoa.go(PAGE).sees("0 / 5.000", "0 / không giới hạn")
    hoa.go(f"{PAGE}?lang=en").sees("0 / 5,000", "no bound")
