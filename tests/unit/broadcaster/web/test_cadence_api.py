"""The cadence over HTTP: terms, exemptions, reports, explanations."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

from projections.cadence.rule import local_day, midnight
from schemas.events import ExportMade
from tests.unit.broadcaster.web.town import PHUC_XA, Town

MANAGER = "hoa"


def late(town: Town) -> None:
    town.issue()
    town.later(days=5)
    town.catch_up()


def period(town: Town) -> str:
    begin = midnight(local_day(town.now - timedelta(days=3)))
    return f"from={begin:%Y-%m-%dT%H:%M:%SZ}"


def manager(town: Town) -> Any:
    return town.client(MANAGER)


def test_terms_are_set_by_the_city_office_alone(town: Town) -> None:
    late(town)
    wanted = {"policy": {"reading": "rolling", "owes": [{"level": 3}]}, "reason": "Thông báo 12"}
    assert town.client("lan").post("/v1/cadence/policy", json=wanted).status_code == 403
    assert manager(town).post("/v1/cadence/policy", json=wanted).status_code == 201
    town.catch_up()
    held = town.client().get("/v1/cadence/policy").json()["policies"]
    assert [one["policy"]["reading"] for one in held] == ["calendar", "rolling"]
    found = town.client().get("/v1/cadence").json()
    assert {one["level"] for one in found["bodies"]} == {3}
    past = wanted | {"effective_at": "2020-01-01T00:00:00Z"}
    answer = manager(town).post("/v1/cadence/policy", json=past)
    assert (answer.status_code, answer.json()["rule"]) == (422, "cadence.dates")
    bad = manager(town).post("/v1/cadence/policy", json={"policy": {"interval_days": 0}, "reason": "x"})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "policy.interval_days")


def test_a_body_is_let_off_and_owes_afresh(town: Town) -> None:
    late(town)
    wanted = {"issuer_id": PHUC_XA, "reason": "Trụ sở ngập"}
    made = manager(town).post("/v1/cadence/exemptions", json=wanted, Idempotency_Key="1")
    again = manager(town).post("/v1/cadence/exemptions", json=wanted, Idempotency_Key="1")
    assert made.status_code == 201
    assert made.json() == again.json()
    town.catch_up()
    found = town.client().get(f"/v1/cadence/{PHUC_XA}").json()
    assert (found["state"], found["exempt_reason"], found["due_at"]) == ("exempt", "Trụ sở ngập", None)
    assert town.client().get("/v1/cadence?state=exempt").json()["summary"]["exempt"] == 1
    assert "Được miễn" in town.client().get("/?state=exempt").text
    town.later(days=1)
    address = f"/v1/cadence/exemptions/{made.json()['id']}/end"
    assert town.client("lan").post(address).status_code == 403
    assert manager(town).post(address).status_code == 200
    town.catch_up()
    found = town.client().get(f"/v1/cadence/{PHUC_XA}").json()
    assert found["state"] == "ok"
    town.later(minutes=1)
    assert manager(town).post(address).status_code == 409
    missing = manager(town).post(f"/v1/cadence/exemptions/{town.issue()}/end")
    assert missing.status_code == 404
    nobody = manager(town).post("/v1/cadence/exemptions", json=wanted | {"issuer_id": "none"})
    assert nobody.status_code == 404


def test_what_has_not_changed_is_not_sent_again(town: Town) -> None:
    late(town)
    for address in ("/v1/cadence", f"/v1/cadence/{PHUC_XA}", f"/v1/cadence/{PHUC_XA}/explain"):
        tag = town.client().get(address).headers["ETag"]
        again = town.client().get(address, If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
    town.later(days=1)
    tag = town.client().get("/v1/cadence").headers["ETag"]
    town.issue()
    town.catch_up()
    assert town.client().get("/v1/cadence", If_None_Match=tag).status_code == 200


def test_a_report_that_staff_took_is_in_the_log_and_a_public_one_is_not(town: Town) -> None:
    late(town)
    address = f"/v1/cadence/report?{period(town)}&format=csv&level=3"
    town.client().get(address).raise_for_status()
    assert town.log.read(0, 10, [ExportMade.TOPIC]) == []
    taken = town.client("lan").get(address)
    (found,) = town.log.read(0, 10, [ExportMade.TOPIC])
    made = found.event
    assert isinstance(made, ExportMade)
    assert (made.what, made.form, made.by.account) == ("cadence_report", "csv", "lan")
    assert made.filters["level"] == "3"
    assert made.sha256 == sha256(taken.content).hexdigest()


def test_reports_are_read_in_every_form(town: Town) -> None:
    late(town)
    for form, kind in (("json", "application/json"), ("csv", "text/csv"), ("html", "text/html")):
        answer = town.client().get(f"/v1/cadence/report?{period(town)}&format={form}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
    assert town.client().get("/v1/cadence/report?from=2100-01-01T00:00:00Z").status_code == 422
    card = town.client().get(f"/v1/public/cadence?{period(town)}").json()
    assert [level["level"] for level in card["levels"]] == [1, 3]
    trial = {"policy": {"interval_days": 1}, "from": "2024-07-10T00:00:00Z"}
    tried = town.client("lan").post("/v1/cadence/simulate", json=trial)
    assert tried.status_code == 200, tried.text
    told = town.client().get(f"/v1/cadence/{PHUC_XA}/explain").json()["story"]
    assert [item["why"] for item in told["items"]] == ["counts"]
