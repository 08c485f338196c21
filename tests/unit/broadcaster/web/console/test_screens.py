"""Screens: what each shows as the frame it draws, put up with a key shown once, taken down at once."""

import re
from uuid import uuid4

import pytest

from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import HANG_BAC, PHUC_XA, Client, Town

PROFILE = "m96x32-1"


@pytest.fixture(name="hoa")
def _hoa(town: Town) -> Browser:
    return Browser(town).sign_in("hoa").go("/console/screens")


def put_up(hoa: Browser, name: str = "Bảng chợ", **more: object) -> str:
    """Answers its key."""
    hoa.press("Lắp màn hình", name=name, area="00001", profile=PROFILE, **more)
    hoa.sees(name, "Nó chỉ hiện một lần.")
    return hoa.answer.text.partition('<code class="secret">')[2].partition("<")[0]


def only(hoa: Browser) -> str:
    return re.findall(r'href="(/console/screens/[0-9a-f-]{36})"', hoa.go("/console/screens").answer.text)[0]


def test_a_screen_is_put_up_shows_and_is_taken_down(town: Town, hoa: Browser) -> None:
    hoa.sees("Không có màn hình nào phù hợp.")
    key = put_up(hoa)
    town.catch_up()
    hoa.go("/console/screens").sees(
        "Bảng chợ", "Chưa kết nối lần nào", "Bảng LED nhỏ", "Phường Phúc Xá", "nghỉ"
    )
    town.issue(texts={"vi": {"headline": "Ngập bãi giữa", "description": "x"}})
    town.catch_up()
    assert Client(town.app, key).get("/v1/screens/me/feed").status_code == 200
    hoa.go("/console/screens").sees("Đang kết nối")
    (picture, *_) = re.findall(r'<img class="panel" src="([^"]+)"[^>]* alt="([^"]+)"', hoa.answer.text)
    assert "Ngập" in picture[1]
    frame = Client(town.app).get(picture[0])
    assert frame.headers["content-type"] == "image/png"
    town.later(minutes=5)
    hoa.go("/console/screens").sees("Chậm liên lạc")
    hoa.go(only(hoa)).sees("Đang hiện")
    hoa.press("Gỡ màn hình")
    hoa.sees("Không có màn hình nào phù hợp.")
    assert Client(town.app, key).get("/v1/screens/me/feed").status_code == 401


def test_the_idle_page_has_its_frame(town: Town, hoa: Browser) -> None:
    put_up(hoa, drills=True)
    town.catch_up()
    hoa.go(only(hoa)).sees("Không có tin; màn hình nghỉ.", "Diễn tập")
    (src,) = re.findall(r'<img class="panel wide" src="([^"]+)"', hoa.answer.text)
    assert Client(town.app).get(src).status_code == 200


def test_a_form_sent_twice_makes_one_screen(town: Town, hoa: Browser) -> None:
    values = [("csrf", hoa.csrf()), ("nonce", "n"), ("name", "A"), ("body", PHUC_XA), ("area", "00001")]
    values.append(("profile", PROFILE))
    first = hoa.send("/console/screens", values).answer.text
    assert 'class="secret"' in first
    assert hoa.send("/console/screens", values).answer.text == first, "an answer that was lost comes again"
    hoa.send("/console/screens", [*values, ("later", "1")]).sees("khóa không hiện lại")
    assert len([e for e in town.log.everything() if e.event.TOPIC == "screen.registered"]) == 1


def test_screens_are_found(town: Town, hoa: Browser) -> None:
    put_up(hoa, "Bảng chợ")
    put_up(hoa.go("/console/screens"), "Nhà văn hóa")
    town.catch_up()
    hoa.go("/console/screens?words=nha+van").sees("Nhà văn hóa")
    assert "Bảng chợ" not in hoa.text
    hoa.go("/console/screens?words=phuc+xa&state=never").sees("2 màn hình")
    hoa.go("/console/screens?state=online").sees("Không có màn hình nào phù hợp.")
    assert hoa.go("/console/screens?state=x").status == 422
    hoa.go("/console/screens?page=2&lang=en").sees("There are no such screens.")


def test_wrong_forms_change_nothing(town: Town, hoa: Browser) -> None:
    good = {"name": "A", "body": PHUC_XA, "area": "00001", "profile": PROFILE, "nonce": "n"}
    for wrong, status in (
        ({"name": ""}, 422),
        ({"name": "x" * 121}, 422),
        ({"name": "a\nb"}, 422),
        ({"area": "777"}, 422),
        ({"area": "00049"}, 422),
        ({"profile": "m1x1"}, 422),
        ({"body": HANG_BAC}, 403),
    ):
        hoa.go("/console/screens")
        values = list((good | wrong | {"csrf": hoa.csrf()}).items())
        assert hoa.send("/console/screens", values).status == status, wrong
    town.later(minutes=11)
    hoa.go("/console/screens").press("Lắp màn hình", name="A", area="00001", profile=PROFILE, code="")
    hoa.sees("Cần mã xác thực mới.")
    assert not [e for e in town.log.everything() if e.event.TOPIC == "screen.registered"]


def test_others_look_at_their_own_only(town: Town, hoa: Browser) -> None:
    put_up(hoa)
    town.catch_up()
    path = only(hoa)
    lan = Browser(town).sign_in("lan").go(path)
    assert "Gỡ màn hình" not in lan.text
    values = [("csrf", lan.go("/console/compose").csrf())]
    assert lan.send(f"{path}/take-down", values).status == 403
    tuan = Browser(town).sign_in("tuan")
    tuan.go("/console/screens").sees("Không có màn hình nào phù hợp.")
    assert tuan.go(path).status == 404
    assert tuan.go(f"/console/screens/{uuid4()}").status == 404
    Browser(town).sign_in("kiem").go("/console/screens").sees("Bảng chợ")
