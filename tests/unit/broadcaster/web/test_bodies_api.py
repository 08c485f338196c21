"""Bodies over HTTP: contacts, policy, and who may set them."""

from typing import Any

import pytest

from schemas.events import IssuerContactsSet, IssuerPolicySet
from tests.unit.broadcaster.web.town import HANG_BAC, PHUC_XA, Town

OFFICE = {"contacts": [{"kind": "phone", "value": "1022"}, {"kind": "web", "value": "https://a.vn/x"}]}
NIGHT = {"one_person_bulletins": True, "quiet_from": "21:30:00", "quiet_until": "06:30:00"}


def test_a_manager_sets_contacts_and_policy(town: Town) -> None:
    before = town.client().get(f"/v1/bodies/{PHUC_XA}").json()
    assert (before["contacts"], before["quiet_from"], before["one_person_bulletins"]) == (
        [],
        "22:00:00",
        False,
    )
    hoa = town.client("hoa")
    told = hoa("PUT", f"/v1/bodies/{PHUC_XA}/contacts", OFFICE)
    assert told.status_code == 200
    assert told.json()["contacts"] == OFFICE["contacts"]
    told = hoa("PUT", f"/v1/bodies/{PHUC_XA}/policy", NIGHT)
    town.catch_up()
    now = town.client().get(f"/v1/bodies/{PHUC_XA}").json()
    assert now == told.json()
    assert now == before | OFFICE | NIGHT
    off = hoa("PUT", f"/v1/bodies/{PHUC_XA}/policy", {}).json()
    assert (off["quiet_from"], off["quiet_until"], off["one_person_bulletins"]) == (None, None, False)


def test_a_repeat_gets_the_first_answer(town: Town) -> None:
    hoa, path = town.client("hoa"), f"/v1/bodies/{PHUC_XA}/contacts"
    first = hoa("PUT", path, OFFICE, headers={"Idempotency-Key": "k"})
    hoa("PUT", path, {"contacts": []})
    assert hoa("PUT", path, OFFICE, headers={"Idempotency-Key": "k"}).json() == first.json()
    made = town.log.read(0, 5000, (IssuerContactsSet.TOPIC,))
    assert len(made) == 2


@pytest.mark.parametrize("who", ["lan", "tuan"])
def test_nobody_else_does(town: Town, who: str) -> None:
    for path, said in (("contacts", OFFICE), ("policy", NIGHT)):
        told = town.client(who)("PUT", f"/v1/bodies/{PHUC_XA}/{path}", said)
        assert told.status_code == 403
    assert town.client("hoa")("PUT", f"/v1/bodies/{HANG_BAC}/policy", NIGHT).status_code == 403
    assert town.client("hoa")("PUT", "/v1/bodies/nobody/policy", NIGHT).status_code == 404
    assert [one.command for one in town.refusals()] == ["set contacts", "set policy", "set policy"]


@pytest.mark.parametrize(
    ("path", "said", "field"),
    [
        ("contacts", {"contacts": [{"kind": "fax", "value": "123"}]}, "contacts"),
        ("contacts", {"contacts": [{"kind": "email", "value": "nobody"}]}, "contacts: no. 1, email"),
        ("contacts", {"contacts": OFFICE["contacts"] * 6}, "contacts"),
        ("policy", {"quiet_from": "22:00"}, "both or neither"),
        ("policy", {"quiet_from": "22:00", "quiet_until": "22:00"}, "must differ"),
        ("policy", {"quiet_from": "22:00Z", "quiet_until": "06:00"}, "local times"),
    ],
)
def test_what_is_wrong_is_named(town: Town, path: str, said: dict[str, Any], field: str) -> None:
    told = town.client("hoa")("PUT", f"/v1/bodies/{PHUC_XA}/{path}", said)
    assert told.status_code == 422
    assert field in told.text
    assert not town.log.read(0, 5000, (IssuerContactsSet.TOPIC, IssuerPolicySet.TOPIC))


def test_a_pasted_list_of_names_is_matched(town: Town) -> None:
    told = town.client().post("/v1/areas/match", {"text": "phuc xa, Ba Dinh\nHà Nội\nNowhere"})
    assert told.status_code == 200
    found = told.json()
    assert [(one["text"], one["area"]["code"]) for one in found["matched"]] == [
        ("phuc xa, Ba Dinh", "00001"),
        ("Hà Nội", "01"),
    ]
    assert found["matched"][0]["area"]["parent_name"]
    assert (found["ambiguous"], found["unmatched"]) == ([], ["Nowhere"])
    many = town.client().post("/v1/areas/match", {"text": "x\n" * 2001})
    assert many.status_code == 422
    assert town.client().post("/v1/areas/match", {"text": "x", "edition": "none"}).status_code == 404
