"""Templates and sets of areas over HTTP: who keeps them, who may use them, and what comes of it."""

from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest

from broadcaster.runtime import SYSTEM
from schemas.areas import Area
from schemas.events import AlertDrafted, TemplateSaved
from tests.unit.broadcaster.web.town import AREAS, CITY, HANG_BAC, PHUC_XA, Town

BODY: dict[str, Any] = {
    "kind": "alert",
    "category": "mua_lon",
    "severity": "Moderate",
    "urgency": "Expected",
    "certainty": "Likely",
    "risk_level": 1,
    "fields": [{"name": "noi", "label": "Nơi", "longest": 30}, {"name": "don_vi", "label": "Đơn vị"}],
    "texts": {
        "vi": {
            "headline": "Mưa lớn tại {noi}",
            "description": "{don_vi}: mưa lớn tại {noi}.",
            "sms_text": "Mua lon tai {noi}",
        }
    },
    "lifetime_hours": 3,
}


def new(**changes: Any) -> dict[str, Any]:
    return {"name": "Mưa lớn", "body": BODY} | changes


def begin(town: Town, account: str = "city-author", **changes: Any) -> httpx.Response:
    return town.client(account).post("/v1/templates", new(**changes))


def fill(town: Town, template: str, account: str = "lan", **given: Any) -> httpx.Response:
    asked = {"values": {"noi": "phố Huế"}, "areas": ["00001"]} | given
    return town.client(account).post(f"/v1/templates/{template}/draft", asked)


def test_from_template_to_draft_in_one_call(town: Town) -> None:
    made = begin(town)
    assert made.status_code == 201
    template = made.json()["id"]
    assert made.headers["location"] == f"/v1/templates/{template}"
    assert made.json()["issuer"] == CITY

    # Phúc Xá lies under the city: it reads the city's template, and fills it within its own authority.
    listed = town.client("lan").get("/v1/templates").json()["templates"]
    assert [one["id"] for one in listed] == [template]
    drafted = fill(town, template)
    assert drafted.status_code == 201, drafted.text
    content = drafted.json()["work"]["content"]
    assert content["texts"]["vi"]["headline"] == "Mưa lớn tại phố Huế"
    assert content["texts"]["vi"]["description"] == "UBND phường Phúc Xá: mưa lớn tại phố Huế."
    assert content["texts"]["vi"]["sms_text"] == "Mua lon tai pho Hue"
    assert content["expires_at"] == "2024-07-10T05:00:00Z"
    assert (drafted.json()["issuer"], drafted.json()["stage"]) == (PHUC_XA, "draft")
    town.send_out(drafted.json()["id"])

    elsewhere = fill(town, template, areas=["00049"])
    assert (elsewhere.status_code, elsewhere.json()["rule"]) == (403, "jurisdiction.area")


def test_the_city_does_not_find_the_commune_s_nor_a_neighbour(town: Town) -> None:
    template = begin(town, "lan").json()["id"]
    for account in ("city-author", "tuan"):
        assert town.client(account).get("/v1/templates").json()["templates"] == []
        assert town.client(account).get(f"/v1/templates/{template}").status_code == 404
    assert fill(town, template, "tuan", areas=["00049"]).status_code == 404
    assert fill(town, template, "city-author", issuer=CITY).status_code == 404
    assert fill(town, template).status_code == 201
    assert town.client().get("/v1/templates").status_code == 401


def test_versions_are_kept_and_two_editors_do_not_overwrite_each_other(town: Town) -> None:
    made = begin(town)
    template, tag = made.json()["id"], made.headers["etag"]
    city, path = town.client("city-author"), f"/v1/templates/{made.json()['id']}/versions"
    assert city.post(path, new(name="Mưa to")).status_code == 428
    second = city.post(path, new(name="Mưa to"), If_Match=tag)
    assert (second.status_code, second.json()["latest"]["version"]) == (200, 2)
    assert city.post(path, new(name="Khác"), If_Match=tag).status_code == 412
    versions = city.get(path).json()["versions"]
    assert [(one["version"], one["name"]) for one in versions] == [(1, "Mưa lớn"), (2, "Mưa to")]
    assert fill(town, template, version=1).status_code == 201
    missing = fill(town, template, version=3)
    assert (missing.status_code, missing.json()["rule"]) == (422, "content.template")


