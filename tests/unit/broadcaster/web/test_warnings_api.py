"""What submission refuses, and what it only points at."""

from typing import Any

import pytest

from tests.unit.broadcaster.web.town import PHUC_XA, Town


def texts(headline: str, **more: Any) -> dict[str, Any]:
    return {"vi": {"headline": headline, "description": "Nước lên nhanh.", **more}}


def submit(town: Town, account: str = "lan", **changes: Any) -> Any:
    alert = town.draft(account, **changes).raise_for_status().json()["id"]
    return town.client(account).post(f"/v1/alerts/{alert}/submit")


def test_a_live_alert_that_says_the_same_is_pointed_at(town: Town) -> None:
    first = submit(town, texts=texts("Ngập sâu tại Phúc Xá"))
    assert (first.status_code, first.json()["warnings"]) == (200, [])
    town.step(first.json()["id"], "minh", "approve").raise_for_status()
    town.client("lan").post(f"/v1/alerts/{first.json()['id']}/issue").raise_for_status()
    town.catch_up()

    second = submit(town, texts=texts("Ngập tại phúc xá"))
    assert second.status_code == 200  # a warning, not a refusal
    (warning,) = second.json()["warnings"]
    assert (warning["alert_id"], warning["issuer"]) == (first.json()["id"], PHUC_XA)
    assert (warning["similarity"], warning["same_issuer"], warning["overlapping"]) == (0.8, True, True)
    path = f"/v1/alerts/{second.json()['id']}/warnings"
    assert town.client("minh").get(path).json()["warnings"] == [warning]
    assert town.client("tuan").get(path).status_code == 404
    assert town.client().get(path).status_code == 401
    assert town.client("lan").get(f"/v1/alerts/{first.json()['id']}/warnings").json() == {"warnings": []}


@pytest.mark.parametrize(
    ("changes", "rule", "named"),
    [
        ({"texts": texts("Ngập", sms_text="Ngập sâu " * 30)}, "content.limit", "force UCS-2: ậ â"),
        ({"texts": texts("Ngập", sign_text="Nghiêng " * 8)}, "content.sign-text", "texts.vi.sign_text: "),
        ({"texts": texts("Nước lên nhanh.")}, "content.limit", "texts.vi.description: "),
        ({"texts": texts("Ngập <b>sâu</b>")}, "content.limit", "texts.vi.headline: "),
        ({"expires_at": "2024-07-13T00:00:00Z"}, "content.expiry", "expires_at: "),
    ],
)
def test_a_limit_is_asked_at_submit_and_not_of_a_draft(
    town: Town, changes: dict[str, Any], rule: str, named: str
) -> None:
    refused = submit(town, **changes)
    assert (refused.status_code, refused.json()["rule"]) == (422, rule)
    assert named in refused.json()["detail"]
    (recorded,) = town.refusals()
    assert (recorded.command, recorded.rule) == ("submit", rule)
