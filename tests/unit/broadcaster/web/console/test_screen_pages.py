"""Groups, settings, the map, and screens left out of an alert, as people do it at the console."""

import re

import pytest

from broadcaster.screens.seen import Seen
from broadcaster.screens.watch import ScreenWatch
from broadcaster.web.console.screens.map import MARGIN, WIDTH, Drawn, draw
from broadcaster.web.directory import Directory
from broadcaster.web.feeds.polls import FEED_PATH
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import PHUC_XA, Client, Town

PROFILE = "m96x32-1"


def put_up(town: Town, name: str) -> tuple[Client, str]:
    place = {"name": name, "area": "00001", "profile": PROFILE}
    made = town.client("hoa").post("/v1/screens", place).raise_for_status().json()
    return Client(town.app, made["key"]), made["screen_id"]


@pytest.fixture(name="hoa")
def _hoa(town: Town) -> Browser:
    return Browser(town).sign_in("hoa")


def test_a_group_is_made_filled_set_and_ended(town: Town, hoa: Browser) -> None:
    screen, screen_id = put_up(town, "Bảng chợ")
    town.catch_up()
    hoa.go("/console/screen-groups").sees("Chưa có nhóm nào.")
    hoa.press("Lập nhóm", name="Chợ và bến xe", body=PHUC_XA)
    path = hoa.path
    hoa.sees("Nhóm chưa có màn hình.", "Bảng chợ")
    hoa.press("Thay đổi nhóm", add=[screen_id])
    hoa.sees("1 màn hình")
    hoa.press("Lưu cài đặt", brightness="130")
    hoa.sees("Từ 1 đến 100")
    hoa.go(path).press("Lưu cài đặt", brightness="40", quiet_from="22:00")
    hoa.sees("Điền cả hai giờ")
    hoa.go(path).press("Lưu cài đặt", brightness="40", quiet_from="22:00", quiet_until="05:00")
    hoa.sees("Độ sáng 40%", "22:00\u201305:00")
    assert screen.get(FEED_PATH).json()["display"]["brightness"] == 40
    hoa.go(f"/console/screens/{screen_id}").sees("Chợ và bến xe", "Độ sáng 40%")
    hoa.go("/console/screen-groups").sees("Chợ và bến xe", "1 màn hình")
    assert Browser(town).sign_in("lan").go(path).status == 200
    hoa.go(path).press("Bỏ nhóm")
    hoa.sees("Chưa có nhóm nào.")
    assert hoa.go(path).status == 404


def test_a_screen_is_set_tested_and_told_to_flash(town: Town, hoa: Browser) -> None:
    screen, screen_id = put_up(town, "Bảng chợ")
    town.catch_up()
    path = f"/console/screens/{screen_id}"
    hoa.go(path).press("Nháy để nhận biết")
    hoa.sees("Đang nháy đến")
    hoa.press("Hiện hình thử 2 phút")
    hoa.sees("Hình thử")
    assert screen.get(FEED_PATH).json()["items"][0]["status"] == "test"
    hoa.press("Ngừng hiện hình thử")
    assert screen.get(FEED_PATH).json()["items"] == []
    hoa.press("Lưu nơi đặt", kind="street", latitude="21.04", longitude="x")
    hoa.sees("Vĩ độ và kinh độ là hai số")
    hoa.go(path).press("Lưu nơi đặt", kind="street", latitude="21.04", longitude="105.85")
    hoa.sees("Đường phố")
    town.later(minutes=11)
    hoa.go(path).press("Lưu cài đặt", brightness="40", code="")
    hoa.sees("Cần mã xác thực mới.")
    town.catch_up()
    hoa.go(path).sees("Lịch sử", "Cho màn hình hiện hình thử", "Ghi nơi đặt màn hình: đường phố")
    lan = Browser(town).sign_in("lan").go(path)
    assert "Kiểm tra tại chỗ" not in lan.text
    values = [("csrf", lan.go("/console/compose").csrf())]
    for step in ("identify", "test-pattern", "place", "display"):
        assert lan.send(f"{path}/{step}", values).status == 403, step


