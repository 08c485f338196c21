"""Live pages in a real browser: one stream for all tabs, numbers, restarts, a failing proxy, resting."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.test_console import look, write
from tests.site import Site
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.slow]

Opener = Callable[..., Page]
ON = "Số liệu đang tự cập nhật."
LOST = "Mất kết nối; sẽ tự nối lại."
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def state(page: Page, words: str) -> None:
    expect(page.locator("#live-state")).to_contain_text(words)


def issued(opened: Opener, hanoi: Site, headline: str) -> tuple[Page, str]:
    """The approver on the live page of an alert, and its address."""
    lan = opened("lan")
    write(lan, headline)
    lan.get_by_label("Phường Phúc Xá").check()
    lan.get_by_role("button", name="Trình duyệt").click()
    lan.wait_for_url("**/console/alerts/*")
    path = lan.url
    lan.context.close()
    hanoi.follow()
    minh = opened("minh")
    minh.goto(path)
    minh.get_by_label("Tôi đã đọc hết và hiểu").check()
    minh.get_by_role("button", name="Duyệt và phát ngay").click()
    minh.wait_for_url("**/live")
    return minh, f"{path}/live"


def test_ten_tabs_share_one_stream(opened: Opener, hanoi: Site) -> None:
    first = opened("ha")
    state(first, ON)
    tabs = [first.context.new_page() for _ in range(9)]
    for tab in tabs:
        tab.goto("/console")
        state(tab, ON)
    until(lambda: len(hanoi.hub) == 1)
    # The one that leads is closed: another takes over.
    first.close()
    until(lambda: len(hanoi.hub) == 1)
    minh, _ = issued(opened, hanoi, "Mười trang một dòng")
    hanoi.follow()
    for tab in tabs:
        expect(tab.get_by_role("link", name="Mười trang một dòng")).to_be_visible()
    minh.context.close()
    until(lambda: len(hanoi.hub) == 1)


def test_a_live_page_follows_without_a_reload(opened: Opener, hanoi: Site) -> None:
    minh, path = issued(opened, hanoi, "Theo dõi")
    expect(minh.get_by_text("Đang đếm người nhận.")).to_be_visible()
    state(minh, ON)
    minh.evaluate("document.body.dataset.same = 'yes'")
    lan = opened("lan")
    lan.goto(path)
    lan.get_by_role("link", name="Hủy cảnh báo").click()
    lan.get_by_label("Lý do").fill("Nước đã rút")
    lan.get_by_label("Tôi hiểu tin hủy").check()
    lan.get_by_role("button", name="Hủy cảnh báo ngay").click()
    hanoi.follow()
    expect(minh.get_by_text("Đã hủy.", exact=True)).to_be_visible()
    expect(minh.get_by_role("link", name="Hủy cảnh báo")).to_have_count(0)
    expect(minh.get_by_role("heading", name="Diễn biến")).to_be_visible()
    assert minh.evaluate("document.body.dataset.same") == "yes"
    look(minh, path)


def test_numbers_are_drawn_as_they_come(opened: Opener, hanoi: Site) -> None:
    minh, path = issued(opened, hanoi, "Đếm")
    hanoi.follow()
    alert_id = path.split("/")[-2]
    totals(hanoi, alert_id, 1000, 10)
    figure = minh.locator('[data-n="push-1/accepted"]').first
    expect(figure).to_have_text("10")
    totals(hanoi, alert_id, 1000, 990)
    expect(figure).to_have_text("990")
    expect(minh.locator("svg.bar rect.ok")).to_have_attribute("width", "99.00")


def totals(hanoi: Site, alert_id: str, audience: int, accepted: int) -> None:
    """The view as it would be after receipts, and moved on."""
    with hanoi.house.pool.connection() as conn:
        conn.execute(
            "INSERT INTO reach_totals (alert_id, version, channel, audience, accepted, gone, refused, dead,"
            " expired, superseded, unknown, screens, written_off)"
            " VALUES (%s, 1, 'push', %s, %s, 0, 0, 0, 0, 0, 0, 0, 0)"
            " ON CONFLICT (alert_id, version, channel) DO UPDATE SET audience = excluded.audience,"
            " accepted = excluded.accepted",
            (alert_id, audience, accepted),
        )
        conn.execute("UPDATE projection_positions SET position = position + 1 WHERE name = 'reach'")


def test_a_restart_in_mid_stream_is_noticed_and_over(opened: Opener, hanoi: Site) -> None:
    ha = opened("ha")
    state(ha, ON)
    hanoi.stop()
    state(ha, LOST)
    hanoi.start()
    state(ha, ON)
    until(lambda: len(hanoi.hub) == 1)


def test_who_is_signed_out_elsewhere_is_told_and_asks_no_more(opened: Opener, hanoi: Site) -> None:
    ha = opened("ha")
    state(ha, ON)
    hanoi.desk.sessions.revoke_all("ha")
    hanoi.hub.recheck()
    state(ha, "Phiên làm việc đã kết thúc.")
    until(lambda: len(hanoi.hub) == 0)


def test_a_hidden_tab_rests(opened: Opener, hanoi: Site) -> None:
    ha = opened("ha")
    state(ha, ON)
    other = ha.context.new_page()
    other.goto("/console")
    state(other, ON)
    ha.evaluate(HIDE, True)
    until(lambda: len(hanoi.hub) == 1)
    other.evaluate(HIDE, True)
    until(lambda: len(hanoi.hub) == 0)
    minh, _ = issued(opened, hanoi, "Trong lúc nghỉ")
    minh.context.close()
    hanoi.follow()
    assert ha.get_by_role("link", name="Trong lúc nghỉ").count() == 0
    ha.evaluate(HIDE, False)
    expect(ha.get_by_role("link", name="Trong lúc nghỉ")).to_be_visible()


@dataclass
class Proxy:
    """Before the site: passes bytes on, or answers 502 as a proxy does whose server is away."""

    to: int
    away: bool = False
    refused: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list[socket.socket])

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def go_away(self) -> None:
        """Breaks what is open, and refuses what comes."""
        self.away = True
        for each in self._open:
            with_shutdown(each)
        self._open.clear()

    def _serve(self, client: socket.socket) -> None:
        if self.away:
            client.recv(65536)
            self.refused += 1
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.to))
        self._open += [client, server]
        threading.Thread(target=pump, args=(server, client), daemon=True).start()
        pump(client, server)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # One of the two has gone; so does the other.
        while data := source.recv(65536):
            sink.sendall(data)
    with_shutdown(source)
    with_shutdown(sink)


def with_shutdown(each: socket.socket) -> None:
    with suppress(OSError):  # It may be down already.
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def proxied(hanoi: Site) -> Generator[Proxy]:
    proxy = Proxy(hanoi.port)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    yield proxy
    proxy.go_away()
    proxy.listener.shutdown(socket.SHUT_RDWR)
    proxy.listener.close()
    thread.join(PATIENCE)


def test_a_proxy_that_answers_502_is_asked_again(opened: Opener, hanoi: Site) -> None:
    with proxied(hanoi) as proxy:
        ha = opened("ha", base_url=f"http://127.0.0.1:{proxy.port}")
        state(ha, ON)
        proxy.go_away()
        state(ha, LOST)
        until(lambda: proxy.refused >= 2)
        proxy.away = False
        state(ha, ON)
