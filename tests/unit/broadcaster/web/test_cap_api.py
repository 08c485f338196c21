"""CAP over HTTP: messages out, feeds, and another's message in."""

import json
from typing import Any

import httpx
import pytest
from lxml import etree

from broadcaster.cap import rules
from broadcaster.cap.parse import parse
from broadcaster.web.guard import MAX_BODY
from tests.unit.broadcaster.cap.told import ALERT
from tests.unit.broadcaster.web.town import BASE, HANG_BAC, Town, content

ATOM = {"a": "http://www.w3.org/2005/Atom"}
CAP_TYPE = {"Content-Type": "application/cap+xml"}
FEEDS = ("cap.atom", "alerts.rss", "alerts.json", "alerts.geojson")


def cap(town: Town, alert_id: str, query: str = "", **headers: str) -> httpx.Response:
    return town.client().get(f"/v1/alerts/{alert_id}.cap{query}", **headers)


def entries(town: Town, query: str = "") -> list[tuple[str, str]]:
    """Title and link to CAP of each entry of the Atom feed."""
    answer = town.client().get(f"/v1/feeds/cap.atom{query}")
    assert answer.status_code == 200, answer.text
    feed = etree.fromstring(answer.content)
    return [
        (
            str(entry.findtext("a:title", namespaces=ATOM)),
            str(entry.xpath("string(a:link[@type='application/cap+xml']/@href)", namespaces=ATOM)),
        )
        for entry in feed.findall("a:entry", ATOM)
    ]


def send(town: Town, text: str = ALERT, query: str = "", who: str | None = "city-author") -> httpx.Response:
    return town.client(who)("POST", f"/v1/cap{query}", content=text.encode(), headers=CAP_TYPE)


