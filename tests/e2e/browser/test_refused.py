"""Forms that are refused, and buttons pressed twice, in a real browser with scripts and without."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from broadcaster.account import Role
from broadcaster.commands.access import AccessCommands
from broadcaster.runtime import SYSTEM, clock
from schemas.events import Actor
from tests.e2e.browser.test_lapsed import alerts_of, compose, look
from tests.site import PHUC_XA, Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]
HERE = "document.activeElement.name || document.activeElement.id"


def revoke(hanoi: Site, account: str, role: Role) -> None:
    house = hanoi.house
    access = AccessCommands(house.pool, house.office, hanoi.desk.accounts, house.keys)
    access.revoke(Actor(account="hoa", body=PHUC_XA), account, PHUC_XA, role, at=clock())
    hanoi.follow()


@pytest.mark.parametrize("scripts", [False, True])
def test_the_focus_is_on_what_is_wrong(opened: Opener, hanoi: Site, scripts: bool) -> None:
    page = opened("hoa", scripts=scripts)
    hanoi.ahead += timedelta(minutes=11)
    page.goto("/console/people")
    grant = page.locator("form[action='/console/people/grant']")
    grant.get_by_label("Tên tài khoản").fill("thu@ubnd-00001")
    grant.get_by_label("Vai trò").select_option("auditor")
    grant.get_by_role("button", name="Thêm vai trò").click()
    expect(grant.get_by_text("Cần mã xác thực mới.")).to_be_visible()
    assert page.evaluate(HERE) == "code"
    assert page.evaluate("document.activeElement.closest('form').getAttribute('action')") == (
        "/console/people/grant"
    )
    expect(grant.get_by_label("Tên tài khoản")).to_have_value("thu@ubnd-00001")
    expect(grant.get_by_label("Vai trò")).to_have_value("auditor")
    expect(
        page.locator("form[action='/console/people/invite']").get_by_label("Tên tài khoản")
    ).to_be_empty()
    if scripts:
        look(page)


@pytest.mark.parametrize("scripts", [False, True])
def test_a_role_is_taken_away_while_someone_types(opened: Opener, hanoi: Site, scripts: bool) -> None:
    headline = f"Ngập phố {'nhanh' if scripts else 'chậm'}"
    lan = opened("lan", scripts=scripts)
    compose(lan, headline)
    if scripts:
        expect(lan.get_by_text("Đã lưu nháp")).to_be_visible()
    revoke(hanoi, "lan", Role.AUTHOR)
    try:
        lan.get_by_label("Nội dung", exact=True).fill("Chữ cuối cùng.")
        if scripts:
            expect(lan.get_by_text("tài khoản không còn quyền soạn tin này")).to_be_visible()
        lan.get_by_role("button", name="Trình duyệt").click()
        barred = lan.get_by_role("heading", name="Tài khoản không có quyền làm việc này")
        expect(barred).to_be_visible(timeout=20_000)
        expect(lan.get_by_text("Chữ cuối cùng.")).to_be_visible()
        if scripts:
            look(lan)
    finally:
        hanoi.house.setup.grant(SYSTEM, "lan", PHUC_XA, Role.AUTHOR, at=clock())
    lan.get_by_role("button", name="Viết tiếp từ chữ này").click()
    expect(lan.get_by_label("Tiêu đề", exact=True)).to_have_value(headline)
    expect(lan.get_by_label("Nội dung", exact=True)).to_have_value("Chữ cuối cùng.")
    assert alerts_of(hanoi, headline) == 0


@pytest.mark.parametrize("scripts", [False, True])
def test_an_approval_from_two_tabs(opened: Opener, hanoi: Site, scripts: bool) -> None:
    headline = f"Cây đổ {'một' if scripts else 'hai'}"
    lan = opened("lan", scripts=False)
    compose(lan, headline)
    lan.get_by_role("button", name="Trình duyệt").click()
    lan.wait_for_url("**/console/alerts/*")
    minh = opened("minh", scripts=scripts)
    minh.goto(lan.url)
    late = minh.context.new_page()
    late.goto(lan.url)
    for page in (minh, late):
        page.get_by_label("Tôi đã đọc hết").check()
    minh.get_by_role("button", name="Duyệt và phát ngay").dblclick(no_wait_after=True)
    minh.wait_for_url("**/live")
    late.get_by_role("button", name="Duyệt và phát ngay").click()
    expect(late.get_by_role("heading", name="Việc này đã xong từ trước")).to_be_visible()
    expect(late.get_by_text("không có gì được gửi hai lần")).to_be_visible()
    if scripts:
        look(late)
    issued = [one.event for one in hanoi.house.log.everything() if one.event.TOPIC == "alert.issued"]
    assert sum(each.content.text("vi").headline == headline for each in issued) == 1  # type: ignore[attr-defined]
    late.go_back()
    late.reload()
    late.wait_for_url("**/live")
