"""The pre-flight and the forecast over HTTP: for staff of the body, and whole."""

from uuid import UUID

from projections.fanout.rows import PageRows
from schemas.content import Channel
from schemas.events import AudienceFrozen
from tests.unit.broadcaster.web.test_accounting_api import deliver
from tests.unit.broadcaster.web.town import Town


def test_the_preflight_of_a_draft(town: Town) -> None:
    for number in range(3):
        phone = {"phone": f"091234567{number}", "home": "00001", "locale": "en" if number else "vi"}
        town.client().post("/v1/devices", phone).raise_for_status()
    alert_id = town.draft().json()["id"]
    told = town.client("minh").get(f"/v1/alerts/{alert_id}/preflight").json()
    push, sms = told["channels"]
    assert (push["channel"], push["recipients"], push["areas"]) == ("push", 0, [])
    assert (sms["channel"], sms["recipients"]) == ("sms", 3)
    assert sms["areas"] == [{"code": "00001", "name": "Phường Phúc Xá", "count": 3}]
    assert [(one["language"], one["encoding"], one["recipients"]) for one in sms["effort"]["sms"]] == [
        ("vi", "gsm7", 1),
        ("en", "gsm7", 2),
    ]
    parts = sum(one["parts"] * one["recipients"] for one in sms["effort"]["sms"])
    assert (sms["effort"]["messages"], sms["effort"]["cost"]) == (parts, None)
    assert sms["effort"]["seconds"] == round(parts / 1000, 3)
    assert town.client().get(f"/v1/alerts/{alert_id}/preflight").status_code == 401
    assert town.client("tuan").get(f"/v1/alerts/{alert_id}/preflight").json()["rule"] == "body.not-yours"
    assert town.client("lan").get(f"/v1/alerts/{alert_id}/forecast").status_code == 404


def test_the_forecast_beside_what_happened(town: Town) -> None:
    alert_id = town.issue(channels=["push"])
    assert town.client("lan").get(f"/v1/alerts/{alert_id}/preflight").status_code == 404
    deliver(town, alert_id)
    rows = PageRows()
    (frozen,) = [one.event for one in town.log.everything() if isinstance(one.event, AudienceFrozen)]
    rows.audience(1, frozen)
    with town.pool.connection() as conn, conn.cursor() as cursor:
        rows.write(cursor)
    told = town.client("lan").get(f"/v1/alerts/{alert_id}/forecast").json()
    (push,) = told["channels"]
    assert (UUID(told["alert_id"]), told["version"], push["channel"]) == (UUID(alert_id), 1, Channel.PUSH)
    assert (push["recipients"], push["forecast"]["messages"], push["forecast"]["seconds"]) == (5, 5, 0.001)
    assert push["happened"]["totals"]["accepted"] == 3
    assert push["happened"]["seconds"] == 0
    assert town.client("tuan").get(f"/v1/alerts/{alert_id}/forecast").status_code == 403
