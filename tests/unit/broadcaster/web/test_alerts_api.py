"""Alerts over HTTP: the road from draft to withdrawal, and who may walk it."""

from uuid import uuid4

import pytest

from broadcaster.account import Role
from schemas.events import AlertIssued
from tests.unit.broadcaster.web.town import CITY, HANG_BAC, PHUC_XA, SYSTEM, Town, content


def test_from_draft_to_withdrawal(town: Town) -> None:
    lan, minh = town.client("lan"), town.client("minh")
    drafted = lan.post("/v1/alerts", {"content": content()})
    assert drafted.status_code == 201
    alert_id = drafted.json()["id"]
    assert drafted.headers["location"] == f"/v1/alerts/{alert_id}"
    assert drafted.headers["etag"] == '"1"'
    assert drafted.json()["issuer"] == PHUC_XA  # the body the key speaks for

    assert lan.post(f"/v1/alerts/{alert_id}/submit").json()["stage"] == "submitted"
    returned = minh.post(f"/v1/alerts/{alert_id}/return", {"reason": "Thiếu giờ"}).json()
    assert returned["stage"] == "draft"
    revised = lan(
        "PUT", f"/v1/alerts/{alert_id}", {"content": content(risk_level=3)}, headers={"If-Match": '"3"'}
    )
    assert revised.json()["work"]["content"]["risk_level"] == 3
    town.send_out(alert_id)
    live = town.client().get(f"/v1/alerts/{alert_id}").json()
    assert (live["life"], live["issued"]["version"], live["issued"]["content"]["risk_level"]) == (
        "live",
        1,
        3,
    )

    lan.post(f"/v1/alerts/{alert_id}/update", {"content": content(risk_level=4)}).raise_for_status()
    town.send_out(alert_id)
    cancelled = minh.post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa", "in_error": False})
    assert cancelled.status_code == 200
    ended = town.client().get(f"/v1/alerts/{alert_id}").json()
    assert (ended["life"], ended["reason"]) == ("cancelled", "Hết mưa")
    assert [message["msg_type"] for message in ended["messages"]] == ["Alert", "Update", "Cancel"]


def test_no_commune_speaks_for_another(town: Town) -> None:
    answer = town.draft("lan", areas=["00049"])
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/jurisdiction.area"
    assert answer.json()["rule"] == "jurisdiction.area"
    refused = town.refusals()
    assert [(one.rule, one.by.account, one.issuer_id) for one in refused] == [
        ("jurisdiction.area", "lan", PHUC_XA)
    ]


@pytest.mark.parametrize(
    ("author", "issuer", "changes", "refusal"),
    [
        ("tuan", PHUC_XA, {}, (403, "body.not-yours")),
        ("minh", PHUC_XA, {}, (403, "role.missing")),
        ("tuan", HANG_BAC, {"category": "nang_nong", "areas": ["00049"]}, (403, "jurisdiction.field")),
        ("lan", PHUC_XA, {"areas": ["99999"]}, (422, "content.unknown-area")),
        ("lan", PHUC_XA, {"category": "no_such"}, (422, "content.unknown-category")),
        ("lan", PHUC_XA, {"risk_level": None}, (422, "content.risk-level")),
        ("lan", PHUC_XA, {"expires_at": "2020-01-01T00:00:00Z"}, (422, "content.expiry")),
    ],
)
def test_refusals_name_their_rule_and_are_recorded(
    town: Town, author: str, issuer: str, changes: dict[str, object], refusal: tuple[int, str]
) -> None:
    answer = town.client(author).post("/v1/alerts", {"issuer": issuer, "content": content(**changes)})
    assert (answer.status_code, answer.json()["rule"]) == refusal
    assert [one.rule for one in town.refusals()] == [refusal[1]]


def test_four_eyes(town: Town) -> None:
    town.setup.grant(SYSTEM, "lan", PHUC_XA, Role.APPROVER, at=town.now)
    alert_id = town.draft().json()["id"]
    lan = town.client("lan")
    lan.post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    answer = town.step(alert_id, "lan", "approve")
    assert (answer.status_code, answer.json()["rule"]) == (403, "approval.four-eyes")
    assert town.step(alert_id, "minh", "approve").status_code == 200
    assert [one.rule for one in town.refusals()] == ["approval.four-eyes"]


def test_a_rejected_alert_is_over_and_seen_by_its_own_body_only(town: Town) -> None:
    alert_id = town.draft().json()["id"]
    lan, minh = town.client("lan"), town.client("minh")
    lan.post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    reason = {"reason": "Không đúng thẩm quyền"}
    answer = lan.post(f"/v1/alerts/{alert_id}/reject", reason)
    assert (answer.status_code, answer.json()["rule"]) == (403, "role.missing")
    first = minh.post(f"/v1/alerts/{alert_id}/reject", reason, Idempotency_Key="r", If_Match='"2"')
    assert first.status_code == 200
    assert (first.json()["life"], first.json()["work"]) == ("rejected", None)
    assert first.json()["rejected"] == {"version": 1, **reason}
    again = minh.post(f"/v1/alerts/{alert_id}/reject", reason, Idempotency_Key="r", If_Match='"2"')
    assert again.json() == first.json()
    assert lan.post(f"/v1/alerts/{alert_id}/submit").json()["rule"] == "state.not-now"

    town.catch_up()
    for path in ("/v1/alerts", "/v1/alerts?status=rejected"):
        (listed,) = lan.get(path).json()["alerts"]
        assert (listed["status"], listed["stage"], listed["reason"]) == (
            "rejected",
            None,
            reason["reason"],
        )
        for other in (town.client(), town.client("tuan")):
            assert other.get(path).json()["alerts"] == []
    assert town.client("tuan").get(f"/v1/alerts/{alert_id}").status_code == 404


