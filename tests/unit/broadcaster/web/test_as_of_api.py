"""What stood at an instant, over HTTP."""

from datetime import timedelta
from urllib.parse import quote

from tests.unit.broadcaster.web.test_accounting_api import deliver
from tests.unit.broadcaster.web.town import PHUC_XA, Town, content


def test_an_auditor_asks_what_stood(town: Town) -> None:
    made = town.client("lan")("POST", "/v1/alerts", {"issuer": PHUC_XA, "content": content()})
    assert made.status_code == 201, made.text
    auditor, alert_id = town.client("kiem"), made.json()["id"]
    row = town.log.read(town.log.head() - 1, 1)[0]
    at = quote(row.recorded_at.isoformat())
    found = auditor.get(f"/v1/as-of?at={at}").json()
    assert found["position"] == row.position
    assert alert_id not in [one["alert_id"] for one in found["alerts"]], "a draft does not stand"
    (one,) = auditor.get(f"/v1/as-of?at={at}&alert_id={alert_id}").json()["alerts"]
    assert (one["life"], one["hands"]["drafted_by"]) == ("new", "lan")
    before = quote((row.recorded_at - timedelta(microseconds=1)).isoformat())
    assert auditor.get(f"/v1/as-of?at={before}&alert_id={alert_id}").json()["alerts"] == []


def test_it_is_for_auditors_and_of_the_past(town: Town) -> None:
    at = "2024-07-01T00:00:00Z"
    assert town.client().get(f"/v1/as-of?at={at}").status_code == 401
    assert town.client("lan").get(f"/v1/as-of?at={at}").status_code == 403
    auditor = town.client("kiem")
    assert auditor.get(f"/v1/as-of?at={at}").json()["alerts"] == []
    for bad in ("2999-01-01T00:00:00Z", "2024-07-01T00:00:00", "x"):
        assert auditor.get(f"/v1/as-of?at={bad}").status_code == 422
    assert auditor.get("/v1/as-of").status_code == 422


def test_an_auditor_has_an_old_audience_counted_again(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    path = f"/v1/alerts/{alert_id}/audience/recount"
    (push,) = (one for one in town.client("kiem").get(path).json()["channels"] if one["channel"] == "push")
    assert (push["count"], push["sound"], push["kept"], push["still"]) == (5, True, 0, 0)
    assert [(one["code"], one["name"], one["count"]) for one in push["then"]] == [
        ("00001", "Phường Phúc Xá", 3),
        ("00004", "Phường Trúc Bạch", 2),
    ]
    assert town.client().get(path).status_code == 401
    assert town.client("lan").get(path).status_code == 403
    auditor = town.client("kiem")
    assert auditor.get(f"{path}?version=2").status_code == 404
    assert auditor.get(f"{path}?version=0").status_code == 422
    assert auditor.get(f"/v1/alerts/{PHUC_XA}/audience/recount").status_code == 422