def test_another_approves_and_says_what_was_read(town: Town) -> None:
    template = begin(town).json()["id"]
    path = f"/v1/templates/{template}/approve"
    own = town.client("city-author").post(path, {"version": 1})
    assert (own.status_code, own.json()["rule"]) == (403, "role.missing")
    approver = town.client("city-approver")
    assert approver.post(path, {"version": 2}).json()["rule"] == "state.not-now"
    done = approver.post(path, {"version": 1})
    assert (done.status_code, done.json()["approved_version"]) == (200, 1)
    assert done.json()["latest"]["approved_by"] == "city-approver"
    assert town.client("minh").post(path, {"version": 1}).json()["rule"] == "body.not-yours"
    assert [one.command for one in town.refusals()] == ["approve template"] * 3


def test_retired_it_is_listed_only_on_request(town: Town) -> None:
    template = begin(town).json()["id"]
    author = town.client("city-author").post(f"/v1/templates/{template}/retire")
    assert author.json()["rule"] == "role.missing"
    assert town.client("city-approver").post(f"/v1/templates/{template}/retire").json()["retired"]
    lan = town.client("lan")
    assert lan.get("/v1/templates").json()["templates"] == []
    assert len(lan.get("/v1/templates?retired=true").json()["templates"]) == 1
    assert fill(town, template).json()["rule"] == "state.not-now"


@pytest.mark.parametrize(
    ("given", "rule", "named"),
    [
        ({"values": {}}, "content.template", "noi is missing"),
        ({"values": {"noi": "x" * 31}}, "content.template", "noi has 31 characters"),
        ({"values": {"noi": "x", "duong": "y"}}, "content.template", "duong is no field"),
        ({"areas": []}, "content.template", "areas: "),
        ({"areas": ["99999"]}, "content.unknown-area", "99999"),
        ({"issuer": HANG_BAC}, "body.not-yours", "lan"),
    ],
)
def test_what_does_not_fit_is_named_and_recorded_once(
    town: Town, given: dict[str, Any], rule: str, named: str
) -> None:
    template = begin(town).json()["id"]
    answer = fill(town, template, **given)
    assert answer.json()["rule"] == rule
    assert named in answer.json()["detail"]
    assert [one.rule for one in town.refusals()] == [rule]
    assert not any(isinstance(one.event, AlertDrafted) for one in town.log.everything())


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"category": "phep_thuat"}, "content.unknown-category"),
        ({"category": "giao_thong"}, "content.risk-level"),
        ({"lifetime_hours": 49}, "content.expiry"),
        ({"areas": ["99999"], "edition": "2020-03-01"}, "content.unknown-area"),
        ({"areas": ["00001"], "edition": "2025-07-01"}, "content.template"),
    ],
)
def test_a_template_that_nobody_could_use_is_refused(town: Town, change: dict[str, Any], rule: str) -> None:
    answer = begin(town, body=BODY | change)
    assert (answer.status_code, answer.json()["rule"]) == (422, rule)


def test_a_repeat_gets_the_first_answer(town: Town) -> None:
    city = town.client("city-author")
    first = city.post("/v1/templates", new(), Idempotency_Key="t")
    assert city.post("/v1/templates", new(), Idempotency_Key="t").json() == first.json()
    path = f"/v1/templates/{first.json()['id']}/draft"
    given = {"values": {"noi": "x"}, "areas": ["00001"]}
    drafted = town.client("lan").post(path, given, Idempotency_Key="d")
    town.client("city-approver").post(f"/v1/templates/{first.json()['id']}/retire").raise_for_status()
    again = town.client("lan").post(path, given, Idempotency_Key="d")
    assert (again.status_code, again.json()) == (201, drafted.json())
    kinds = [type(one.event) for one in town.log.everything()]
    assert (kinds.count(TemplateSaved), kinds.count(AlertDrafted)) == (1, 1)


