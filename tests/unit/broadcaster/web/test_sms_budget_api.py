"""A body's SMS budget over HTTP, and what the network said of an alert's SMS."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from broadcaster.account import Role
from broadcaster.keys.rows import KeyKind
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Fate, Outcome, Receipt
from schemas.events import Actor, ReceiptRecorded, SmsBudgetSet, SmsDelivered
from schemas.ids import audience_id, dispatch_id
from tests.unit.broadcaster.web.town import CITY, PHUC_XA, SYSTEM, Client, Town

PATH = f"/v1/bodies/{PHUC_XA}/sms-budget"
BOUNDS = {"segments": 200, "vnd": 70_000}
NOTHING = {"segments": 0, "vnd": 0}
WORKER = Actor(account="system:worker:sms")


@pytest.fixture
def mayor(town: Town) -> Client:
    """A manager of the city."""
    key_id, town.keys["mayor"] = town.key_store.create("mayor", CITY, KeyKind.STAFF, town.now)
    town.setup.grant(SYSTEM, "mayor", CITY, Role.MANAGER, at=town.now, key_id=key_id)
    return town.client("mayor")


def record(town: Town, alert: UUID) -> None:
    """What a worker says of ten phones, and the network of nine."""
    dispatch = Dispatch(
        id=dispatch_id(alert, 1, Channel.SMS, 0, 1),
        alert_id=alert,
        version=1,
        channel=Channel.SMS,
        lane=Lane.ALERT,
        audience_id=audience_id(alert, 1, Channel.SMS),
        first=0,
        last=10,
        expires_at=town.now,
    )
    receipt = Receipt(
        dispatch=dispatch, counts={Outcome.ACCEPTED: 10}, provider="viettel", segments=30, cost=9300
    )
    said: dict[str, Any] = {"originator_version": 1, "by": WORKER}
    counts = {Fate.DELIVERED: 8, Fate.FAILED: 1}
    town.log.append(
        [
            ReceiptRecorded(**said, originator_id=dispatch.id, receipt=receipt),
            SmsDelivered(
                **said, originator_id=uuid4(), alert_id=alert, version=1, provider="viettel", counts=counts
            ),
        ],
        at=town.now,
    )


def test_from_none_to_what_is_used_today(town: Town, mayor: Client) -> None:
    auditor = town.client("kiem")
    none = auditor.get(PATH).json()
    assert none == {
        "issuer_id": PHUC_XA,
        "segments": None,
        "vnd": None,
        "day": "2024-07-10",
        "spent": NOTHING,
        "used": NOTHING,
    }
    told = mayor("PUT", PATH, BOUNDS)
    assert (told.status_code, told.json()) == (200, none | BOUNDS)
    alert = town.issue()
    record(town, UUID(alert))
    town.catch_up()
    took = {"segments": 30, "vnd": 9300}
    assert auditor.get(PATH).json() == none | BOUNDS | {"spent": took, "used": took}
    town.later(days=1)
    assert auditor.get(PATH).json()["spent"] == NOTHING
    lifted = mayor("PUT", PATH, {"segments": None, "vnd": None}).json()
    assert (lifted["segments"], lifted["vnd"]) == (None, None)


@pytest.mark.parametrize(
    ("account", "status", "rule"), [("hoa", 403, "body.not-yours"), ("city-author", 403, "role.missing")]
)
def test_only_the_citys_manager_sets_it(town: Town, account: str, status: int, rule: str) -> None:
    answer = town.client(account)("PUT", PATH, BOUNDS)
    assert (answer.status_code, answer.json()["rule"]) == (status, rule)
    assert [(one.command, one.rule) for one in town.refusals()] == [("set sms budget", rule)]


@pytest.mark.parametrize(
    ("body", "field"),
    [({"segments": -1, "vnd": None}, "segments"), ({"segments": 1}, "vnd"), (BOUNDS | {"x": 1}, "x")],
)
def test_what_is_out_of_shape_names_its_field(
    town: Town, mayor: Client, body: dict[str, Any], field: str
) -> None:
    answer = mayor("PUT", PATH, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert town.refusals() == []


def test_who_may_not_know_and_what_is_not_there(town: Town, mayor: Client) -> None:
    assert town.client().get(PATH).status_code == 401
    assert town.client()("PUT", PATH, BOUNDS).status_code == 401
    assert mayor.get("/v1/bodies/nobody/sms-budget").status_code == 404
    assert mayor("PUT", "/v1/bodies/nobody/sms-budget", BOUNDS).status_code == 404


def test_a_repeat_sets_it_once(town: Town, mayor: Client) -> None:
    first = mayor("PUT", PATH, BOUNDS, headers={"Idempotency-Key": "b"})
    again = mayor("PUT", PATH, BOUNDS, headers={"Idempotency-Key": "b"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert sum(isinstance(one.event, SmsBudgetSet) for one in town.log.everything()) == 1


def test_the_reach_of_an_alert_names_carriers_and_the_networks_word(town: Town) -> None:
    alert = town.issue()
    record(town, UUID(alert))
    town.catch_up()
    assert town.client().get(f"/v1/alerts/{alert}/reach").json()["sms"] == [
        {
            "version": 1,
            "provider": "viettel",
            "accepted": 10,
            "delivered": 8,
            "failed": 1,
            "expired": 0,
        }
    ]
