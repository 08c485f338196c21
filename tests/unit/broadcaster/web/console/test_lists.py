"""The list of alerts and its filters; what is of another body stays out."""

from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import Town


def headed(headline: str) -> dict[str, dict[str, str]]:
    return {"vi": {"headline": headline, "description": "x"}}


def test_alerts_are_filtered(town: Town) -> None:
    town.issue(texts=headed("Ngập BÃI giữa"))
    town.issue(texts=headed("Giông mạnh"), category="giong_loc")
    assert town.draft(texts=headed("Bản chưa phát")).status_code == 201
    other = town.draft("tuan", texts=headed("Của phường khác"), areas=["00049"])
    assert other.status_code == 201
    town.catch_up()
    lan = Browser(town).sign_in("lan").go("/console/alerts")
    lan.sees("Ngập BÃI giữa", "Giông mạnh", "Bản chưa phát")
    assert "Của phường khác" not in lan.text
    for query, seen, unseen in (
        ("words=b%C3%A3i", "Ngập BÃI giữa", "Giông mạnh"),
        ("words=100%25", "Không có cảnh báo nào phù hợp.", "Giông mạnh"),
        ("category=giong_loc", "Giông mạnh", "Ngập BÃI giữa"),
        ("standing=draft", "Bản chưa phát", "Giông mạnh"),
        ("standing=live&body=ubnd-00049", "Không có cảnh báo nào phù hợp.", "Giông mạnh"),
        ("words=%00&standing=", "Giông mạnh", "Của phường khác"),
    ):
        lan.go(f"/console/alerts?{query}").sees(seen)
        assert unseen not in lan.text.partition("Lọc")[2], query
    assert lan.go("/console/alerts?standing=x").status == 422


def test_home_says_what_needs_whom(town: Town) -> None:
    alert_id = town.draft(texts=headed("Chờ xem")).json()["id"]
    town.client("lan").post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    town.catch_up()
    Browser(town).sign_in("minh").sees("Chờ duyệt 1", "Chờ xem")
    assert "Chờ xem" not in Browser(town).sign_in("tuan").text
    assert "Chờ xem" not in Browser(town).sign_in("city-approver").text


def test_every_other_page_says_how_many_wait(town: Town) -> None:
    minh = Browser(town).sign_in("minh")
    assert "việc chờ bạn" not in minh.go("/console/alerts").text
    for headline in ("Chờ xem", "Chờ nữa"):
        alert_id = town.draft(texts=headed(headline)).json()["id"]
        town.client("lan").post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    town.draft(texts=headed("Đang viết")).raise_for_status()
    town.catch_up()
    minh.go("/console/cadence").sees("2 việc chờ bạn", "Việc của tôi 2")
    assert "việc chờ bạn" not in minh.go("/console").text
    assert "việc chờ bạn" not in Browser(town).sign_in("tuan").go("/console/alerts").text
    Browser(town).sign_in("lan").go("/console/alerts").sees("1 việc chờ bạn")
