"""The public's pages in a real browser: axe, without scripts, without a network, with a wrong clock."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from broadcaster.runtime import clock
from channels.push.web.sandbox.browser import subscription
from schemas.areas import unaccented
from schemas.content import Certainty, Content, Kind, Severity, Text, Urgency
from schemas.events import Actor
from schemas.web_push import Services
from tests.e2e.browser.test_console import look
from tests.site import PHUC_XA, Site
from tests.waiting import until

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]


def issued(hanoi: Site, headline: str, **changes: object) -> UUID:
    """An alert for Phúc Xá that is out."""
    content = Content(
        kind=Kind.ALERT,
        category="ngap_ung",
        severity=Severity.SEVERE,
        urgency=Urgency.EXPECTED,
        certainty=Certainty.LIKELY,
        risk_level=3,
        texts={"vi": Text(headline=headline, description="Nước lên nhanh.", instruction="Lên tầng cao.")},
        areas=("00001",),
    ).model_copy(update=changes)
    lan, minh = Actor(account="lan", body=PHUC_XA), Actor(account="minh", body=PHUC_XA)
    alerts = hanoi.house.alerts
    alert_id = alerts.draft(lan, PHUC_XA, content, at=clock()).id
    alerts.submit(lan, alert_id, at=clock())
    alerts.approve(minh, alert_id, at=clock())
    alerts.issue(lan, alert_id, at=clock())
    hanoi.follow()
    return alert_id


def choose(page: Page, ward: str) -> None:
    page.goto("/my/areas")
    seek = page.get_by_label("Tìm xã, phường")
    if seek.is_visible():
        seek.fill(unaccented(ward))
        expect(page.locator("#seek-found")).to_have_text("Tìm thấy 1 nơi")
    else:
        page.get_by_text("Quận Ba Đình").click()
    page.get_by_label(ward).check()
    page.get_by_role("button", name="Lưu").click()
    page.wait_for_url("**/my")


def test_axe_finds_nothing(opened: Opener, hanoi: Site) -> None:
    alert = issued(hanoi, "Ngập bãi giữa")
    page = opened()
    for path in ("/", "/alerts", "/alerts?when=past", "/alerts?place=phuc", f"/alerts/{alert}"):
        look(page, path)
    for path in ("/accessibility", "/my", "/my/areas"):
        look(page, path)
    for path in ("/cadence", "/docs"):
        look(page, path)
    choose(page, "Phường Phúc Xá")
    look(page, "/my")
    page.goto("/my?lang=en")
    # The script writes the time as the server does, not as Americans do.
    expect(page.locator("#state")).to_have_text(re.compile(r"^As of \d\d:\d\d, \d+ [A-Z][a-z]{2} \d{4}$"))


def test_without_scripts(opened: Opener, hanoi: Site) -> None:
    issued(hanoi, "Ngập không cần mã")
    page = opened(scripts=False)
    choose(page, "Phường Phúc Xá")
    expect(page.get_by_role("link", name="Ngập không cần mã")).to_be_visible()
    page.goto("/alerts")
    page.get_by_label("Xã, phường").fill("phuc xa")
    page.get_by_role("button", name="Tìm").click()
    expect(page.get_by_role("link", name="Ngập không cần mã")).to_be_visible()


def test_offline_shows_what_was_known_and_nothing_that_is_over(opened: Opener, hanoi: Site) -> None:
    issued(hanoi, "Ngập khi mất mạng")
    page = opened()
    choose(page, "Phường Phúc Xá")
    alert = page.get_by_role("link", name="Ngập khi mất mạng")
    expect(alert).to_be_visible()
    until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    page.reload()
    expect(page.locator("#state")).to_contain_text("Cập nhật lúc")
    until(lambda: page.evaluate("caches.open('last-alerts').then(c => c.keys()).then(k => k.length === 1)"))
    hanoi.stop()
    try:
        page.reload()
        expect(page.get_by_text("Ngoại tuyến.")).to_be_visible()
        expect(page.locator("#offline-at")).to_have_text(re.compile(r"\d{2}:\d{2}"))
        expect(alert).to_be_visible()
        expect(page.get_by_text("Lên tầng cao.").last).to_be_visible()
        # A day later: what was known is over, whatever cannot be asked.
        page.clock.install(time=clock() + timedelta(days=3))
        page.reload()
        expect(page.get_by_text("Ngoại tuyến.")).to_be_visible()
        expect(alert).to_be_hidden()
        expect(page.locator("#ended")).to_contain_text("hết hiệu lực")
        expect(page.get_by_text("Hiện không có cảnh báo nào")).to_be_hidden()
    finally:
        hanoi.start()
    page.reload()
    expect(page.get_by_text("Ngoại tuyến.")).to_be_hidden()
    expect(alert).to_be_visible()


# Chromium has no push service here: the page gets an address all the same, kept as a browser keeps it.
PUSH_SERVICE = """
(told) => {
  const kept = () => (sessionStorage.getItem("address") ? address : null);
  const address = {
    endpoint: told.endpoint,
    toJSON: () => told,
    unsubscribe: async () => { sessionStorage.removeItem("address"); return true; },
  };
  PushManager.prototype.subscribe = async () => { sessionStorage.setItem("address", "1"); return address; };
  PushManager.prototype.getSubscription = async () => kept();
  Notification.requestPermission = async () => "granted";
  Object.defineProperty(Notification, "permission", { get: () => "granted" });
}
"""


def followed(hanoi: Site) -> list[tuple[str, int]]:
    """The home of each browser in the registry, and how many further areas it follows."""
    query = """SELECT home, (SELECT count(*) FROM subscriber_areas WHERE subscriber_id = id)::int
        FROM subscribers WHERE push_kind = 'subscription'"""
    with hanoi.house.pool.connection() as conn:
        return conn.execute(query).fetchall()  # type: ignore[return-value]  # a text and a number


def test_notifications_on_and_off(opened: Opener, hanoi: Site) -> None:
    hanoi.stop()
    hanoi.more = {"push_key": "BKey", "push_services": Services.of("push.example.com")}
    hanoi.start()
    endpoint, p256dh, auth = subscription("https://push.example.com", "one").text.split("|")
    told = {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}
    page = opened()
    page.add_init_script(f"({PUSH_SERVICE})({json.dumps(told)})")
    choose(page, "Phường Phúc Xá")
    page.get_by_role("button", name="Bật thông báo").click()
    expect(page.locator("#push-state")).to_have_text("Đang bật.")
    assert followed(hanoi) == [("00001", 0)]
    look(page, "/my")
    choose(page, "Phường Trúc Bạch")
    until(lambda: followed(hanoi) == [("00001", 1)])
    page.get_by_role("button", name="Tắt thông báo").click()
    expect(page.locator("#push-state")).to_have_text("Đang tắt.")
    assert followed(hanoi) == []


def test_what_is_pushed_replaces_what_was_shown(opened: Opener, hanoi: Site) -> None:
    page = opened()
    page.context.grant_permissions(["notifications"], origin=hanoi.url)
    choose(page, "Phường Phúc Xá")
    until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    session, found = page.context.new_cdp_session(page), list[str]()

    def registered(event: dict[str, Any]) -> None:
        # The browser tells of those that tests before this one left, too.
        ours = [each for each in event["registrations"] if each["scopeURL"].startswith(hanoi.url)]
        found.extend(each["registrationId"] for each in ours if not each["isDeleted"])

    session.on("ServiceWorker.workerRegistrationUpdated", registered)
    session.send("ServiceWorker.enable")
    until(lambda: page.evaluate("1") and found)

    def push(title: str, left: timedelta) -> None:
        at = (clock() + left).isoformat()
        told = {"title": title, "body": "Lên cao.", "tag": "a", "url": "/alerts/a", "lang": "vi"}
        data = json.dumps(told | {"urgent": True, "stays": False, "expires_at": at})
        facts = {"origin": hanoi.url, "registrationId": found[0], "data": data}
        session.send("ServiceWorker.deliverPushMessage", facts)

    def shown() -> list[str]:
        return page.evaluate(
            "navigator.serviceWorker.ready.then(r => r.getNotifications()).then(n => n.map(x => x.title))"
        )

    push("Ngập", timedelta(hours=1))
    until(lambda: shown() == ["Ngập"])
    push("CẬP NHẬT: Ngập", timedelta(hours=1))
    until(lambda: shown() == ["CẬP NHẬT: Ngập"])
    push("Ngập", timedelta(hours=-1))
    until(lambda: shown() == ["Đã hết hiệu lực: Ngập"])


def test_a_page_that_comes_back_into_view_is_asked_for_anew(opened: Opener, hanoi: Site) -> None:
    alert = issued(hanoi, "Ngập rồi thôi")
    page = opened()
    page.clock.install(time=clock())
    page.goto(f"/alerts/{alert}")
    expect(page).to_have_title(re.compile("^Ngập rồi thôi"))
    minh = Actor(account="minh", body=PHUC_XA)
    hanoi.house.alerts.cancel(minh, alert, "Nước đã rút", in_error=False, at=clock())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title(re.compile("^Ngập rồi thôi"))  # It is young.
    page.clock.fast_forward(60_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title(re.compile("^Đã hủy: Ngập rồi thôi"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã hủy: Ngập rồi thôi")
    look(page, f"/alerts/{alert}")


def test_a_page_that_cannot_ask_says_so(opened: Opener, hanoi: Site) -> None:
    alert = issued(hanoi, "Ngập lúc máy chủ vắng")
    page = opened()
    page.clock.install(time=clock())
    page.goto(f"/alerts/{alert}")
    hanoi.stop()
    try:
        page.clock.fast_forward(60_000)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.get_by_text("Không hỏi lại được thành phố")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    finally:
        hanoi.start()


def test_a_new_program_is_picked_up(opened: Opener, hanoi: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened()
    choose(page, "Phường Phúc Xá")
    until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    hanoi.stop()
    monkeypatch.setattr("broadcaster.web.citizen.app_files.static_digest", lambda: "another")
    hanoi.start()
    page.reload()
    shells = "caches.keys().then(names => names.filter(name => name.startsWith('shell-')))"
    until(lambda: page.evaluate(shells) == ["shell-another"])


def test_an_alert_on_paper(opened: Opener, hanoi: Site) -> None:
    alert = issued(hanoi, "Ngập in ra giấy")
    page = opened(scripts=False)
    page.goto(f"/alerts/{alert}")
    page.emulate_media(media="print")
    for words in ("Tình trạng lúc", "Lên tầng cao.", f"{hanoi.url}/alerts/{alert}"):
        expect(page.get_by_text(words).first).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_hidden()
