"""Areas, bodies, cadence, delivery, audit, health: what is read."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import AudienceFrozen, ReceiptRecorded
from schemas.ids import audience_id, dispatch_id
from tests.unit.broadcaster.web.town import PHUC_XA, SYSTEM, Town


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("q=phuc%20xa", ["00001"]),
        ("q=PHÚC-XÁ", ["00001"]),
        ("q=quan", ["001", "002"]),
        ("level=1", ["01"]),
        ("parent=001", ["00001", "00004"]),
        ("parent=01&level=3", []),
        ("edition=2020-03-01&level=2", ["001", "002"]),
    ],
)
def test_areas_are_found(town: Town, query: str, codes: list[str]) -> None:
    answer = town.client().get(f"/v1/areas?{query}").json()
    assert ([area["code"] for area in answer["areas"]], answer["edition"]) == (codes, "2020-03-01")


def test_an_area_knows_its_neighbours_in_the_tree(town: Town) -> None:
    answer = town.client().get("/v1/areas/001").json()
    assert [area["code"] for area in answer["above"]] == ["01"]
    assert [area["code"] for area in answer["below"]] == ["00001", "00004"]
    for missing in ("/v1/areas/777", "/v1/areas?edition=2031-01-01", "/v1/areas?parent=777"):
        assert town.client().get(missing).status_code == 404
    assert town.client().get("/v1/areas?leval=1").json()["errors"][0]["field"] == "leval"


def test_bodies(town: Town) -> None:
    client = town.client()
    assert len(client.get("/v1/bodies").json()["bodies"]) == 3
    assert [one["id"] for one in client.get("/v1/bodies?q=phuc+xa").json()["bodies"]] == [PHUC_XA]
    assert client.get(f"/v1/bodies/{PHUC_XA}").json()["fields"] == ["*"]
    assert client.get("/v1/bodies/none").status_code == 404


def test_cadence(town: Town) -> None:
    town.issue()
    town.later(days=3)
    town.catch_up()
    client = town.client()
    now = client.get("/v1/cadence").json()
    assert now["summary"] == {"bodies": 3, "ok": 0, "due_soon": 3, "overdue": 0, "exempt": 0}
    town.later(days=1)
    late = client.get("/v1/cadence?state=overdue&level=3").json()
    assert [one["issuer_id"] for one in late["bodies"]] == ["ubnd-00001", "ubnd-00049"]
    before = client.get("/v1/cadence?at=2024-07-10T09:00:00%2B07:00").json()
    assert (before["at"], before["summary"]["ok"]) == ("2024-07-10T02:00:00.000Z", 3)
    assert client.get(f"/v1/cadence/{PHUC_XA}").json()["items_30d"] == 1
    assert client.get("/v1/cadence/none").status_code == 404
    for bad in ("at=0001-01-01T00:00:00Z", "at=2024-01-01", "state=late", "level=9", "at=9e99"):
        assert client.get(f"/v1/cadence?{bad}").status_code == 422


def deliver(town: Town, alert_id: str) -> None:
    """An audience of 5 on push, of whom one is gone and one is dead."""
    alert = town.office.alert(UUID(alert_id))
    end = town.now + timedelta(hours=1)
    audience = audience_id(alert.id, 1, "push")
    frozen = AudienceFrozen(
        originator_id=audience,
        originator_version=1,
        by=SYSTEM,
        alert_id=alert.id,
        version=1,
        channel=Channel.PUSH,
        lane=Lane.ALERT,
        count=5,
        sha256="0" * 64,
        bitmap="",
        by_area={"00001": 5},
        slice_size=1000,
        expires_at=end,
    )
    dispatch = Dispatch(
        id=dispatch_id(alert.id, 1, "push", 0, 1),
        alert_id=alert.id,
        version=1,
        channel=Channel.PUSH,
        lane=Lane.ALERT,
        audience_id=audience,
        first=0,
        last=5,
        expires_at=end,
    )
    counts = {Outcome.ACCEPTED: 3, Outcome.GONE: 1, Outcome.DEAD: 1}
    receipt = ReceiptRecorded(
        originator_id=dispatch.id,
        originator_version=1,
        by=SYSTEM,
        receipt=Receipt(dispatch=dispatch, counts=counts, reasons={"UNREGISTERED": 1}, provider="fcm"),
    )
    town.log.append([frozen, receipt], at=town.now)


def test_what_came_of_an_alert(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    town.catch_up()
    public, staff = town.client(), town.client("tuan")
    reach = public.get(f"/v1/alerts/{alert_id}/reach").json()["channels"][0]
    assert reach["totals"] == {
        "audience": 5,
        "accepted": 3,
        "gone": 1,
        "refused": 0,
        "dead": 1,
        "expired": 0,
        "superseded": 0,
        "unknown": 0,
        "screens": 0,
        "written_off": 0,
        "by_topic": 0,
        "topics": 0,
        "topics_accepted": 0,
        "in_flight": 0,
    }
    assert reach["reasons"] == {"UNREGISTERED": 1}
    assert public.get("/v1/reach").json()["channels"]["push"]["accepted"] == 3
    audience = staff.get(f"/v1/alerts/{alert_id}/audience").json()["audiences"][0]
    assert audience["areas"] == [{"code": "00001", "name": "Phường Phúc Xá", "count": 5}]
    assert staff.get("/v1/receipts?channel=push").json()["receipts"][0]["counts"]["accepted"] == 3
    assert staff.get("/v1/receipts?channel=sms").json()["receipts"] == []
    assert len(staff.get("/v1/dead-letters").json()["letters"]) == 1
    for path in (f"/v1/alerts/{alert_id}/audience", "/v1/receipts", "/v1/dead-letters"):
        assert public.get(path).status_code == 401
    drafted = town.draft().json()["id"]
    assert public.get(f"/v1/alerts/{drafted}/reach").status_code == 404


def test_the_audit_trail_is_for_auditors(town: Town) -> None:
    town.draft(areas=["00049"])
    town.catch_up()
    assert town.client().get("/v1/audit").status_code == 401
    refused = town.client("lan").get("/v1/audit")
    assert (refused.status_code, refused.json()["rule"]) == (403, "role.missing")
    auditor = town.client("kiem")
    entries = auditor.get("/v1/audit?account=lan").json()["entries"]
    assert (entries[0]["topic"], entries[0]["account"]) == ("attempt.refused", "lan")
    assert "có nơi ngoài địa bàn của cơ quan" in entries[0]["summary"]
    first = auditor.get("/v1/audit?limit=2").json()
    second = auditor.get(f"/v1/audit?limit=2&before={first['before']}").json()
    positions = [one["position"] for one in first["entries"] + second["entries"]]
    assert positions == list(range(positions[0], positions[0] - 4, -1))
    for bad in ("account=%00", "topic=x", "body=%2F", "limit=0", "before=0", f"before={10**30}"):
        assert auditor.get(f"/v1/audit?{bad}").status_code == 422


def test_health_follows_the_engines(town: Town) -> None:
    client = town.client()
    assert client.get("/healthz").json() == {
        "status": "ok",
        "engines": {"database": True, "nats": True},
        "screens": {"online": 0, "offline": 0},
    }
    assert client("HEAD", "/healthz").status_code == 200
    town.health["nats"] = False
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")


def test_figures(town: Town) -> None:
    client = town.client()
    client.get("/v1/areas/001")
    client.get("/v1/areas/002")
    client.get("/v1/nothing-here")
    town.catch_up()
    figures = samples(client.get("/metrics").text)
    counted = 'broadcaster_http_requests_total{method="GET",route="/v1/areas/{code}",status="200"}'
    assert figures[counted] == 2
    assert figures['broadcaster_http_requests_total{method="GET",route="none",status="404"}'] == 1
    assert figures["broadcaster_log_head"] == town.log.head()
    assert figures['broadcaster_projection_position{projection="board"}'] == town.log.head()
    assert figures['broadcaster_projection_lag{projection="board"}'] == 0


def samples(text: str) -> dict[str, Any]:
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}
