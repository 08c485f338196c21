"""Pages for people: what they show, in which language, and what they never do."""

import re
from uuid import uuid4

import pytest

from tests.unit.broadcaster.web.town import BODIES, Town

HTML = {"accept": "text/html"}


def test_home_shows_what_is_live(town: Town) -> None:
    empty = town.client().get("/", **HTML).text
    assert "Hiện không có cảnh báo nào." in empty
    mine = town.issue(texts={"vi": {"headline": "Ngập bãi giữa", "description": "Nước lên"}})
    bulletin = town.issue(
        "city-author",
        "city-approver",
        kind="bulletin",
        category="tuyen_truyen",
        risk_level=None,
        areas=["01"],
        texts={"vi": {"headline": "Lịch thu gom", "description": "Thứ bảy"}},
    )
    draft = town.draft(texts={"vi": {"headline": "Chưa phát", "description": "x"}})
    assert draft.status_code == 201
    town.catch_up()
    later = town.client().get("/?all=1", **HTML).text  # another page than the one just rendered
    assert f'href="/alerts/{mine}"' in later
    assert f'href="/alerts/{bulletin}"' in later
    for words in ("Ngập bãi giữa", "Cấp 2", "rủi ro trung bình", "Phường Phúc Xá", "Toàn thành phố"):
        assert words in later
    assert "Chưa phát" not in later
    for body in BODIES:
        assert body.name in later


def test_what_is_over_leaves_home_before_the_log_says_so(town: Town) -> None:
    mine = town.issue()
    town.catch_up()
    assert mine in town.client().get("/", **HTML).text
    town.later(days=30)
    assert mine not in town.client().get("/?all=1", **HTML).text


def test_cadence_is_filtered_by_its_tiles(town: Town) -> None:
    town.issue()
    town.catch_up()
    town.later(days=4)
    overdue = town.client().get("/?state=overdue", **HTML).text
    assert overdue.count('<span class="pill overdue">Quá hạn</span>') == 3
    assert '<span class="pill overdue">' not in town.client().get("/?state=ok", **HTML).text
    assert town.client().get("/?state=%00", **HTML).status_code == 200


def test_the_language_is_chosen_and_remembered(town: Town) -> None:
    client = town.client()
    plain = client.get("/", **HTML)
    assert '<html lang="vi">' in plain.text
    assert "set-cookie" not in plain.headers
    asked = client.get("/?lang=en", **HTML)
    assert '<html lang="en">' in asked.text
    assert "There is no alert now." in asked.text
    cookie = asked.headers["set-cookie"]
    assert cookie.startswith("lang=en;")
    assert "SameSite=lax" in cookie
    assert '<html lang="en">' in client.get("/", **HTML, Cookie="lang=en").text
    assert '<html lang="vi">' in client.get("/?lang=vi", **HTML, Cookie="lang=en").text
    for odd in ("?lang=xx", "?lang=%00"):
        assert '<html lang="vi">' in client.get(f"/{odd}", **HTML, Cookie="lang=<script>").text


def test_an_alerts_page(town: Town) -> None:
    texts = {
        "vi": {"headline": "Mưa lớn", "description": "Nước lên.", "instruction": "Ở trong nhà."},
        "en": {"headline": "Heavy rain", "description": "Water rises."},
    }
    alert_id = town.issue(texts=texts, risk_level=4)
    path = f"/alerts/{alert_id}"
    page = town.client().get(path, **HTML)
    for words in ("Mưa lớn", "Ở trong nhà.", "Cấp 4", "UBND phường Phúc Xá", "09:00, 10/07/2024"):
        assert words in page.text
    english = town.client().get(f"{path}?lang=en", **HTML).text
    assert "Heavy rain" in english
    assert "Level 4" in english
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    ended = town.client().get(path, **HTML).text
    assert "Đã hủy." in ended
    assert "Hết mưa" in ended


def test_an_alerts_page_when_its_time_is_up(town: Town) -> None:
    alert_id = town.issue()
    town.later(days=30)
    assert "Đã hết hiệu lực." in town.client().get(f"/alerts/{alert_id}", **HTML).text


def test_what_is_not_public_is_not_there(town: Town) -> None:
    draft = town.draft().json()["id"]
    for path in (f"/alerts/{draft}", f"/alerts/{uuid4()}", "/alerts/x", "/nothing", "/static/x/y.css"):
        answer = town.client().get(path, **HTML)
        assert answer.status_code == 404
        assert "Không tìm thấy trang" in answer.text
        assert "Page not found" in town.client().get(f"{path}?lang=en", **HTML).text
    program = town.client().get("/nothing", accept="application/json")
    assert program.headers["content-type"] == "application/problem+json"


def test_what_people_write_is_text(town: Town) -> None:
    script = "<script alert(1)"  # unclosed, for a whole tag is refused at submit
    alert_id = town.issue(texts={"vi": {"headline": script, "description": f'"{script}'}})
    town.catch_up()
    for path in ("/", f"/alerts/{alert_id}"):
        page = town.client().get(path, **HTML).text
        assert "<script alert" not in page
        assert "&lt;script alert(1)" in page


@pytest.mark.parametrize("path", ["/", "/docs", "/nothing"])
def test_pages_need_nothing_but_our_own_files(town: Town, path: str) -> None:
    answer = town.client().get(path, **HTML)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = answer.text.replace('<script type="module" src="/static/', "")
    for forbidden in ("<script", " style=", "<style", "onclick", "http://", "https://"):
        assert forbidden not in text, forbidden
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text))
    assert len(files) == 2 + ("renew.js" in answer.text)
    for file in files:
        found = town.client().get(file)
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
        old = town.client().get(re.sub(r"/static/[0-9a-f]+/", "/static/000000000000/", file))
        assert old.headers["cache-control"] == "no-cache"


def test_a_page_rendered_just_now_serves_everyone(own_town: Town) -> None:
    with own_town.pool.connection() as conn:
        own_town.app.copies.news.look(conn)
    first = own_town.client().get("/", **HTML)
    with own_town.pool.connection() as conn:
        conn.execute("DROP TABLE cadence_facts")
    again = own_town.client().get("/", **HTML)
    assert again.text == first.text
    broken = own_town.client().get("/?all=1", **HTML)
    assert broken.status_code == 500
    assert "Hệ thống đang bận" in broken.text
