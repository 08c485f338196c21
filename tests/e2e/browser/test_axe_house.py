"""axe on the pages beside the story, at 1280 and 320 px, in both languages."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.test_console import look
from tests.site import PHUC_XA, Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]


@pytest.mark.parametrize(
    ("account", "paths"),
    [
        ("kiem", ("/console/audit", "/console/audit/as-of", "/console/bodies")),
        ("hoa", ("/console/dead-letters", f"/console/bodies/{PHUC_XA}", "/console/people")),
        ("quan", ("/console/system", "/console/reach")),
    ],
)
def test_the_house(opened: Opener, hanoi: Site, account: str, paths: tuple[str, ...]) -> None:
    hanoi.follow()
    page = opened(account)
    for path in paths:
        look(page, path)


def test_templates(opened: Opener) -> None:
    lan = opened("lan")
    look(lan, "/console/templates")
    look(lan, "/console/templates/write/new")
    lan.get_by_label("Tên mẫu").fill("Ngập phố")
    lan.get_by_label("Lĩnh vực").select_option("ngap_ung")
    lan.get_by_label("Tiêu đề", exact=True).fill("Ngập tại {noi}")
    lan.get_by_label("Nội dung", exact=True).fill("Nước đang lên tại {noi}.")
    lan.get_by_role("button", name="Lưu mẫu").click()
    # A gap without its line: the page says so, and is as good to read as any.
    expect(lan.locator(".summary")).to_be_visible()
    look(lan)
    lan.get_by_label("Ô trống").fill("noi | Nơi ngập | đường Hoa Bằng | 40")
    lan.get_by_role("button", name="Lưu mẫu").click()
    lan.wait_for_url(re.compile("/console/templates/[0-9a-f-]{36}$"))
    look(lan, lan.url)
