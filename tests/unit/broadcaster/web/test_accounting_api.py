"""Who an alert reached and missed, and what a manager does about it, over HTTP."""

import csv
import io
from base64 import b64encode
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from pyroaring import BitMap64

from projections.fanout import plan
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import AudienceFrozen, ExportMade, HomeGroup, ReceiptRecorded
from schemas.ids import audience_id
from tests.unit.broadcaster.web.town import HANG_BAC, SYSTEM, Client, Town

OUTCOMES = ("accepted", "gone", "refused", "superseded", "expired", "dead", "in_flight")


def group(area: str, *ids: int) -> HomeGroup:
    return HomeGroup(area=area, bitmap=b64encode(BitMap64(ids).serialize()).decode())


def deliver(town: Town, alert_id: str) -> Dispatch:
    """Three of the commune and two who follow it: one gave out, and one follower was given up."""
    alert = UUID(alert_id)
    bitmap = BitMap64(range(5)).serialize()
    frozen = AudienceFrozen(
        originator_id=audience_id(alert, 1, Channel.PUSH),
        originator_version=1,
        by=SYSTEM,
        alert_id=alert,
        version=1,
        channel=Channel.PUSH,
        lane=Lane.ALERT,
        count=5,
        sha256=sha256(bitmap).hexdigest(),
        bitmap=b64encode(bitmap).decode(),
        by_area={"00001": 3, "00004": 2},
        slice_size=500,
        expires_at=town.now.replace(hour=12),
        groups=(group("00001", 1, 2, 4), group("00004", 0, 3)),
    )
    (dispatch,) = plan.slices(frozen)
    receipt = Receipt(
        dispatch=dispatch,
        counts={Outcome.ACCEPTED: 3, Outcome.GONE: 1, Outcome.DEAD: 1},
        reasons={"UNAVAILABLE": 1},
        dead=(4,),
        by_area={
            "00001": {Outcome.ACCEPTED: 2, Outcome.GONE: 1},
            "00004": {Outcome.ACCEPTED: 1, Outcome.DEAD: 1},
        },
        provider="fcm",
    )
    ended = ReceiptRecorded(originator_id=dispatch.id, originator_version=1, by=SYSTEM, receipt=receipt)
    town.log.append([frozen, ended], at=town.now)
    town.follow()
    return dispatch


def test_the_account_of_an_alert(town: Town) -> None:
    alert_id = town.issue()
    town.client().post("/v1/devices", {"phone": "0912345678", "home": "00001"}).raise_for_status()
    deliver(town, alert_id)
    client = town.client("tuan")
    answer = client.get(f"/v1/alerts/{alert_id}/accounting")
    told = answer.json()
    (push,) = told["channels"]
    assert push["totals"]["audience"] == sum(push["totals"][name] for name in OUTCOMES) == 5
    assert push["settled"] is True
    phuc_xa, truc_bach = told["areas"]
    assert (phuc_xa["code"], phuc_xa["name"]) == ("00001", "Phường Phúc Xá")
    assert [phuc_xa[name] for name in ("audience", *OUTCOMES)] == [3, 2, 1, 0, 0, 0, 0, 0]
    assert [truc_bach[name] for name in ("audience", *OUTCOMES)] == [2, 1, 0, 0, 0, 0, 1, 0]
    assert told["coverage"] == [
        {
            "code": "00001",
            "name": "Phường Phúc Xá",
            "population": None,
            "phones": 1,
            "push": 0,
            "sms": 1,
            "share": None,
        }
    ]
    assert told["phones"] == 1
    for path in (f"/v1/alerts/{alert_id}/accounting", f"/v1/alerts/{alert_id}/accounting.csv"):
        tag = client.get(path).headers["etag"]
        town.later(minutes=2)
        assert client.get(path, If_None_Match=tag).status_code == 304
        assert town.client().get(path).status_code == 401
    drafted = town.draft().json()["id"]
    assert client.get(f"/v1/alerts/{drafted}/accounting").status_code == 404


