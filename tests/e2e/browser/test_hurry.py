"""Writing in a hurry: a session that ends, a button pressed twice, the way back, a text too long."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.site import PASSWORD, Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]
SAVED = "Đã lưu nháp"


def write(page: Page, headline: str) -> None:
    page.goto("/console/compose")
    page.get_by_label("Lĩnh vực").select_option("ngap_ung")
    page.get_by_label("Cấp 3").check()
    page.get_by_label("Mức độ").select_option("Severe")
    page.get_by_label("Tiêu đề", exact=True).fill(headline)
    page.get_by_label("Nội dung", exact=True).fill("Nước lên nhanh từ 18 giờ.")
    page.get_by_label("Phường Phúc Xá").check()
    expect(page.locator("#save-state")).to_have_text(SAVED)


def test_a_session_that_ends_takes_no_word(opened: Opener, hanoi: Site) -> None:
    lan = opened("lan")
    write(lan, "Ngập bãi giữa")
    lan.context.clear_cookies()
    lan.get_by_label("Nội dung", exact=True).fill("Nước đã vào nhà.")
    ended = lan.locator("#ended")
    lan.get_by_role("button", name="Trình duyệt").click()
    expect(ended).to_be_in_viewport()
    expect(ended).to_be_focused()
    expect(lan.get_by_label("Nội dung", exact=True)).to_have_value("Nước đã vào nhà.")
    with lan.context.expect_page() as opening:
        ended.get_by_role("link").click()
    other = opening.value
    other.get_by_label("Tên tài khoản").fill("lan")
    other.get_by_label("Mật khẩu").fill(PASSWORD)
    other.get_by_label("Mã xác thực").fill(hanoi.code())
    other.get_by_role("button", name="Đăng nhập").click()
    other.wait_for_url("**/console")
    other.close()
    lan.evaluate("dispatchEvent(new Event('focus'))")
    expect(ended).to_be_hidden()
    expect(lan.locator("#save-state")).to_have_text(SAVED)
    lan.get_by_role("button", name="Trình duyệt").click()
    lan.wait_for_url("**/console/alerts/*")
    expect(lan.get_by_text("Nước đã vào nhà.").first).to_be_visible()


def test_two_quick_presses_put_up_one_alert_and_the_way_back_says_so(opened: Opener, hanoi: Site) -> None:
    lan = opened("lan")
    write(lan, "Cây đổ chắn đường")
    lan.get_by_role("button", name="Trình duyệt").dblclick()
    lan.wait_for_url("**/console/alerts/*")
    expect(lan.get_by_role("heading", name="Cây đổ chắn đường").first).to_be_visible()
    drafted = [one.event for one in hanoi.house.log.everything() if one.event.TOPIC == "alert.drafted"]
    assert len([each for each in drafted if "Cây đổ" in each.content.text("vi").headline]) == 1  # type: ignore[attr-defined]
    lan.go_back()
    expect(lan.get_by_role("heading", name="Bản nháp không còn")).to_be_visible()


def test_a_long_title_is_kept_and_its_excess_told(opened: Opener) -> None:
    lan = opened("lan")
    title = "Nước sông lên nhanh, ngập bãi giữa. " * 5
    write(lan, title.strip())
    field = lan.get_by_label("Tiêu đề", exact=True)
    expect(field).to_have_value(title.strip())
    expect(lan.locator("#room-headline")).to_have_text("Dài quá 19 ký tự")
    lan.get_by_role("button", name="Trình duyệt").click()
    expect(lan.locator(".summary:visible")).to_be_focused()
    lan.locator(".summary:visible").get_by_role("link", name="Tiêu đề").click()
    expect(field).to_be_focused()
    field.fill("Nước sông lên nhanh")
    expect(lan.locator("#room-headline")).to_be_hidden()
    lan.reload()  # The answer to a POST is not sent again.
    expect(lan).to_have_url(re.compile(r"/console/drafts/[0-9a-f-]{36}(#.*)?$"))
