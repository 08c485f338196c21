"""My areas: by the address and by the cookie, what holds there and above, and the app around it."""

import json
from io import BytesIO
from urllib.parse import urlencode

import httpx
import pytest
from PIL import Image

from broadcaster.web.citizen.choice import MOST
from tests.unit.broadcaster.web.town import Town

HTML = {"accept": "text/html"}


def choose(town: Town, *codes: str, **headers: str) -> httpx.Response:
    sent = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"} | headers
    body = urlencode([("area", code) for code in codes]).encode()
    return town.client()("POST", "/my", headers=sent, content=body)


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def test_a_ward_shows_its_own_and_those_above(town: Town) -> None:
    mine = town.issue()
    district = town.issue("city-author", "city-approver", areas=["001"])
    whole = town.issue("city-author", "city-approver", areas=["01"])
    other = town.issue("city-author", "city-approver", areas=["00049"])
    drill = town.issue(mode="exercise")
    town.catch_up()
    page = town.client().get("/my?area=00001", **HTML).text
    assert [each in page for each in (mine, district, whole, other, drill)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert "Phường Phúc Xá" in page
    town.later(days=30)
    assert mine not in town.client().get("/my?area=00001", **HTML).text


def test_the_choice_is_kept_in_the_readers_cookie(town: Town) -> None:
    mine = town.issue()
    town.catch_up()
    answer = choose(town, "00001", "00049", "nowhere")
    assert (answer.status_code, answer.headers["location"]) == (303, "/my")
    assert "HttpOnly" in answer.headers["set-cookie"]
    page = town.client().get("/my", **HTML, cookie=cookie_of(answer)).text
    assert mine in page
    assert 'data-source="cookie" data-areas="00001.00049"' in page
    picker = town.client().get("/my/areas", **HTML, cookie=cookie_of(answer)).text
    assert picker.count(" checked") == 2
    assert "Max-Age=0" in choose(town).headers["set-cookie"]


@pytest.mark.parametrize(
    "cookie",
    ["areas=x", "areas=2020-03-01~" + "9" * 90, "areas=1999-01-01~00001", "areas=~~~..", "areas=%00"],
)
def test_a_strange_cookie_chooses_nothing(town: Town, cookie: str) -> None:
    page = town.client().get("/my", **HTML, cookie=cookie)
    assert page.status_code == 200
    assert 'data-source="none" data-areas=""' in page.text


def test_another_site_chooses_nothing(town: Town) -> None:
    refused = choose(town, "00001", **{"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


def test_too_many_are_told_of(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 20
    monkeypatch.setattr("broadcaster.web.citizen.choice.MOST", 1)
    refused = choose(town, "00001", "00049")
    assert refused.status_code == 422
    assert "set-cookie" not in refused.headers
    assert refused.text.count(" checked") == 2


def test_the_document_tells_when_each_ends(town: Town) -> None:
    mine = town.issue()
    town.catch_up()
    answer = town.client().get("/my/alerts.json?area=00001&lang=en")
    assert answer.headers["cache-control"] == "public, max-age=0, s-maxage=1, must-revalidate"
    found = answer.json()
    assert found["areas"] == [{"code": "00001", "name": "Phường Phúc Xá"}]
    (alert,) = found["alerts"]
    assert alert["id"] == mine
    assert alert["expires_at"] > found["at"]
    assert f'href="/alerts/{mine}"' in alert["html"]
    assert town.client().get("/my/alerts.json").json()["alerts"] == []


def test_what_people_write_is_text(town: Town) -> None:
    script = "<script alert(1)"
    town.issue(texts={"vi": {"headline": script, "description": f'"{script}'}})
    town.catch_up()
    html = town.client().get("/my/alerts.json?area=00001").json()["alerts"][0]["html"]
    assert "<script" not in html


@pytest.mark.parametrize("path", ["/my", "/my/areas", "/my/offline/vi", "/sw.js"])
def test_only_our_own_files_run(town: Town, path: str) -> None:
    answer = town.client().get(path, **HTML)
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"):
        assert rule in policy
    assert "unsafe" not in policy
    for forbidden in (" style=", "<style", " onclick", "http://", "https://"):
        assert forbidden not in answer.text, forbidden


def test_the_app(town: Town) -> None:
    manifest = town.client().get("/manifest.webmanifest?lang=en").json()
    assert (manifest["start_url"], manifest["display"], manifest["short_name"]) == (
        "/my",
        "standalone",
        "Hanoi alerts",
    )
    for icon in manifest["icons"]:
        answer = town.client().get(icon["src"])
        width, height = Image.open(BytesIO(answer.content)).size
        assert icon["sizes"] == f"{width}x{height}"
    assert town.client().get("/icons/7.png").status_code == 404
    worker = town.client().get("/sw.js")
    assert worker.headers["cache-control"] == "public, no-cache"
    build = json.loads(worker.text.partition("const BUILD = ")[2].partition(";\n")[0])
    for path in (*build["files"], *build["offline"].values()):
        assert town.client().get(path).status_code == 200
    offline = town.client().get("/my/offline/en", **HTML)
    assert "Offline." in offline.text
    assert "set-cookie" not in offline.headers
    used = [name for name in build["files"] if name in offline.text]
    assert len(used) >= 4