def test_every_message_of_an_alert_by_its_version(town: Town) -> None:
    alert_id = town.issue()
    lan = town.client("lan")
    first = cap(town, alert_id)
    town.later(minutes=1)
    lan.post(f"/v1/alerts/{alert_id}/update", {"content": content(risk_level=4)}).raise_for_status()
    assert cap(town, alert_id).content == first.content  # what is in work is nobody's business
    town.send_out(alert_id)
    town.later(minutes=1)
    lan.post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết", "in_error": False}).raise_for_status()

    told = [parse(cap(town, alert_id, f"?version={number}").content) for number in (1, 2, 3)]
    assert [one.msg_type for one in told] == ["Alert", "Update", "Cancel"]
    assert all(rules.breaches(one) == () for one in told)
    assert parse(cap(town, alert_id).content) == told[2]
    assert cap(town, alert_id, "?version=1").content == first.content
    assert first.headers["content-type"] == "application/cap+xml"
    assert told[0].infos[0].web == f"{BASE}/alerts/{alert_id}"
    assert told[0].infos[0].sender_name == "UBND phường Phúc Xá"
    assert cap(town, alert_id, "?version=4").status_code == 404
    assert cap(town, alert_id, "?version=0").status_code == 422
    unchanged = cap(town, alert_id, "?version=1", If_None_Match=first.headers["etag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert town.client()("HEAD", f"/v1/alerts/{alert_id}.cap").status_code == 200


def test_a_draft_has_no_cap_message(town: Town) -> None:
    drafted = town.draft().json()["id"]
    assert cap(town, drafted).status_code == 404
    assert cap(town, "7d3f0c1e-0000-4000-8000-000000000001").status_code == 404
    assert cap(town, "x").status_code == 422


def test_the_feed_of_cap_messages(town: Town) -> None:
    rain = town.issue()
    heat = town.issue(author="city-author", approver="city-approver", category="nang_nong", areas=["01"])
    town.draft()
    town.follow()
    found = entries(town)
    assert [link for _, link in found] == [
        f"{BASE}/v1/alerts/{alert_id}.cap?version=1" for alert_id in (heat, rain)
    ]
    assert len(entries(town, "?category=mua_lon")) == 1
    assert len(entries(town, "?area=00001")) == 2  # its own and the whole city's
    assert len(entries(town, "?area=00049")) == 1
    assert town.client().get("/v1/feeds/cap.atom?area=99999").status_code == 404

    body = {"reason": "Hết mưa", "in_error": False}
    town.client("minh").post(f"/v1/alerts/{rain}/cancel", body).raise_for_status()
    town.follow()
    assert entries(town)[0] == (
        "Hủy: Mưa lớn, ngập sâu",
        f"{BASE}/v1/alerts/{rain}.cap?version=2",
    )
    assert rain not in town.client().get("/v1/feeds/alerts.rss").text
    town.later(hours=12)  # when the alert would have ended
    assert rain not in str(entries(town))


def test_a_feed_by_pages(town: Town) -> None:
    issued = [town.issue() for _ in range(5)]
    town.follow()
    url, seen = "/v1/feeds/alerts.json?limit=2", list[str]()
    for _ in range(3):
        page: dict[str, Any] = town.client().get(url).json()
        seen += [item["_alert"]["id"] for item in page["items"]]
        assert len(page["items"]) <= 2
        url = page.get("next_url", "").removeprefix(BASE)
    assert (seen, url) == (issued[::-1], "")


@pytest.mark.parametrize("name", FEEDS)
def test_feeds_are_cached_by_a_strong_tag(town: Town, name: str) -> None:
    client = town.client()
    empty = client.get(f"/v1/feeds/{name}")
    assert empty.status_code == 200
    alert_id = town.issue()
    town.follow()
    first = client.get(f"/v1/feeds/{name}")
    assert alert_id in first.text
    assert first.headers["etag"] != empty.headers["etag"]
    assert not first.headers["etag"].startswith("W/")
    assert first.headers["cache-control"].startswith("public")
    town.later(minutes=5)
    again = client.get(f"/v1/feeds/{name}", If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    town.later(hours=13)  # its time is up, whether or not the log says so yet
    assert alert_id not in client.get(f"/v1/feeds/{name}").text


def test_what_a_json_item_says(town: Town) -> None:
    town.issue()
    town.follow()
    item = json.loads(town.client().get("/v1/feeds/alerts.json").content)["items"][0]
    assert item["title"] == "Mưa lớn, ngập sâu"
    assert item["_alert"]["areas"] == [
        {"code": "00001", "name": "Phường Phúc Xá, Quận Ba Đình, Thành phố Hà Nội"}
    ]
    assert item["_alert"]["expires"].endswith("+07:00")


def test_another_s_message_becomes_a_draft_and_no_more(town: Town) -> None:
    answer = send(town, ALERT.replace("vi-VN", "en-US"), "?risk_level=2")
    assert answer.status_code == 201, answer.text
    alert = answer.json()["alert"]
    assert (alert["life"], alert["stage"]) == ("new", "draft")
    assert answer.headers["location"] == f"/v1/alerts/{alert['id']}"
    assert [one["rule"] for one in answer.json()["findings"]] == ["W-not-vietnamese"]
    work = alert["work"]["content"]
    assert (work["category"], work["areas"], work["risk_level"]) == ("mua_lon", ["01"], 2)
    assert cap(town, alert["id"]).status_code == 404


@pytest.mark.parametrize(
    ("text", "query", "rule"),
    [
        ("<!DOCTYPE alert>" + ALERT, "", "cap.dtd"),
        ("<alert/>", "", "cap.namespace"),
        ("", "", "cap.not-xml"),
        (ALERT.replace("Actual", "System"), "", "cap.status"),
        (ALERT, "?category=NO", "string_pattern_mismatch"),
    ],
)
def test_what_cannot_be_taken_names_its_rule(town: Town, text: str, query: str, rule: str) -> None:
    answer = send(town, text, query)
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, rule)


def test_the_house_s_own_rules_hold(town: Town) -> None:
    assert send(town).json()["rule"] == "content.risk-level"
    assert send(town, ALERT, "?risk_level=2", "lan").json()["rule"] == "jurisdiction.area"
    assert send(town, ALERT, "?risk_level=2&area=00001", "lan").status_code == 201
    assert send(town, ALERT, f"?risk_level=2&issuer={HANG_BAC}", "lan").json()["rule"] == "body.not-yours"
    assert send(town, who=None).status_code == 401
    too_large = ALERT + " " * MAX_BODY
    assert send(town, too_large).status_code == 413
    assert town.client("lan").post("/v1/cap", {}).status_code == 415
    wrong = town.client("lan")("POST", "/v1/alerts", content=ALERT.encode(), headers=CAP_TYPE)
    assert wrong.status_code == 415


def test_a_repeat_gets_the_first_draft(town: Town) -> None:
    client = town.client("city-author")
    headers = CAP_TYPE | {"Idempotency-Key": "k"}
    answers = [
        client("POST", "/v1/cap?risk_level=2", content=ALERT.encode(), headers=headers) for _ in range(2)
    ]
    assert answers[0].json()["alert"]["id"] == answers[1].json()["alert"]["id"]


def test_a_map_is_told_where(town: Town) -> None:
    alert_id = town.issue(areas=["00001"])
    town.issue("city-author", "city-approver", areas=["01"])
    town.follow()
    told = town.client().get("/v1/feeds/alerts.geojson")
    assert told.headers["content-type"] == "application/geo+json"
    features = json.loads(told.content)["features"]
    assert json.loads(told.content)["type"] == "FeatureCollection"
    by_areas = {tuple(one["properties"]["areas"]): one for one in features}
    assert by_areas["00001",]["geometry"] == {"type": "Point", "coordinates": [105.8478, 21.047]}
    assert by_areas["01",]["geometry"] is None
    assert by_areas["00001",]["properties"]["alert"] == alert_id
