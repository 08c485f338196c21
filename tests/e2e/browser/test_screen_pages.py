"""The pages of screens in a real browser: list, a screen, groups, the map, screens left out; axe."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from schemas.content import Content
from schemas.displays import DISPLAYS
from schemas.events import Actor
from tests.site import Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]
PROFILES = [name for name in DISPLAYS if name.endswith("-1")]


def look(page: Page, path: str) -> None:
    page.goto(path)
    for language in ("en", "vi"):
        page.goto(f"{path}?lang={language}")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{page.url} is {over} px too wide at {width}"
            if language == "vi":
                found = Axe().run(page)
                assert found.violations_count == 0, f"{page.url} at {width}\n{found.generate_report()}"
    page.set_viewport_size({"width": 1280, "height": 900})


def put_up(page: Page, name: str, profile: str) -> None:
    page.goto("/console/screens")
    page.get_by_label("Tên màn hình").fill(name)
    page.get_by_label("Loại màn hình").select_option(profile)
    page.get_by_role("button", name="Lắp màn hình").click()
    expect(page.get_by_text("Nó chỉ hiện một lần.")).to_be_visible()


def test_screens_are_looked_after(opened: Opener, hanoi: Site) -> None:
    hoa = opened("hoa")
    for number, profile in enumerate(PROFILES, 1):
        put_up(hoa, f"Bảng tin {number}", profile)
    hanoi.follow()
    hoa.goto("/console/screens")
    path = hoa.get_by_role("link", name="Bảng tin 1").get_attribute("href")
    assert path is not None
    hoa.goto(path)
    hoa.get_by_label("Loại nơi").select_option("street")
    hoa.get_by_label("Vĩ độ").fill("21.05")
    hoa.get_by_label("Kinh độ").fill("105.85")
    hoa.get_by_role("button", name="Lưu nơi đặt").click()
    hoa.get_by_role("button", name="Hiện hình thử 2 phút").click()
    picture = hoa.locator("img.panel.wide").first
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 96)
    hoa.goto("/console/screen-groups")
    look(hoa, "/console/screen-groups")
    hoa.get_by_label("Tên nhóm").fill("Chợ và bến xe")
    hoa.get_by_role("button", name="Lập nhóm").click()
    hoa.wait_for_url(re.compile(r"/screen-groups/[0-9a-f-]{36}$"))
    group = hoa.url
    hoa.get_by_label("Bảng tin 1").check()
    hoa.get_by_label("Bảng tin 2").check()
    hoa.get_by_role("button", name="Thay đổi nhóm").click()
    hoa.get_by_label("Độ sáng, phần trăm").fill("40")
    hoa.get_by_label("Yên tĩnh từ").fill("22:00")
    hoa.get_by_label("đến", exact=True).fill("05:00")
    hoa.get_by_role("button", name="Lưu cài đặt").click()
    expect(hoa.get_by_text("Độ sáng 40%")).to_be_visible()
    alert_id = issued(hanoi)
    hanoi.follow()
    minh = opened("minh")
    minh.goto(f"/console/alerts/{alert_id}/screens")
    minh.get_by_label("Bảng tin 3").check()
    minh.get_by_label("Lý do").fill("Đang sửa điện")
    minh.get_by_role("button", name="Loại trừ").click()
    expect(minh.get_by_text("loại trừ 1")).to_be_visible()
    hanoi.follow()
    look(minh, f"/console/alerts/{alert_id}/screens")
    for page in ("/console/screens", path, group, "/console/screen-map"):
        look(hoa, page)


def issued(hanoi: Site) -> str:
    """An alert of the ward's, as its people issue it."""
    at = hanoi.now()
    content = Content.model_validate(
        {
            "kind": "alert",
            "category": "mua_lon",
            "severity": "Severe",
            "urgency": "Expected",
            "certainty": "Likely",
            "risk_level": 2,
            "texts": {"vi": {"headline": "Mưa lớn, ngập sâu", "description": "Nước lên nhanh."}},
            "areas": ["00001"],
        }
    )
    lan, minh = Actor(account="lan", body="ubnd-00001"), Actor(account="minh", body="ubnd-00001")
    alerts = hanoi.house.alerts
    alert = alerts.draft(lan, "ubnd-00001", content, at=at)
    alerts.submit(lan, alert.id, at=at)
    alerts.approve(minh, alert.id, at=at)
    alerts.issue(minh, alert.id, at=at)
    return str(alert.id)