def test_a_rejected_update_is_not_told_outside(town: Town) -> None:
    alert_id = town.issue()
    town.client("lan").post(f"/v1/alerts/{alert_id}/update", {"content": content(risk_level=5)})
    town.client("lan").post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    reason = {"reason": "Chưa có số liệu"}
    town.client("minh").post(f"/v1/alerts/{alert_id}/reject", reason).raise_for_status()
    town.catch_up()
    inside = town.client("lan").get(f"/v1/alerts/{alert_id}").json()
    assert (inside["life"], inside["rejected"]) == ("live", {"version": 2, **reason})
    outside = town.client().get(f"/v1/alerts/{alert_id}").json()
    assert (outside["life"], outside["rejected"], outside["reason"]) == ("live", None, None)
    (listed,) = town.client().get("/v1/alerts").json()["alerts"]
    assert (listed["status"], listed["reason"]) == ("live", None)


def test_what_cannot_be_done_now_is_a_conflict(town: Town) -> None:
    alert_id = town.draft().json()["id"]
    answer = town.client("lan").post(f"/v1/alerts/{alert_id}/issue")
    assert (answer.status_code, answer.json()["rule"]) == (409, "state.not-now")
    assert not [one for one in town.log.everything() if isinstance(one.event, AlertIssued)]


def test_work_is_for_its_own_body(town: Town) -> None:
    alert_id = town.issue()
    town.client("lan").post(f"/v1/alerts/{alert_id}/update", {"content": content(risk_level=5)})
    secret_id = town.draft().json()["id"]
    town.catch_up()

    own = town.client("minh").get(f"/v1/alerts/{alert_id}").json()
    assert (own["stage"], own["work"]["content"]["risk_level"]) == ("draft", 5)
    for other in (town.client(), town.client("tuan")):
        seen = other.get(f"/v1/alerts/{alert_id}").json()
        assert (seen["stage"], seen["work"]) == ("none", None)
        assert other.get(f"/v1/alerts/{secret_id}").status_code == 404
        listed = other.get("/v1/alerts").json()["alerts"]
        assert [(one["id"], one["stage"]) for one in listed] == [(alert_id, None)]
        assert other.get("/v1/alerts?status=in_work").json()["alerts"] == []
    listed = town.client("minh").get("/v1/alerts").json()["alerts"]
    assert [(one["id"], one["stage"]) for one in listed] == [(secret_id, "draft"), (alert_id, "draft")]


def test_the_list_is_filtered_and_paged(town: Town) -> None:
    for_all = town.issue("city-author", "city-approver", areas=["01"])
    of_phuc_xa = [town.issue() for _ in range(3)]
    town.catch_up()
    client = town.client()

    def ids(query: str) -> list[str]:
        return [one["id"] for one in client.get(f"/v1/alerts?{query}").json()["alerts"]]

    assert ids("status=live") == [*reversed(of_phuc_xa), for_all]
    assert ids(f"issuer={CITY}") == [for_all]
    assert ids("area=00049") == [for_all]
    assert ids("area=00001") == [*reversed(of_phuc_xa), for_all]
    assert client.get("/v1/alerts?area=77777").status_code == 404
    page = client.get("/v1/alerts?limit=3").json()
    assert [one["id"] for one in page["alerts"]] == [*reversed(of_phuc_xa)]
    last = client.get(f"/v1/alerts?limit=3&before={page['before']}").json()
    assert ([one["id"] for one in last["alerts"]], last["before"]) == ([for_all], None)


def test_streams_of_other_things_are_no_alerts(town: Town) -> None:
    town.draft(areas=["00049"])
    refusal = town.refusals()[0].originator_id
    for unknown in (refusal, uuid4()):
        for method, path in (("GET", ""), ("POST", "/submit"), ("POST", "/issue"), ("GET", "/reach")):
            answer = town.client("lan")(method, f"/v1/alerts/{unknown}{path}")
            assert answer.status_code == 404, (method, path)
            assert answer.json()["type"] == "/problems/not-found"


def test_a_key_is_needed_and_must_live(town: Town) -> None:
    nobody = town.client()
    answer = nobody.post("/v1/alerts", {"content": content()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    nobody.key = "hn_abc_def"
    assert nobody.post("/v1/alerts", {"content": content()}).status_code == 401
    assert nobody.get("/v1/alerts").status_code == 401  # a key that is sent must be good
    key_id = next(key.key_id for key in town.key_store.list() if key.account == "lan")
    town.key_store.revoke(key_id, town.now, by=SYSTEM)
    assert town.draft().status_code == 401
