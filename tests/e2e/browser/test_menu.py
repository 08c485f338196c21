"""The places to go to on a phone: behind one button, with and without scripts, and by keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.test_console import look, write
from tests.site import Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]


def one_row(page: Page) -> bool:
    """Whether the bar is no higher than a button in it."""
    return page.evaluate("document.querySelector('header.top').offsetHeight") <= 60


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [320, 360])
def test_on_a_phone_it_is_one_row_that_opens(opened: Opener, width: int, scripts: bool) -> None:
    quan = opened("quan", width=width, scripts=scripts)
    quan.goto("/console/cadence")
    assert one_row(quan)
    places = quan.get_by_role("navigation", name="Trang")
    expect(places).to_be_hidden()
    quan.get_by_role("button", name="Menu").click()
    expect(places.get_by_role("link", name="Nhịp đưa tin")).to_have_attribute("aria-current", "page")
    expect(quan.get_by_role("button", name="Thoát")).to_be_visible()
    places.get_by_role("link", name="Người nhận").click()
    quan.wait_for_url("**/console/reach")
    expect(places).to_be_hidden()


def test_by_keyboard_it_opens_leads_on_and_closes(opened: Opener) -> None:
    lan = opened("lan", width=360)
    lan.goto("/console/alerts")
    button = lan.get_by_role("button", name="Menu")
    button.focus()
    lan.keyboard.press("Enter")
    first = lan.get_by_role("link", name="Việc của tôi")
    expect(first).to_be_visible()
    lan.keyboard.press("Tab")
    expect(first).to_be_focused()
    lan.keyboard.press("Escape")
    expect(first).to_be_hidden()
    expect(button).to_be_focused()


def test_on_a_laptop_the_places_stand_there(opened: Opener) -> None:
    quan = opened("quan")
    quan.goto("/console/cadence")
    assert one_row(quan)
    expect(quan.get_by_role("button", name="Menu")).to_be_hidden()
    expect(quan.get_by_role("link", name="Hệ thống")).to_be_visible()


@pytest.mark.parametrize("width", [700, 1024, 1100, 1230, 1400])
def test_between_them_it_is_never_two_rows(opened: Opener, width: int) -> None:
    quan = opened("quan", width=width)
    quan.goto("/console/cadence")
    assert one_row(quan)
    assert quan.evaluate("document.documentElement.scrollWidth") <= width
    button, places = quan.get_by_role("button", name="Menu"), quan.get_by_role("navigation", name="Trang")
    if button.is_visible():
        expect(places).to_be_hidden()
        button.click()
    expect(places.get_by_role("link", name="Hệ thống")).to_be_visible()


def test_what_waits_is_said_beside_the_button(opened: Opener, hanoi: Site) -> None:
    ha = opened("ha")
    write(ha, "Mưa đá")
    ha.get_by_label("Quận Ba Đình").check()
    ha.get_by_role("button", name="Trình duyệt").click()
    ha.wait_for_url("**/console/alerts/*")
    hanoi.follow()
    son = opened("son", width=320)
    look(son, "/console/cadence")
    son.set_viewport_size({"width": 320, "height": 800})
    son.goto("/console/cadence?lang=vi")
    assert one_row(son)
    expect(son.get_by_role("link", name="1 việc chờ bạn")).to_be_visible()
    son.get_by_role("button", name="Menu").click()
    look(son)
    son.goto("/console/cadence?lang=vi")
    son.set_viewport_size({"width": 320, "height": 800})
    son.get_by_role("link", name="1 việc chờ bạn").click()
    expect(son.get_by_role("link", name="Mưa đá")).to_be_visible()


def test_everyone_s_pages_have_it_too(opened: Opener) -> None:
    page = opened(width=320, scripts=False)
    page.goto("/alerts")
    assert one_row(page)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Tìm cảnh báo")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("link", name="English")).to_be_visible()
