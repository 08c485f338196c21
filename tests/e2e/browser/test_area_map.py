"""The map beside the tree of areas: a press on one is a choice on the other, with boundaries or without."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from broadcaster.runtime import SYSTEM, clock
from tests.boundary_files import mosaic
from tests.e2e.browser.test_first_load import BUDGET, over_the_wire
from tests.site import Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]
PHUC_XA, TRUC_BACH = "00001", "00004"


@pytest.fixture(name="bounded")
def _bounded(hanoi: Site) -> Iterator[Site]:
    edition = hanoi.house.office.edition(clock())
    hanoi.house.boundaries.load(SYSTEM, edition, mosaic(edition.tree), "code", clock())
    yield hanoi
    hanoi.house.boundaries.remove(SYSTEM, edition, clock())


def commune(page: Page, code: str) -> Locator:
    return page.locator(f"#map-{code}")


def box(page: Page, code: str) -> Locator:
    return page.locator(f"input[name=areas][value='{code}']")


def compose(opened: Opener, account: str, *, width: int = 1280) -> Page:
    page = opened(account, width=width)
    page.goto("/console/compose")
    part = page.locator(".area-map")
    if part.get_attribute("open") is None:
        page.get_by_text("Chọn trên bản đồ").click()
    expect(commune(page, PHUC_XA)).to_have_attribute("aria-selected", "false")
    return page


def test_a_press_on_the_map_is_a_tick_in_the_tree(opened: Opener) -> None:
    ha = compose(opened, "ha")
    count = ha.locator("#area-count")
    ha.get_by_label("Xem gần").select_option(label="Quận Ba Đình")
    ha.get_by_role("option", name="Phường Phúc Xá, Quận Ba Đình").click()
    expect(box(ha, PHUC_XA)).to_be_checked()
    expect(count).to_have_text("Đã chọn 1 xã, phường")
    expect(commune(ha, PHUC_XA)).to_have_attribute("aria-selected", "true")
    expect(ha.locator(".map-told")).to_have_text("Phường Phúc Xá, Quận Ba Đình: đã chọn")
    # It is saved as a tick is, and counted.
    ha.get_by_label("Tiêu đề", exact=True).fill("Mưa to")
    expect(ha.locator("#save-state")).to_have_text("Đã lưu nháp")
    ha.reload()
    expect(commune(ha, PHUC_XA)).to_have_attribute("aria-selected", "true")
    expect(count).to_have_text("Đã chọn 1 xã, phường")
    ha.get_by_label("Tìm quận").fill("phuc xa")
    box(ha, PHUC_XA).uncheck()
    expect(commune(ha, PHUC_XA)).to_have_attribute("aria-selected", "false")


def test_out_of_a_district_one_commune_goes_alone(opened: Opener) -> None:
    ha = compose(opened, "ha")
    ha.get_by_label("Tìm quận").fill("ba dinh")
    ha.get_by_label("Quận Ba Đình").check()
    expect(commune(ha, TRUC_BACH)).to_have_attribute("aria-selected", "true")
    expect(box(ha, TRUC_BACH)).to_be_disabled()
    ha.get_by_label("Xem gần").select_option(label="Quận Ba Đình")
    commune(ha, TRUC_BACH).click()
    expect(box(ha, TRUC_BACH)).not_to_be_checked()
    expect(box(ha, PHUC_XA)).to_be_checked()
    expect(box(ha, PHUC_XA)).to_be_enabled()
    expect(ha.get_by_label("Quận Ba Đình")).to_have_js_property("indeterminate", True)
    expect(ha.locator("#area-count")).to_have_text("Đã chọn 13 xã, phường")
    # Of the whole city everyone else stays.
    ha.get_by_label("Thành phố Hà Nội").check()
    expect(ha.locator("#area-count")).to_have_text("Đã chọn 579 xã, phường")
    commune(ha, TRUC_BACH).click()
    expect(ha.locator("#area-count")).to_have_text("Đã chọn 578 xã, phường")


def test_the_map_by_keyboard(opened: Opener) -> None:
    ha = compose(opened, "ha")
    chart = ha.get_by_role("listbox", name="Bản đồ xã, phường")
    chart.focus()
    seen = {chart.get_attribute("aria-activedescendant")}
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End"):
        ha.keyboard.press(key)
        seen.add(chart.get_attribute("aria-activedescendant"))
    assert len(seen) > 3
    active = str(chart.get_attribute("aria-activedescendant"))
    ha.keyboard.press("Space")
    expect(box(ha, active.removeprefix("map-"))).to_be_checked()
    ha.keyboard.press("Enter")
    expect(box(ha, active.removeprefix("map-"))).not_to_be_checked()
    assert ha.url.endswith("/console/compose") or "/console/drafts/" in ha.url
    # One stop for the whole map: the next is the tree's.
    ha.keyboard.press("Tab")
    expect(ha.locator(".tree")).to_be_focused()


def test_with_boundaries(opened: Opener, bounded: Site) -> None:
    ha = compose(opened, "ha")
    expect(ha.locator("path[role=option]")).to_have_count(524)
    # What has none keeps its circle, as far as it has a place.
    expect(ha.locator("circle[role=option]")).to_have_count(2)
    ha.get_by_label("Xem gần").select_option(label="Quận Ba Đình")
    commune(ha, PHUC_XA).click()
    expect(box(ha, PHUC_XA)).to_be_checked()
    drawn = expect(ha.locator("path[role=option]"))
    size, _ = over_the_wire(ha, bounded, "/console/compose", lambda: drawn.to_have_count(524))
    assert size < BUDGET
    ha.goto("/console/reach")
    expect(ha.locator("figure path")).to_have_count(524)


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_on_the_maps(opened: Opener, bounded: Site, width: int) -> None:
    assert bounded.url
    ha = compose(opened, "ha", width=width)
    ha.get_by_label("Xem gần").select_option(label="Quận Ba Đình")
    commune(ha, PHUC_XA).click()
    for path in ("", "/console/reach"):
        if path:
            ha.goto(path)
        found = Axe().run(ha)
        assert found.violations_count == 0, found.generate_report()
        assert ha.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_the_tree_is_all(opened: Opener) -> None:
    ha = opened("ha", scripts=False)
    ha.goto("/console/compose")
    expect(ha.locator(".area-map")).to_be_hidden()
    expect(box(ha, PHUC_XA)).to_have_count(1)


def test_where_there_is_nothing_to_choose_there_is_no_map(opened: Opener) -> None:
    lan = opened("lan")
    lan.goto("/console/compose")
    expect(lan.locator("input[name=areas]")).to_have_count(1)
    expect(lan.locator(".area-map")).to_have_count(0)
