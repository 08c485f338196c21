"""What a citizen finds at the end of a link: of a corrected alert, a mistake, a year ago, another map."""

import re
from datetime import date
from uuid import UUID

import pytest

from schemas.areas import Area, Succession
from tests.unit.broadcaster.web.town import AREAS, SYSTEM, Town, content

HTML = {"accept": "text/html"}
NEW_EDITION = "2024-07-11"


def reorganise(town: Town) -> None:
    """Phúc Xá and its neighbour become one ward, under the city itself."""
    gone = {"00001", "00004"}
    old = {area.code for area in AREAS}
    assert gone <= old
    merged = Area(code="90001", name="Phường Hồng Hà", kind="phuong", level=2, parent_code="01")
    kept = [area for area in AREAS if area.code not in gone]
    successions = [Succession(old_code=code, new_code="90001", coverage="whole") for code in sorted(gone)]
    register = town.office.register()
    adopted = register.adopt(SYSTEM, NEW_EDITION, date(2024, 7, 11), [*kept, merged], successions)
    town.log.append([adopted], at=town.now)


def page(town: Town, alert_id: str, **headers: str) -> str:
    return town.client().get(f"/alerts/{alert_id}", **HTML, **headers).raise_for_status().text


def title(text: str) -> str:
    return text.partition("<title>")[2].partition("</title>")[0]


def heading(text: str) -> str:
    return text.partition("<h1")[2].partition("</h1>")[0]


def test_what_holds_says_as_of_when_and_where_it_lives(town: Town) -> None:
    alert_id = town.issue()
    text = page(town, alert_id)
    assert title(text).startswith("Mưa lớn")
    assert re.search(r"Tình trạng lúc\s+<time[^>]*>\s*09:00, 10/07/2024", text)
    assert f'<link rel="canonical" href="http://town/alerts/{alert_id}">' in text
    assert "data-expires=" in text
    assert "renew.js" in text


def test_a_withdrawn_one_says_so_before_all_else(town: Town) -> None:
    alert_id = town.issue()
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    text = page(town, alert_id)
    assert title(text).startswith("Đã hủy: Mưa lớn")
    assert "Đã hủy:" in heading(text)
    assert text.index("Hết mưa") < text.index("<h1")
    assert "Phát nhầm" not in text
    assert "data-expires=" not in text
    assert title(page(town, alert_id, cookie="lang=en")).startswith("Cancelled: ")


def test_a_mistake_is_called_one(town: Town) -> None:
    alert_id = town.issue()
    told = {"reason": "Gửi nhầm khu vực", "in_error": True}
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", told).raise_for_status()
    text = page(town, alert_id)
    assert title(text).startswith("Phát nhầm: ")
    assert text.index("Đừng làm theo") < text.index("Gửi nhầm khu vực") < text.index("<h1")
    assert "Do not act on what is below" in page(town, alert_id, cookie="lang=en")


def test_an_updated_one_says_that_it_is_the_latest(town: Town) -> None:
    alert_id = town.issue()
    assert "bản mới nhất" not in page(town, alert_id)
    town.later(minutes=30)
    client, path = town.client("lan"), f"/v1/alerts/{alert_id}"
    told = content(texts={"vi": {"headline": "Nước rút chậm", "description": "Vẫn ngập."}})
    tag = client.get(path).headers["etag"]
    client.post(f"{path}/update", {"content": told}, If_Match=tag).raise_for_status()
    assert "Nước rút chậm" not in page(town, alert_id), "it is not approved"
    town.send_out(alert_id)
    text = page(town, alert_id)
    assert "Nước rút chậm" in heading(text)
    assert "Mưa lớn, ngập sâu" not in text
    assert "Đây là bản mới nhất, phát lúc" in text


@pytest.mark.parametrize("mode", ["exercise", "test"])
def test_an_exercise_is_one_in_the_title_and_the_heading(town: Town, mode: str) -> None:
    text = page(town, town.issue(mode=mode))
    mark = {"exercise": "DIỄN TẬP", "test": "THỬ"}[mode]
    assert mark in title(text).upper()
    assert mark in heading(text).upper()


def test_a_link_opened_a_year_later_under_another_map(town: Town) -> None:
    alert_id = town.issue()
    town.catch_up()
    reorganise(town)
    town.later(days=366)
    town.catch_up()
    text = page(town, alert_id)
    assert title(text).startswith("Đã hết hiệu lực: ")
    assert "Phường Phúc Xá" in text, "as it was called when it was told"
    assert "địa giới đã thay đổi từ đó" in text
    assert town.client().get(f"/v1/alerts/{alert_id}.cap").status_code == 200
    assert town.client().get(f"/alerts/{UUID(alert_id).hex.upper()}", **HTML).status_code == 200


def test_a_link_to_an_area_follows_what_became_of_it(town: Town) -> None:
    town.later(hours=14, minutes=30)
    mine = town.issue()
    town.catch_up()
    reorganise(town)
    town.later(hours=1)  # Past the midnight at which the new map comes into force.
    town.catch_up()
    for path in ("/alerts?area=00001", "/my?area=00001", "/my/alerts.json?area=00001&area=00004"):
        text = town.client().get(path, **HTML).text
        assert mine in text
        assert "Phường Hồng Hà" in text
    assert town.client().get("/my/alerts.json?area=00001&area=00004").json()["areas"] == [
        {"code": "90001", "name": "Phường Hồng Hà"}
    ]
    nowhere = town.client().get("/alerts?area=77777", **HTML).text
    assert "Không có nơi nào" in nowhere