def test_nothing_to_report_takes_the_nearest_template_and_the_body_s_own_area(town: Town) -> None:
    asked = town.client("tuan").post("/v1/bulletins/nothing-to-report", {})
    assert (asked.status_code, asked.json()["rule"]) == (422, "content.template")
    bulletin = BODY | {
        "kind": "bulletin",
        "category": "tuyen_truyen",
        "risk_level": None,
        "fields": [{"name": "ngay", "label": "Ngày"}],
        "texts": {"vi": {"headline": "Ngày {ngay}: không có tin", "description": "Không có gì mới."}},
    }
    for account in ("city-author", "lan"):
        begin(town, account, purpose="nothing_to_report", body=bulletin).raise_for_status()
    # Hàng Bạc may speak of heavy rain only: its bulletin is filed there.
    for account, area, category in (("tuan", "00049", "mua_lon"), ("lan", "00001", "tuyen_truyen")):
        drafted = town.client(account).post("/v1/bulletins/nothing-to-report", {})
        assert drafted.status_code == 201, drafted.text
        content = drafted.json()["work"]["content"]
        assert (content["areas"], content["category"]) == ([area], category)
        assert content["texts"]["vi"]["headline"] == "Ngày 10/7/2024: không có tin"


def test_a_set_of_areas_is_filled_in_while_its_edition_is_in_force(town: Town) -> None:
    city = town.client("city-author")
    assert city.post("/v1/area-sets", {"name": "x", "areas": ["99999"]}).json()["rule"] == (
        "content.unknown-area"
    )
    made = city.post("/v1/area-sets", {"name": "Ba Đình", "areas": ["00001"]})
    assert (made.status_code, made.json()["state"]) == (201, "current")
    areas, template = made.json()["id"], begin(town).json()["id"]
    drafted = fill(town, template, areas=[], area_set=areas)
    assert drafted.json()["work"]["content"]["areas"] == ["00001"]
    assert fill(town, template, areas=[], area_set=str(uuid4())).status_code == 404

    later = [area for area in AREAS if area.level < 3] + [
        Area(code="00070", name="Phường Hồng Hà", kind="phuong", level=3, parent_code="001")
    ]
    town.setup.adopt_areas(SYSTEM, "2024-07-11", date(2024, 7, 11), later, at=town.now)
    town.later(days=1)
    (listed,) = town.client("lan").get("/v1/area-sets").json()["area_sets"]
    assert (listed["id"], listed["state"]) == (areas, "out_of_date")
    stale = fill(town, template, areas=[], area_set=areas)
    assert (stale.status_code, stale.json()["rule"]) == (422, "content.template")
    anew = city.post(
        f"/v1/area-sets/{areas}/versions",
        {"name": "Ba Đình", "areas": ["001"]},
        If_Match=made.headers["etag"],
    )
    assert (anew.status_code, anew.json()["state"], anew.json()["version"]) == (200, "current", 2)
    assert city.post(f"/v1/area-sets/{areas}/retire").json()["state"] == "retired"
    assert town.client("lan").get("/v1/area-sets").json()["area_sets"] == []
    assert town.client("lan").get(f"/v1/area-sets/{areas}").json()["state"] == "retired"
    assert town.client("tuan").post(f"/v1/area-sets/{areas}/retire").status_code == 403


def correcting(town: Town, **changes: Any) -> str:
    """A template for corrections, approved; answers its id."""
    body = BODY | {
        "fields": [],
        "texts": {"vi": {"headline": "Đính chính", "description": "Tin trước gửi nhầm."}},
        "category": "tuyen_truyen",
        "risk_level": None,
    }
    made = begin(town, "lan", **({"purpose": "correction", "body": body} | changes)).json()
    town.client("minh").post(f"/v1/templates/{made['id']}/approve", {"version": 1}).raise_for_status()
    return made["id"]


def test_a_wrong_alert_is_put_right_by_one_person_in_words_another_approved(town: Town) -> None:
    template, alert_id = correcting(town), town.issue(severity="Extreme", urgency="Immediate")
    town.later(minutes=3)
    corrected = town.client("lan").post(f"/v1/alerts/{alert_id}/correct", {"template": template})
    assert corrected.status_code == 200, corrected.text
    told = corrected.json()
    assert (told["life"], told["stage"], told["issued"]["version"]) == ("live", "none", 2)
    content = told["issued"]["content"]
    # Only the words change: it goes where the error went, and as fast.
    assert content["texts"]["vi"]["headline"] == "Đính chính"
    assert (content["severity"], content["urgency"], content["areas"]) == (
        "Extreme",
        "Immediate",
        ["00001"],
    )
    (correction,) = told["corrections"]
    assert (correction["wrong_version"], correction["seconds"], correction["how"]) == (1, 180.0, "update")


