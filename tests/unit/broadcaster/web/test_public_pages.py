"""Alerts for everyone by area and words, on one permanent page each; the accessibility statement."""

from datetime import timedelta
from uuid import UUID

import pytest

from broadcaster.web.citizen import alerts as public_alerts
from tests.unit.broadcaster.web.town import Town

HTML = {"accept": "text/html"}


def said(headline: str, **english: str) -> dict[str, dict[str, str]]:
    return {"vi": {"headline": headline, "description": "Nước lên."}} | {
        tag: {"headline": text, "description": "Water."} for tag, text in english.items()
    }


def test_what_holds_for_a_ward_is_found_without_accents(town: Town) -> None:
    mine = town.issue(texts=said("Ngập bãi giữa"))
    whole = town.issue("city-author", "city-approver", areas=["01"], texts=said("Bão số 3"))
    other = town.issue("city-author", "city-approver", areas=["00049"], texts=said("Cây đổ"))
    town.catch_up()
    found = town.client().get("/alerts?place=phuc+xa", **HTML).text
    assert "Phường Phúc Xá" in found
    assert (mine in found, whole in found, other in found) == (True, True, False)
    everything = town.client().get("/alerts", **HTML).text
    assert all(each in everything for each in (mine, whole, other))
    worded = town.client().get("/alerts?words=BAI-giua", **HTML).text
    assert (mine in worded, whole in worded) == (True, False)


def test_english_headlines_are_found_too(town: Town) -> None:
    mine = town.issue(texts=said("Ngập", en="Flooded streets"))
    town.catch_up()
    assert mine in town.client().get("/alerts?words=flooded", **HTML).text
    assert mine not in town.client().get("/alerts?words=f.ooded", **HTML).text


def test_several_places_of_a_name_are_offered(town: Town) -> None:
    page = town.client().get("/alerts?place=h", **HTML).text
    assert "Có nhiều nơi" in page
    assert "Phường Hàng Bạc, Quận Hoàn Kiếm" in page
    assert "Không có nơi nào" in town.client().get("/alerts?place=sapa", **HTML).text


def test_what_is_over_is_past_by_the_clock(town: Town) -> None:
    mine = town.issue()
    town.catch_up()
    assert mine in town.client().get("/alerts", **HTML).text
    assert mine not in town.client().get("/alerts?when=past", **HTML).text
    town.later(days=30)
    assert mine not in town.client().get("/alerts", **HTML).text
    past = town.client().get("/alerts?when=past", **HTML).text
    assert mine in past
    assert "<strong>Đã hết hiệu lực</strong>" in past


def test_what_is_withdrawn_says_so(town: Town) -> None:
    mine = town.issue()
    town.client("minh").post(f"/v1/alerts/{mine}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    town.catch_up()
    assert "<strong>Đã hủy</strong>" in town.client().get("/alerts?when=past", **HTML).text


def test_pages_follow_each_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_alerts, "PAGE", 2)
    issued = [town.issue(texts=said(f"Ngập {number}")) for number in range(5)]
    town.catch_up()
    town.later(days=30)
    seen: list[str] = []
    path = "/alerts?when=past"
    while path:
        page = town.client().get(path, **HTML).text
        seen += [each for each in reversed(issued) if each in page]
        _, _, rest = page.partition('class="button" href="')
        path = rest.partition('"')[0].replace("&amp;", "&")
    assert seen == issued[::-1]


@pytest.mark.parametrize("mode", ["exercise", "test"])
def test_no_exercise_is_taken_for_the_real_thing(town: Town, mode: str) -> None:
    drill = town.issue(mode=mode, texts=said("Diễn tập ngập"))
    town.catch_up()
    for path in ("/", "/alerts", "/alerts?when=past", "/alerts?words=dien+tap"):
        assert drill not in town.client().get(path, **HTML).text
    page = town.client().get(f"/alerts/{drill}", **HTML).text
    assert "Không phải tình huống thật" in page
    town.later(days=30)
    assert drill not in town.client().get("/alerts?when=past", **HTML).text


def test_drafts_are_in_no_list(town: Town) -> None:
    draft = town.draft().json()["id"]
    town.catch_up()
    for path in ("/alerts", "/alerts?when=past"):
        assert draft not in town.client().get(path, **HTML).text


@pytest.mark.parametrize(
    "query", ["when=x", "before=0", "before=x", "area=%00", "area=99", "area=" + "9" * 99, "words=%00(["]
)
def test_odd_addresses_show_the_list(town: Town, query: str) -> None:
    assert town.client().get(f"/alerts?{query}", **HTML).status_code == 200


def test_an_alerts_page_may_be_kept_a_moment(town: Town) -> None:
    path = f"/alerts/{town.issue()}"
    first = town.client().get(path, **HTML)
    # A phone asks each time; a cache for many answers for a second; nobody shows what is stale.
    assert first.headers["cache-control"] == "public, max-age=0, s-maxage=1, must-revalidate"
    tag = first.headers["etag"]
    assert town.client().get(path, **HTML, if_none_match=tag).status_code == 304
    asked = town.client().get(f"{path}?lang=en", **HTML)
    assert asked.headers["cache-control"].startswith("private")
    assert "/v1/alerts/" in first.text
    assert f"http://town{path}" in first.text, "its address, for paper"
    town.client("minh").post(f"{'/v1' + path}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    again = town.client().get(path, **HTML, if_none_match=tag)
    assert again.status_code == 200
    assert "Đã hủy." in again.text


def test_no_copy_outlives_the_alert(town: Town) -> None:
    alert_id = town.issue()
    issued = town.office.alert(UUID(alert_id)).issued
    assert issued
    town.now = issued.expires_at - timedelta(seconds=0.5)
    page = town.client().get(f"/alerts/{alert_id}", **HTML)
    assert page.headers["cache-control"] == "public, max-age=0, must-revalidate"
    # Over by the clock, it might yet be updated; only what the log says is over is over for good.
    town.now = issued.expires_at
    page = town.client().get(f"/alerts/{alert_id}", **HTML)
    assert page.headers["cache-control"] == "public, max-age=0, must-revalidate"


def test_the_accessibility_statement(town: Town) -> None:
    page = town.client().get("/accessibility", **HTML).text
    for words in ("WCAG 2.2", "Lần kiểm tra gần nhất", "1022", "chưa được"):
        assert words in page
    english = town.client().get("/accessibility?lang=en", **HTML).text
    assert "What we know does not work" in english
    assert 'href="/accessibility"' in town.client().get("/", **HTML).text
