"""What Xibo's CAP connector expects of a feed, held against ours.

Read from the connector: one address, fetched without a key at most every 3 minutes, within 20 seconds; the
document is one CAP message, of which the first `status`, `msgType` and `scope` decide, then each `info` by
its own category, urgency, severity and certainty, then each `area`. An Atom feed is no CAP message there,
so it is pointed at one address that has the gravest live alert, or nothing at all: an empty body is "no
alerts", while any wrapper would be taken for a test.
"""

from typing import Any

from lxml import etree

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


def test_no_alerts_is_an_empty_body(town: Town) -> None:
    answer = town.client().get(PATH)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("application/cap+xml")


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
    assert town.client().get(PATH).content
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "x"}).raise_for_status()
    town.catch_up()
    assert town.client().get(PATH).content == b""


def test_it_can_be_asked_for_one_place(town: Town) -> None:
    town.issue()
    town.catch_up()
    assert town.client().get(f"{PATH}?area=00001").content
    assert town.client().get(f"{PATH}?area=00049").content == b""
    assert town.client().get(f"{PATH}?area=777").status_code == 404
