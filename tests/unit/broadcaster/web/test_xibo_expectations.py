"""What Xibo's CAP connector expects of a feed, held against ours.

Read from the connector, whose own code was run on what we serve: one address, fetched without a key at most
every 3 minutes, within 20 seconds; the document is one CAP message, of which the first `status`, `msgType`
and `scope` decide, then each `info` by its own category, urgency, severity and certainty, then each `area`.
An Atom feed is no CAP message there, so it is pointed at one address that has the gravest live alert. Of an
empty body it says "no alerts", but its CMS keeps what the widget had; a document whose `status` is "No
Alerts" clears that too, and any other wrapper would be taken for a test. It shows each `info` once for each
`area`, whatever their number.
"""

from copy import deepcopy
from typing import Any

from lxml import etree

from broadcaster.cap.xibo import condensed
from tests.unit.broadcaster.web.town import Town

PATH = "/v1/feeds/xibo.cap"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
STATUSES = {"Actual", "Exercise", "System", "Test", "Draft"}
CATEGORIES = {
    *("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env"),
    *("Transport", "Infra", "CBRNE", "Other"),
}
READ = ("event", "urgency", "severity", "certainty", "effective", "expires", "senderName", "headline")


def first(root: Any, name: str) -> str:
    """As the connector reads: the first element of that name, wherever it is."""
    found = next(root.iter(f"{CAP}{name}"), None)
    return "" if found is None else found.text or ""


def is_none(answer: Any) -> bool:
    """Whether the connector takes it for "no alerts", and its CMS clears the widget."""
    root = etree.fromstring(answer.content)
    return first(root, "status") == "No Alerts" and not list(root.iter(f"{CAP}info"))


def test_no_alerts_is_said_in_the_connector_s_own_word(town: Town) -> None:
    answer = town.client().get(PATH)
    assert answer.status_code == 200
    assert is_none(answer)
    assert answer.headers["content-type"].startswith("application/xml"), "it is no CAP message"
    assert town.client().get(PATH, If_None_Match=answer.headers["etag"]).status_code == 304


def test_each_language_is_shown_once_whatever_the_areas(town: Town) -> None:
    texts = {each: {"headline": each, "description": "x"} for each in ("vi", "en")}
    alert_id = town.issue(areas=["00001"], texts=texts)
    town.catch_up()
    sent = town.client().get(f"/v1/alerts/{alert_id}.cap").content
    assert etree.fromstring(condensed(sent)).tag == f"{CAP}alert"
    whole: Any = etree.fromstring(sent)
    for info in whole.iter(f"{CAP}info"):
        for code in ("00004", "00049"):
            area = deepcopy(next(info.iter(f"{CAP}area")))
            area.find(f"{CAP}areaDesc").text = f"Phường {code}"
            area.find(f"{CAP}geocode/{CAP}value").text = code
            info.append(area)
    root: Any = etree.fromstring(condensed(etree.tostring(whole)))
    infos = list(root.iter(f"{CAP}info"))
    assert [first(info, "language") for info in infos] == ["vi-VN", "en-US"]
    for info in infos:
        (area,) = info.iter(f"{CAP}area")
        assert [node.tag.removeprefix(CAP) for node in area] == ["areaDesc", *["geocode"] * 3]
        assert [node.text for node in area.iter(f"{CAP}value")] == ["00001", "00004", "00049"]
        assert first(area, "areaDesc").endswith("; Phường 00004; Phường 00049")


def test_the_gravest_live_alert_is_one_cap_message(town: Town) -> None:
    town.issue(severity="Moderate", risk_level=1)
    grave = town.issue()
    town.issue(severity="Minor", risk_level=1)
    town.issue(mode="exercise")
    town.catch_up()
    answer = town.client().get(PATH)
    root = etree.fromstring(answer.content)
    assert root.tag == f"{CAP}alert"
    assert first(root, "status") == "Actual"
    assert first(root, "msgType") in {"Alert", "Update"}
    assert first(root, "scope") == "Public"
    assert grave in answer.text
    for info in root.iter(f"{CAP}info"):
        assert first(info, "category") in CATEGORIES
        for name in READ:
            assert first(info, name), name
        areas = list(info.iter(f"{CAP}area"))
        assert areas, "without an area nothing is shown"
        assert all(first(area, "areaDesc") for area in areas)
    assert {first(root, "status")} <= STATUSES
    again = town.client().get(PATH, If_None_Match=answer.headers["etag"])
    assert again.status_code == 304


def test_a_withdrawn_or_ended_alert_is_gone(town: Town) -> None:
    alert_id = town.issue()
    town.catch_up()
    assert not is_none(town.client().get(PATH))
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "x"}).raise_for_status()
    town.catch_up()
    assert is_none(town.client().get(PATH))


def test_it_can_be_asked_for_one_place(town: Town) -> None:
    town.issue()
    town.catch_up()
    assert not is_none(town.client().get(f"{PATH}?area=00001"))
    assert is_none(town.client().get(f"{PATH}?area=00049"))
    assert town.client().get(f"{PATH}?area=777").status_code == 404