def test_across_a_reorganisation_the_two_ways_that_remain_are_named(town: Town) -> None:
    template, alert_id = correcting(town), town.issue(expires_at="2024-07-12T00:00:00Z")
    later = [*AREAS, Area(code="00070", name="Phường Hồng Hà", kind="phuong", level=3, parent_code="001")]
    town.setup.adopt_areas(SYSTEM, "2024-07-10b", date(2024, 7, 11), later, at=town.now)
    town.later(days=1)
    refused = town.client("lan").post(f"/v1/alerts/{alert_id}/correct", {"template": template})
    told = refused.json()
    assert (refused.status_code, told["rule"]) == (422, "content.edition")
    assert "Two ways put it right" in told["detail"]
    update, cancel = told["ways"]
    assert [each["page"].rpartition("/")[2] for each in (update, cancel)] == ["live", "cancel"]
    assert (update["with"], update["people"]) == ({"corrects": True}, 2)
    withdrawn = town.client("lan").post(cancel["href"], {"reason": "Sai nơi", **cancel["with"]})
    assert (withdrawn.status_code, withdrawn.json()["life"]) == (200, "cancelled")


def test_what_was_not_approved_or_has_gaps_corrects_nothing(town: Town) -> None:
    alert_id = town.issue()
    drafted = begin(town, "lan", purpose="correction").json()["id"]
    gaps = correcting(town, body=BODY)
    ordinary = correcting(town, purpose="draft")
    for template, why in ((drafted, "approved"), (gaps, "fields"), (ordinary, "not for corrections")):
        refused = town.client("lan").post(f"/v1/alerts/{alert_id}/correct", {"template": template})
        assert (refused.status_code, refused.json()["rule"]) == (422, "content.template")
        assert why in refused.json()["detail"]
    # Whoever approved the words may not be the one who sends them.
    own = town.client("minh").post(f"/v1/alerts/{alert_id}/correct", {"template": correcting(town)})
    assert (own.status_code, own.json()["rule"]) == (403, "approval.four-eyes")
    assert town.client().get(f"/v1/alerts/{alert_id}").json()["issued"]["version"] == 1


@pytest.mark.parametrize(
    ("said", "rule", "named"),
    [
        ({"sms_text": "Tin nhầm. " * 30}, "content.limit", "body.texts.vi.sms_text: takes 5 segments"),
        ({"sms_text": "Tin nhầm. " * 30}, "content.limit", "these characters force UCS-2: ầ"),
        # 459 units would do, were it not an update.
        ({"sms_text": "a" * 455}, "content.limit", "body.texts.vi.sms_text: takes 4 segments of GSM-7"),
        ({"sign_text": "Nghiêng " * 8}, "content.sign-text", "body.texts.vi.sign_text: "),
        ({"sign_text": "Tin nhầm 🌀"}, "content.sign-text", "signs cannot show 🌀"),
        ({"headline": "Đính chính " * 9}, "content.sign-text", "none is given, and the headline"),
        ({"headline": "Đính chính " * 16}, "content.limit", "body.texts.vi.headline: "),
        ({"description": "đính chính"}, "content.limit", "body.texts.vi.description: says the headline"),
    ],
)
def test_a_correction_that_could_not_be_sent_is_not_approved(
    town: Town, said: dict[str, Any], rule: str, named: str
) -> None:
    texts = {"vi": {"headline": "Đính chính", "description": "Tin trước gửi nhầm."} | said}
    body = BODY | {"fields": [], "texts": texts, "channels": ["push"]}
    made = begin(town, "lan", purpose="correction", body=body).json()
    head = town.log.head()
    refused = town.client("minh").post(f"/v1/templates/{made['id']}/approve", {"version": 1})
    assert (refused.status_code, refused.json()["rule"]) == (422, rule)
    assert named in refused.json()["detail"]
    assert [(one.command, one.rule) for one in town.refusals()] == [("approve template", rule)]
    assert town.log.head() == head + 1
    # As an ordinary template it is: what is drafted from it is asked at its submit.
    plain = begin(town, "lan", body=body).json()
    approved = town.client("minh").post(f"/v1/templates/{plain['id']}/approve", {"version": 1})
    assert approved.status_code == 200
