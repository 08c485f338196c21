"""Delegations over HTTP: giving, listing, taking back, and what they open."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from schemas.events import DelegationGranted
from schemas.requests import NewDelegation
from tests.unit.broadcaster.web.town import AT, HANG_BAC, PHUC_XA, Town


def day(count: int) -> str:
    return (AT + timedelta(days=count)).isoformat()


def asked(**changes: Any) -> dict[str, Any]:
    """Phúc Xá lets Hàng Bạc, whose own field is heavy rain, tell of floods there."""
    told = {"grantee": HANG_BAC, "fields": ["ngap_ung"], "areas": ["00001"], "ends_at": day(7)}
    return told | changes


def grant(town: Town, account: str = "hoa", **changes: Any) -> httpx.Response:
    return town.client(account).post("/v1/delegations", asked(**changes))


def flood(town: Town) -> httpx.Response:
    return town.draft("tuan", category="ngap_ung")


def test_from_grant_to_revocation(town: Town) -> None:
    assert flood(town).json()["rule"] == "jurisdiction.field"
    granted = grant(town)
    assert granted.status_code == 201
    assert granted.headers["location"] == f"/v1/delegations?body={HANG_BAC}"
    told = granted.json()
    assert told == {
        "id": told["id"],
        "grantor": PHUC_XA,  # the body the key speaks for
        "grantee": HANG_BAC,
        "fields": ["ngap_ung"],
        "areas": ["00001"],
        "edition": "2020-03-01",
        "starts_at": "2024-07-10T02:00:00.000Z",
        "ends_at": "2024-07-17T02:00:00.000Z",
        "state": "in_force",
    }
    drafted = flood(town)
    assert drafted.status_code == 201
    assert drafted.json()["work"]["delegation_id"] is None
    submitted = town.client("tuan").post(f"/v1/alerts/{drafted.json()['id']}/submit")
    assert submitted.json()["work"]["delegation_id"] == told["id"]
    assert town.draft("tuan", category="ngap_ung", areas=["00004"]).status_code == 403

    revoked = town.client("hoa").post(f"/v1/delegations/{told['id']}/revoke")
    assert (revoked.status_code, revoked.json()) == (200, told | {"state": "revoked"})
    assert flood(town).json()["rule"] == "jurisdiction.field"
    again = town.client("hoa").post(f"/v1/delegations/{told['id']}/revoke")
    assert (again.status_code, again.json()["rule"]) == (409, "delegation.over")


def test_it_is_listed_for_both_bodies_in_its_state(town: Town) -> None:
    now = grant(town).json()["id"]
    later = grant(town, starts_at=day(2)).json()["id"]

    def listed(query: str = "") -> list[tuple[str, str]]:
        found = town.client("kiem").get(f"/v1/delegations{query}").json()["delegations"]
        return [(one["id"], one["state"]) for one in found]

    assert listed() == [(now, "in_force"), (later, "upcoming")]
    for body in (PHUC_XA, HANG_BAC):
        assert listed(f"?body={body}") == listed()
    assert listed("?body=ubnd-tp") == []
    town.later(days=7)
    assert listed() == [(now, "ended"), (later, "ended")]
    assert flood(town).status_code == 403


@pytest.mark.parametrize(
    ("account", "changes", "refusal"),
    [
        ("lan", {}, (403, "role.missing")),
        ("tuan", {"grantor": PHUC_XA}, (403, "body.not-yours")),
        ("hoa", {"grantor": "ubnd-tp"}, (403, "body.not-yours")),
        ("hoa", {"grantee": PHUC_XA}, (403, "delegation.self")),
        ("hoa", {"areas": ["00001", "00004"]}, (403, "delegation.area")),
        ("hoa", {"areas": ["99999"]}, (422, "content.unknown-area")),
        ("hoa", {"fields": ["no_such"]}, (422, "content.unknown-category")),
        ("hoa", {"ends_at": day(-1)}, (422, "delegation.dates")),
        ("hoa", {"starts_at": day(-1)}, (422, "delegation.dates")),
        ("hoa", {"ends_at": day(400)}, (422, "delegation.dates")),
    ],
)
def test_refusals_name_their_rule_and_are_recorded(
    town: Town, account: str, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    answer = grant(town, account, **changes)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["rule"]) == refusal
    assert [(one.command, one.rule) for one in town.refusals()] == [("delegate", refusal[1])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grantee", "\x00"),
        ("fields", []),
        ("fields", ["*"]),
        ("fields", ["bao", "bao"]),
        ("areas", []),
        ("areas", ["x"]),
        ("areas", ["00001", "00001"]),
        ("ends_at", "2024-07-11"),
        ("ends_at", "9999-12-31T23:59:59-12:00"),
        ("starts_at", "now"),
        ("surprise", 1),
    ],
)
def test_what_is_out_of_shape_names_its_field(town: Town, field: str, value: object) -> None:
    answer = town.client("hoa").post("/v1/delegations", asked(**{field: value}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] == field
    assert town.refusals() == []


def test_who_may_not_know_and_what_is_not_there(town: Town) -> None:
    assert town.client().get("/v1/delegations").status_code == 401
    assert town.client().post("/v1/delegations", asked()).status_code == 401
    assert grant(town, grantee="nobody").status_code == 404
    hoa = town.client("hoa")
    assert hoa.post(f"/v1/delegations/{uuid4()}/revoke").status_code == 404
    assert hoa.post("/v1/delegations/x/revoke").status_code == 422
    given = grant(town).json()["id"]
    for account in ("lan", "tuan", "city-author"):
        assert town.client(account).post(f"/v1/delegations/{given}/revoke").status_code == 403


def test_a_repeat_gets_the_first_answer(town: Town) -> None:
    hoa = town.client("hoa")
    first = hoa.post("/v1/delegations", asked(), Idempotency_Key="d")
    again = hoa.post("/v1/delegations", asked(), Idempotency_Key="d")
    assert (again.status_code, again.json()) == (201, first.json())
    reused = hoa.post("/v1/delegations", asked(areas=["00001"], fields=["bao"]), Idempotency_Key="d")
    assert (reused.status_code, reused.json()["type"]) == (422, "/problems/idempotency.reused")
    path = f"/v1/delegations/{first.json()['id']}/revoke"
    gone = hoa.post(path, Idempotency_Key="e")
    assert (gone.status_code, hoa.post(path, Idempotency_Key="e").json()) == (200, gone.json())
    assert sum(isinstance(one.event, DelegationGranted) for one in town.log.everything()) == 1


def test_the_example_is_valid_and_the_audit_tells_it(town: Town) -> None:
    spec = town.client().get("/openapi.json").json()
    body = spec["paths"]["/v1/delegations"]["post"]["requestBody"]["content"]["application/json"]
    NewDelegation.model_validate(body["example"])
    given = grant(town).json()["id"]
    town.client("hoa").post(f"/v1/delegations/{given}/revoke").raise_for_status()
    town.catch_up()
    entries = town.client("kiem").get("/v1/audit?account=hoa").json()["entries"]
    lines = [one["summary_en"] for one in entries if one["topic"].startswith("delegation.")]
    assert lines[0] == f"Revoked the delegation {given} from {PHUC_XA} to {HANG_BAC}"
    assert lines[1].startswith(
        f"Delegated from {PHUC_XA} to {HANG_BAC}: ngap_ung; 1 area; 2024-07-10 02:00"
    )
