"""A session that ends while someone without scripts writes: the whole way back, in a real browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.site import PASSWORD, Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]


def compose(page: Page, headline: str) -> None:
    page.goto("/console/compose")
    page.get_by_label("Lĩnh vực").select_option("ngap_ung")
    page.get_by_label("Cấp 3").check()
    page.get_by_label("Mức độ").select_option("Severe")
    page.get_by_label("Tiêu đề", exact=True).fill(headline)
    page.get_by_label("Nội dung", exact=True).fill("Nước lên nhanh từ 18 giờ.\nĐừng qua ngầm.")
    page.get_by_label("Phường Phúc Xá").check()


def sign_in_again(page: Page, code: str, account: str = "lan") -> None:
    page.get_by_label("Tên tài khoản").fill(account)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_label("Mã xác thực").fill(code)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()


def alerts_of(hanoi: Site, headline: str) -> int:
    drafted = [one.event for one in hanoi.house.log.everything() if one.event.TOPIC == "alert.drafted"]
    return sum(each.content.text("vi").headline == headline for each in drafted)  # type: ignore[attr-defined]


def look(page: Page) -> None:
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{over} px too wide at {width}"
        found = Axe().run(page)
        assert found.violations_count == 0, f"at {width}\n{found.generate_report()}"


def test_without_scripts_nothing_typed_is_lost_and_nothing_is_done_unseen(
    opened: Opener, hanoi: Site
) -> None:
    lan = opened("lan", scripts=False)
    compose(lan, "Ngập ngầm Kim Liên")
    hanoi.ahead += timedelta(minutes=31)
    lan.get_by_role("button", name="Trình duyệt").click()
    kept = lan.get_by_text("Chữ bạn vừa viết được giữ trong trang này")
    expect(kept).to_be_visible()
    lan.reload()  # Posts the form once more.
    expect(kept).to_be_visible()
    expect(lan.get_by_label("Tên tài khoản")).to_have_value("lan")
    sign_in_again(lan, "000000")
    expect(lan.get_by_text("không đúng")).to_be_visible()
    expect(kept).to_be_visible()
    sign_in_again(lan, hanoi.code())
    for _ in range(2):
        expect(lan.get_by_text("Chưa lưu, chưa gửi gì: xem lại rồi bấm lại.")).to_be_visible()
        expect(lan.get_by_label("Tiêu đề", exact=True)).to_have_value("Ngập ngầm Kim Liên")
        expect(lan.get_by_label("Nội dung", exact=True)).to_have_value(
            "Nước lên nhanh từ 18 giờ.\nĐừng qua ngầm."
        )
        expect(lan.get_by_label("Lĩnh vực")).to_have_value("ngap_ung")
        expect(lan.get_by_label("Phường Phúc Xá")).to_be_checked()
        assert alerts_of(hanoi, "Ngập ngầm Kim Liên") == 0
        lan.reload()  # The code is spent; she is signed in.
    lan.get_by_role("button", name="Trình duyệt").click()
    lan.wait_for_url("**/console/alerts/*")
    expect(lan.get_by_role("heading", name="Ngập ngầm Kim Liên").first).to_be_visible()
    assert alerts_of(hanoi, "Ngập ngầm Kim Liên") == 1


def test_scripts_that_did_not_load_and_then_did(opened: Opener, hanoi: Site) -> None:
    lan = opened("lan")
    lan.route("**/compose.js", lambda route: route.abort("connectionrefused"))
    compose(lan, "Gió giật ở hồ Tây")
    lan.unroute("**/compose.js")
    hanoi.ahead += timedelta(minutes=31)
    lan.get_by_role("button", name="Trình duyệt").click()
    expect(lan.get_by_text("Chữ bạn vừa viết được giữ trong trang này")).to_be_visible()
    look(lan)
    minh = hanoi.code()
    sign_in_again(lan, minh, "minh")
    expect(lan.get_by_role("heading", name="Chữ của người khác")).to_be_visible()
    assert "hồ Tây" not in lan.content()
    look(lan)
    lan.get_by_role("button", name="Thoát để người viết đăng nhập").click()
    sign_in_again(lan, hanoi.code())
    expect(lan.get_by_label("Tiêu đề", exact=True)).to_have_value("Gió giật ở hồ Tây")
    look(lan)
    lan.get_by_role("button", name="Trình duyệt").click()
    lan.wait_for_url("**/console/alerts/*")
    assert alerts_of(hanoi, "Gió giật ở hồ Tây") == 1