def test_the_table_says_the_same(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    answer = town.client("tuan").get(f"/v1/alerts/{alert_id}/accounting.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"accounting-{alert_id}.csv" in answer.headers["content-disposition"]
    total, *areas = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (total["scope"], total["audience"], total["accepted"], total["dead"]) == ("total", "5", "3", "1")
    assert [(one["code"], one["audience"], one["phones"]) for one in areas] == [
        ("00001", "3", "0"),
        ("00004", "2", ""),
    ]
    for name in ("audience", *OUTCOMES):
        assert sum(int(one[name]) for one in areas) == int(total[name])


def test_that_the_table_was_taken_is_in_the_log(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    tuan, path = town.client("tuan"), f"/v1/alerts/{alert_id}/accounting.csv"
    table = tuan.get(path)
    tuan.get(path, If_None_Match=table.headers["etag"])
    tuan.get(f"/v1/alerts/{alert_id}/accounting")
    (found,) = town.log.read(0, 10, [ExportMade.TOPIC])
    made = found.event
    assert isinstance(made, ExportMade)
    assert (made.what, made.form, str(made.alert_id)) == ("accounting", "csv", alert_id)
    assert made.sha256 == sha256(table.content).hexdigest()
    assert (made.by.account, made.by.body) == ("tuan", HANG_BAC)


def test_another_edition_has_no_coverage_beside_it(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    areas = town.office.edition(town.now).areas
    town.setup.adopt_areas(SYSTEM, "2024-07-11", town.now.date(), areas, at=town.now)
    told = town.client("tuan").get(f"/v1/alerts/{alert_id}/accounting").json()
    assert (told["coverage"], told["phones"]) == ([], None)
    assert len(told["areas"]) == 2


def test_a_dead_letter_is_looked_at_and_replayed_once(town: Town) -> None:
    alert_id = town.issue()
    dispatch = deliver(town, alert_id)
    lan, hoa = town.client("lan"), town.client("hoa")
    page = lan.get(f"/v1/dead-letters?alert={alert_id}&state=open").json()
    (letter,), (pile,) = page["letters"], page["piles"]
    assert (letter["dispatch_id"], letter["count"], letter["areas"]) == (str(dispatch.id), 1, {"00004": 1})
    assert (pile["letters"], pile["recipients"], pile["state"]) == (1, 1, "open")
    assert lan.get(f"/v1/dead-letters/{dispatch.id}").json() == letter
    assert lan.get(f"/v1/dead-letters/{alert_id}").status_code == 404
    path = f"/v1/dead-letters/{dispatch.id}"
    why = {"reason": "Nhà mạng đã thông"}
    assert lan.post(f"{path}/replay", why).json()["rule"] == "role.missing"
    assert town.client().post(f"{path}/replay", why).status_code == 401
    assert hoa.post(f"{path}/replay", {"reason": ""}).status_code == 422
    first = hoa.post(f"{path}/replay", why, Idempotency_Key="r1")
    assert (first.status_code, first.json()["recipients"]) == (202, 1)
    assert hoa.post(f"{path}/replay", why, Idempotency_Key="r1").json() == first.json()
    again = hoa.post(f"{path}/write-off", why)
    assert (again.status_code, again.json()["rule"]) == (409, "state.not-now")
    town.follow()
    settled = lan.get(path).json()
    assert (settled["state"], settled["settled_by"], settled["settled_because"]) == (
        "replayed",
        "hoa",
        "Nhà mạng đã thông",
    )
    assert settled["next_dispatch_id"] == first.json()["dispatch_id"]
    assert lan.get("/v1/dead-letters?state=open").json()["letters"] == []


def test_a_dead_letter_is_written_off(town: Town) -> None:
    alert_id = town.issue()
    dispatch = deliver(town, alert_id)
    assert (
        town.client("hoa")
        .post(f"/v1/dead-letters/{dispatch.id}/write-off", {"reason": "Đã báo qua loa"})
        .status_code
        == 204
    )
    town.follow()
    told = town.client("tuan").get(f"/v1/alerts/{alert_id}/accounting").json()
    totals = told["channels"][0]["totals"]
    assert (totals["dead"], totals["written_off"], totals["in_flight"]) == (1, 1, 0)


def test_screens_that_showed_it_of_those_that_have_it(town: Town) -> None:
    manager = town.client("hoa")
    place = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}
    keys = [manager.post("/v1/screens", place).raise_for_status().json()["key"] for _ in range(3)]
    alert_id = town.issue()
    said = {"shown": [{"alert_id": alert_id, "version": 1}]}
    for key in keys[:2]:
        Client(town.app, key).post("/v1/screens/me/reports", said).raise_for_status()
    town.catch_up()
    path = f"/v1/alerts/{alert_id}/accounting"
    row = {"version": 1, "code": "00001", "name": "Phường Phúc Xá", "shown": 2, "screens": 3}
    row["excluded"] = 0
    assert town.client("lan").get(path).json()["screens"] == [row]
    reach = town.client().get(f"/v1/alerts/{alert_id}/reach").json()
    assert (reach["screens"], reach["plays"]) == ([row], [])
    played = {"alert_id": alert_id, "version": 1, "plays": 3, "seconds": 60}
    played |= {"first_at": "2024-07-10T02:00:00Z", "last_at": "2024-07-10T02:05:00Z"}
    for key in keys[:2]:
        batch = {"batch": str(uuid4()), "plays": [played]}
        Client(town.app, key).post("/v1/screens/me/plays", batch).raise_for_status()
    reach = town.client().get(f"/v1/alerts/{alert_id}/reach").json()
    assert reach["plays"] == [{"version": 1, "plays": 6, "seconds": 120}]
    others: tuple[dict[str, Any], ...] = ({"mode": "exercise"}, {"channels": ["push"]})
    for other in others:
        untold = town.issue(**other)
        town.catch_up()
        assert town.client("lan").get(f"/v1/alerts/{untold}/accounting").json()["screens"] == []
        assert town.client().get(f"/v1/alerts/{untold}/reach").json()["screens"] == []
