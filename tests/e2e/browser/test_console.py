"""The console in a real browser: the story, with and without scripts; typing, conflicts, restarts; axe."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
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


@pytest.mark.parametrize("scripts", [True, False])
def test_the_story_from_sign_in_to_withdrawal(opened: Opener, hanoi: Site, scripts: bool) -> None:
    lan = opened("lan", scripts=scripts)
    write(lan, "Ngập bãi giữa")
    lan.get_by_label("Phường Phúc Xá").check()
    if scripts:
        expect(lan.locator("#save-state")).to_have_text(SAVED)
        expect(lan.locator(".phone .title")).to_have_text("Ngập bãi giữa")
    lan.get_by_role("button", name="Trình duyệt").click()
    lan.wait_for_url("**/console/alerts/*")
    path = lan.url
    hanoi.follow()
    minh = opened("minh", scripts=scripts)
    minh.get_by_role("link", name="Ngập bãi giữa").first.click()
    minh.get_by_label("Tôi đã đọc hết và hiểu").check()
    minh.get_by_role("button", name="Duyệt và phát ngay").click()
    minh.wait_for_url("**/live")
    lan.goto(f"{path}/live")
    lan.get_by_role("button", name="Cập nhật").click()
    lan.get_by_label("Nội dung", exact=True).fill("Nước đã đứng.")
    lan.get_by_role("button", name="Trình duyệt").click()
    expect(lan.get_by_role("heading", name="So với bản đang phát")).to_be_visible()
    hanoi.follow()
    minh.goto(path)
    minh.get_by_label("Tôi đã đọc hết và hiểu").check()
    minh.get_by_role("button", name="Duyệt và phát ngay").click()
    minh.wait_for_url("**/live")
    minh.get_by_role("link", name="Hủy cảnh báo").click()
    minh.get_by_label("Lý do").fill("Nước đã rút")
    minh.get_by_label("Tôi hiểu tin hủy").check()
    minh.get_by_role("button", name="Hủy cảnh báo ngay").click()
    expect(minh.get_by_text("Đã hủy.")).to_be_visible()


def test_a_half_typed_draft_survives_reload_and_restart(opened: Opener, hanoi: Site) -> None:
    ha = opened("ha")
    ha.goto("/console/compose")
    ha.get_by_label("Tiêu đề", exact=True).fill("Mưa \u2013 rất to")
    expect(ha.locator("#save-state")).to_have_text(SAVED)
    assert re.search(r"/console/drafts/[0-9a-f-]{36}$", ha.url)
    expect(ha.get_by_text("Ký tự làm tin dài hơn")).to_contain_text("\u2013")
    hanoi.stop()
    ha.get_by_label("Nội dung", exact=True).fill("Hạn chế ra đường.")
    expect(ha.locator("#save-state")).to_have_text("Chưa lưu được; sẽ thử lại")
    hanoi.start()
    expect(ha.locator("#save-state")).to_have_text(SAVED)
    ha.reload()
    expect(ha.get_by_label("Tiêu đề", exact=True)).to_have_value("Mưa \u2013 rất to")
    expect(ha.get_by_label("Nội dung", exact=True)).to_have_value("Hạn chế ra đường.")


def test_two_who_write_the_same_draft_lose_nothing(opened: Opener) -> None:
    ha = opened("ha")
    ha.goto("/console/compose")
    ha.get_by_label("Tiêu đề", exact=True).fill("Bão số 3")
    expect(ha.locator("#save-state")).to_have_text(SAVED)
    ly = opened("ly")
    ly.goto(ha.url)
    ly.get_by_label("Tiêu đề", exact=True).fill("Bão số 4")
    expect(ly.locator("#save-state")).to_have_text(SAVED)
    ha.get_by_label("Tiêu đề", exact=True).fill("Bão số 5")
    expect(ha.locator("#conflict")).to_contain_text("ly vừa lưu bản này ở nơi khác.")
    ha.get_by_role("button", name="Lưu nháp").last.click()
    expect(ha.get_by_role("heading", name="Hai người cùng sửa")).to_be_visible()
    expect(ha.locator("table")).to_contain_text("Bão số 5")
    expect(ha.locator("table")).to_contain_text("Bão số 4")
    ha.get_by_role("button", name="Dùng bản của tôi").click()
    expect(ha.get_by_label("Tiêu đề", exact=True)).to_have_value("Bão số 5")
    ha.goto("/console")
    expect(ha.get_by_role("link", name="Bão số 4")).to_be_visible()
    expect(ha.get_by_role("link", name="Bão số 5")).to_be_visible()


def test_areas_are_found_without_marks(opened: Opener) -> None:
    ha = opened("ha")
    ha.goto("/console/compose")
    count = ha.locator("#area-count")
    ha.get_by_label("Tìm quận").fill("phuc xa")
    expect(ha.locator("#area-found")).to_have_text("Tìm thấy 1 nơi")
    ha.get_by_label("Phường Phúc Xá").check()
    expect(count).to_have_text("Đã chọn 1 xã, phường")
    ha.get_by_label("Tìm quận").fill("dong da")
    ha.get_by_label("Quận Đống Đa").check()
    expect(ha.get_by_label("Phường Phúc Xá")).to_be_visible()
    expect(count).to_have_text("Đã chọn 22 xã, phường")
    ha.get_by_label("Tìm quận").fill("")
    ha.get_by_text("Dán danh sách tên").click()
    ha.get_by_label("Mỗi nơi một dòng").fill("phuong truc bach\nQuận Không Có")
    ha.get_by_role("button", name="Thêm vào địa bàn").click()
    expect(ha.get_by_label("Mỗi nơi một dòng")).to_have_value("Quận Không Có")
    expect(count).to_have_text("Đã chọn 23 xã, phường")
    expect(ha.get_by_label("Quận Ba Đình")).to_have_js_property("indeterminate", True)


def test_compose_by_keyboard(opened: Opener) -> None:
    lan = opened("lan")
    lan.goto("/console/compose")
    lan.keyboard.press("Tab")
    expect(lan.get_by_role("link", name="Đến nội dung chính")).to_be_focused()
    lan.keyboard.press("Enter")
    reached: list[str] = []
    for _ in range(40):
        lan.keyboard.press("Tab")
        reached.append(str(lan.evaluate("document.activeElement.name || document.activeElement.id || ''")))
    wanted = [
        "kind",
        "mode",
        "category",
        "risk_level",
        "severity",
        "headline",
        "description",
        "areas",
        "channels",
        "expires",
    ]
    places = [reached.index(name) for name in wanted]
    assert places == sorted(places), reached
    # Enter in a field saves, and puts nothing up for approval.
    lan.get_by_label("Tiêu đề", exact=True).fill("Chưa xong")
    lan.keyboard.press("Enter")
    lan.wait_for_url("**/console/drafts/*")


def test_axe_finds_nothing(opened: Opener, hanoi: Site) -> None:
    page = opened()
    look(page, "/console/sign-in")
    ha = opened("ha")
    write(ha, "Mưa rất to")
    ha.get_by_label("Thành phố Hà Nội").check()
    expect(ha.locator("#save-state")).to_have_text(SAVED)
    draft = ha.url
    look(ha, draft)
    ha.get_by_role("button", name="Trình duyệt").click()
    ha.wait_for_url("**/console/alerts/*")
    alert = ha.url
    hanoi.follow()
    son = opened("son")
    look(son, alert)
    son.get_by_role("button", name="Duyệt và phát ngay").click()
    look(son)
    son.get_by_label("Tôi đã đọc hết và hiểu").check()
    son.get_by_role("button", name="Duyệt và phát ngay").click()
    son.wait_for_url("**/live")
    hanoi.follow()
    for path in (
        f"{alert}/live",
        f"{alert}/areas",
        f"{alert}/cancel",
        "/console",
        "/console/alerts",
        "/console/account",
    ):
        look(son, path)
    for path in ("/console/cadence", "/console/cadence/ubnd-00001"):
        look(son, path)
    ha.goto("/console/compose")
    ha.get_by_role("button", name="Trình duyệt").click()
    look(ha)


def test_axe_finds_nothing_where_people_are_let_in(opened: Opener) -> None:
    hoa = opened("hoa")
    hoa.goto("/console/people")
    hoa.get_by_label("Tên tài khoản").first.fill("thu@ubnd-00001")
    hoa.get_by_role("button", name="Mời", exact=True).click()
    link = hoa.locator("code.secret").inner_text()
    look(hoa)
    hoa.goto("/console/keys")
    hoa.get_by_label("Tên chương trình").fill("tram-do-mua")
    hoa.get_by_role("button", name="Đề nghị khóa").click()
    expect(hoa.get_by_role("heading", name="Khóa của tram-do-mua")).to_be_visible()
    look(hoa)
    vinh = opened("vinh")
    look(vinh, "/console")
    expect(vinh.get_by_role("heading", name="Chờ xác nhận quyền")).to_be_visible()
    look(vinh, "/console/access")
    vinh.get_by_role("button", name="Xác nhận tram-do-mua").click()
    look(vinh, "/console/keys")
    vinh.goto("/console/access")
    vinh.get_by_role("button", name="Xác nhận thu@ubnd-00001").click()
    pin = vinh.locator("code.secret").inner_text()
    look(vinh)
    page = opened()
    page.goto(link)
    page.get_by_label("Số xác nhận").fill(pin)
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.get_by_role("button", name="Kích hoạt tài khoản")).to_be_visible()
    look(page)


def test_axe_finds_nothing_on_the_own_account(opened: Opener) -> None:
    look(opened(), "/console/sign-in?recovery=1")
    vinh = opened("vinh")
    look(vinh, "/console/account")
    vinh.get_by_role("button", name="Tạo 10 mã mới").click()
    look(vinh)
    vinh.get_by_label("Mật khẩu đang dùng").last.fill(PASSWORD)
    vinh.get_by_role("button", name="Đổi điện thoại").click()
    expect(vinh.get_by_role("button", name="Dùng ứng dụng này")).to_be_visible()
    look(vinh)


def look(page: Page, path: str | None = None) -> None:
    if path is not None:
        page.goto(path)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{page.url} is {over} px too wide at {width}"
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} at {width}\n{found.generate_report()}"
    if path is not None:
        page.goto(f"{page.url.partition('?')[0]}?lang=en")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{page.url} is {over} px too wide in English"
        page.goto(f"{page.url.partition('?')[0]}?lang=vi")
    page.set_viewport_size({"width": 1280, "height": 900})
