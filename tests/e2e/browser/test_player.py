"""The page of televisions in a real browser: paired by its code, with a real feed, signed and forged."""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from broadcaster.keys.feed import FeedKey
from broadcaster.keys.rows import KeyKind
from broadcaster.runtime import clock
from tests import calls
from tests.site import PHUC_XA, Site

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]
TEXT = "Nước sông Hồng lên nhanh, tránh bãi giữa"
CODE = re.compile("^[B-Z]{4}-[B-Z]{4}$")


class Staff:
    """Calls the API as three people."""

    def __init__(self, hanoi: Site) -> None:
        self._url = hanoi.url
        self._keys = {
            account: hanoi.house.keys.create(account, PHUC_XA, KeyKind.STAFF, clock())[1]
            for account in ("lan", "minh", "hoa")
        }

    def post(self, account: str, path: str, told: Any = None, **more: str) -> Any:
        headers = {"Authorization": f"Bearer {self._keys[account]}"} | more
        answer = calls.post(self._url + path, json=told, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def put(self, account: str, path: str, told: Any) -> None:
        headers = {"Authorization": f"Bearer {self._keys[account]}"}
        answer = calls.put(self._url + path, json=told, headers=headers, trust_env=False)
        assert answer.is_success, answer.text

    def issue(self) -> str:
        content = {
            "kind": "alert",
            "category": "ngap_ung",
            "severity": "Extreme",
            "urgency": "Immediate",
            "certainty": "Observed",
            "risk_level": 3,
            "texts": {"vi": {"headline": TEXT, "description": "Nước lên nhanh."}},
            "areas": ["00001"],
        }
        alert = self.post("lan", "/v1/alerts", {"content": content})
        for account, step in (("lan", "submit"), ("minh", "approve"), ("lan", "issue")):
            seen = {"If-Match": f'"{alert["version"]}"'}
            alert = self.post(account, f"/v1/alerts/{alert['id']}/{step}", **seen)
        return alert["id"]


def test_a_television_pairs_shows_an_alert_and_refuses_what_another_signed(
    opened: Opener, hanoi: Site
) -> None:
    staff, page = Staff(hanoi), opened()
    page.goto("/screens/player")
    expect(page.get_by_role("heading", name="Màn hình cảnh báo")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Ghép nối bằng mã").click()
    code = page.locator("#code")
    expect(code).to_have_text(CODE)
    place = {"name": "Sảnh chợ", "area": "00001", "profile": "lcd1920"}
    claimed = staff.post("hoa", "/v1/screens/pairing/claim", {"code": code.text_content(), **place})
    screen_id = claimed["screen_id"]
    hanoi.follow()
    words = page.locator("#words")
    expect(words).to_be_visible(timeout=15_000)
    expect(page.locator("#stale")).to_be_hidden(timeout=15_000)
    expect(page.locator("#unsigned")).to_be_hidden()
    assert TEXT not in (words.text_content() or "")

    alert_id = staff.issue()
    hanoi.follow()
    expect(words).to_have_text(TEXT)
    expect(page.locator("#stage")).to_have_class("told extreme")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    hanoi.follow()
    reach = calls.get(f"{hanoi.url}/v1/alerts/{alert_id}/reach", trust_env=False)

    def receipts() -> list[int]:
        hanoi.follow()
        told = calls.get(f"{hanoi.url}/v1/alerts/{alert_id}/reach", trust_env=False).json()
        return [one["totals"]["screens"] for one in told["channels"] if one["channel"] == "led"]

    assert reach.is_success
    page.wait_for_function("JSON.parse(localStorage.getItem('screen.state')).pending.length === 0")
    assert receipts() == [1]

    # What is set of the screen reaches it, and the operator finds it among others.
    staff.put("hoa", f"/v1/screens/{screen_id}/display", {"brightness": 40})
    expect(page.locator("#stage")).to_have_css("filter", "brightness(0.4)")
    staff.post("hoa", f"/v1/screens/{screen_id}/identify")
    expect(page.locator("#stage")).to_have_css("filter", "invert(1) brightness(0.4)")

    # Another house's key is pinned: what this one says is not believed, and nothing of it is shown.
    page.evaluate("localStorage.removeItem('screen.state')")
    other = b64encode(FeedKey.fresh().public).decode()
    page.evaluate("key => localStorage.setItem('screen.feed-key', key)", other)
    with page.expect_console_message(lambda said: "TypeError" in said.text):
        page.reload()
    expect(words).to_have_text("Thành phố Hà Nội")
    expect(page.locator("#stale")).to_be_visible()


def test_a_television_whose_key_was_ended_pairs_again_on_the_house_s_word_alone(
    opened: Opener, hanoi: Site
) -> None:
    staff, page = Staff(hanoi), opened()
    page.goto("/screens/player")
    page.get_by_role("button", name="Ghép nối bằng mã").click()
    code, words = page.locator("#code"), page.locator("#words")
    expect(code).to_have_text(CODE)
    place = {"name": "Sảnh ga", "area": "00001", "profile": "lcd1920"}
    claimed = staff.post("hoa", "/v1/screens/pairing/claim", {"code": code.text_content(), **place})
    hanoi.follow()
    expect(words).to_be_visible(timeout=15_000)
    expect(page.locator("#stale")).to_be_hidden(timeout=15_000)

    # A network that lies: it refuses the key, and says that it is ended.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.route("**/v1/screens/me/feed", lambda route: route.fulfill(status=401))
    told = {"kind": "key-standing/1", "standing": "ended"}
    page.route("**/pairing/standing*", lambda route: route.fulfill(json=told))
    with page.expect_response("**/pairing/standing*"):
        page.reload()
    expect(page.locator("#refused")).to_be_visible()
    expect(words).to_have_text("Thành phố Hà Nội")
    assert not [one for one in asked if one.startswith("POST") and one.endswith("/pairing")]

    page.unroute("**/v1/screens/me/feed")
    page.unroute("**/pairing/standing*")
    staff.post("hoa", f"/v1/screens/{claimed['screen_id']}/revoke")
    page.reload()
    expect(words).to_have_text(CODE)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    again = {"code": words.text_content(), "screen_id": claimed["screen_id"]}
    assert staff.post("hoa", "/v1/screens/pairing/claim", again)["screen_id"] == claimed["screen_id"]
    expect(words).not_to_have_text(CODE)
    expect(page.locator("#stale")).to_be_hidden(timeout=15_000)
    assert page.evaluate("localStorage.getItem('screen.paired')") == claimed["screen_id"]