def test_a_screen_is_left_out_of_a_live_alert_and_back(town: Town) -> None:
    screen, screen_id = put_up(town, "Bảng chợ")
    put_up(town, "Bảng bến")
    alert_id = town.issue()
    town.catch_up()
    path = f"/console/alerts/{alert_id}/screens"
    minh = Browser(town).sign_in("minh").go(f"/console/alerts/{alert_id}/live")
    minh.sees("Màn hình loại trừ")
    minh.go(path).sees("dành cho 2 màn hình; loại trừ 0")
    minh.press("Loại trừ", screen=[screen_id], reason="")
    minh.sees("Chưa điền.")
    minh.go(path).press("Loại trừ", screen=[screen_id], reason="Đang sửa điện")
    minh.sees("loại trừ 1", "Bảng chợ")
    assert screen.get(FEED_PATH).json()["items"] == []
    hoa = Browser(town).sign_in("hoa").go(f"/console/screens/{screen_id}")
    hoa.sees("Theo lệnh, 1 cảnh báo không hiện ở màn hình này.")
    minh.go(path).press("Hiện lại ở nơi đã chọn", screen=[screen_id])
    minh.sees("loại trừ 0")
    assert len(screen.get(FEED_PATH).json()["items"]) == 1
    lan = Browser(town).sign_in("lan").go(path)
    assert "Loại trừ thêm" not in lan.text
    values = [("csrf", lan.go("/console/compose").csrf()), ("screen", screen_id), ("reason", "x")]
    assert lan.send(path, values).status in {403, 422}
    assert len(screen.get(FEED_PATH).json()["items"]) == 1


def test_the_approver_sees_what_the_author_left_out(town: Town) -> None:
    _, screen_id = put_up(town, "Bảng chợ")
    draft = town.draft().json()["id"]
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{draft}")
    lan.sees("Màn hình loại trừ")
    lan.go(f"/console/alerts/{draft}/screens").press("Loại trừ", screen=[screen_id], reason="Đang sửa")
    town.client("lan").post(f"/v1/alerts/{draft}/submit").raise_for_status()
    Browser(town).sign_in("minh").go(f"/console/alerts/{draft}").sees("Màn hình loại trừ: 1 màn hình")
    lan.go(f"/console/alerts/{draft}/screens")
    assert "Loại trừ thêm" not in lan.text


def test_the_map_and_its_table_say_the_same(town: Town, hoa: Browser) -> None:
    hoa.go("/console/screen-map").sees("Không có màn hình nào phù hợp.")
    for name in ("A", "B", "C"):
        _, screen_id = put_up(town, name)
    place = {"latitude": 21.05, "longitude": 105.85}
    town.client("hoa")("PUT", f"/v1/screens/{screen_id}/place", place).raise_for_status()
    town.catch_up()
    hoa.go("/console/screen-map").sees("Phường Phúc Xá")
    page = hoa.answer.text
    assert re.findall(r'<g class="mark [a-z]+">.*?<text[^>]*>(\d+)</text>', page) == ["2"]
    assert page.count('<circle class="dot never" cx="6"') == 1
    assert len(re.findall(r'<circle class="dot never" cx="(?!6")', page)) == 1
    cells = re.findall(r'<td class="num" data-head="[^"]+">(\d+)</td>', page)
    assert (cells[0], cells[-1]) == ("3", "1")
    assert draw([], {}) == Drawn(WIDTH, MARGIN)


def test_the_alarm_is_on_the_page(town: Town, hoa: Browser) -> None:
    screen, screen_id = put_up(town, "Bảng chợ")
    town.catch_up()
    screen.get(FEED_PATH, X_Screen_State="seq=1;err=2")
    hoa.go("/console/screens?faulty=1").sees("2 lỗi", "1 màn hình")
    Seen(town.pool, town.app.served, lambda: town.now).flush()
    town.later(seconds=60)
    Seen(town.pool, town.app.served, lambda: town.now).flush()
    watch = ScreenWatch(town.pool, town.log, Directory(town.log).screens)
    town.later(minutes=4, seconds=30)
    # Others are heard all the while: it is this screen that fell silent, not we who went deaf.
    with town.pool.connection() as conn:
        conn.execute("UPDATE screen_hearing SET until = %s", (town.now,))
    assert watch.watch(town.now) == 1
    assert "screen.offline" in [one.event.TOPIC for one in town.log.everything()]
    town.open()
    hoa.go("/console/screens").sees("1 màn hình mất liên lạc quá 5 phút trong giờ hoạt động.")
    hoa.go("/console/screens?state=offline").sees("Bảng chợ")
    hoa.go(f"/console/screens/{screen_id}").sees("Mất liên lạc trong giờ hoạt động, từ")
    told = town.client("hoa").get(f"/v1/screens/{screen_id}").json()
    assert (told["contact"], told["offline_since"] is not None) == ("offline", True)
