"""The canary as monitors see it."""

from datetime import timedelta

from projections.fanout import plan
from schemas.content import Channel, Lane
from schemas.dispatch import Outcome, Receipt
from schemas.events import CanarySent, ReceiptRecorded
from schemas.ids import canary_stream
from tests.unit.broadcaster.web.town import SYSTEM, Town


def test_a_late_probe_is_seen(town: Town) -> None:
    client = town.client("tuan")
    assert client.get("/v1/canary").json() == {"status": "off", "probes": []}
    sent = CanarySent(
        originator_id=canary_stream(Lane.EMERGENCY),
        originator_version=1,
        by=SYSTEM,
        lane=Lane.EMERGENCY,
        channels=(Channel.PUSH,),
        expires_at=town.now + timedelta(minutes=5),
    )
    town.log.append([sent], at=town.now)
    town.follow()
    assert client.get("/v1/canary").json()["status"] == "ok"
    gauge = 'broadcaster_canary_late{channel="push",lane="emergency"}'
    assert f"{gauge} 0.0" in town.client().get("/metrics").text
    town.later(seconds=11)
    told = client.get("/v1/canary").json()
    assert (told["status"], told["probes"][0]["state"], told["probes"][0]["late_after"]) == (
        "alarm",
        "late",
        10,
    )
    assert f"{gauge} 1.0" in town.client().get("/metrics").text
    assert town.client().get("/v1/canary").status_code == 401


def test_where_none_is_sent_any_more_the_last_one_tells_of_no_peace(town: Town) -> None:
    sent = CanarySent(
        originator_id=canary_stream(Lane.EMERGENCY),
        originator_version=1,
        by=SYSTEM,
        lane=Lane.EMERGENCY,
        channels=(Channel.PUSH,),
        expires_at=town.now + timedelta(minutes=5),
    )
    (order,) = plan.probes(sent)
    arrived = ReceiptRecorded(
        originator_id=order.id,
        originator_version=1,
        by=SYSTEM,
        receipt=Receipt(dispatch=order, counts={Outcome.ACCEPTED: 1}),
    )
    town.log.append([sent, arrived], at=town.now)
    town.follow()
    client, gauge = town.client("tuan"), 'broadcaster_canary_late{channel="push",lane="emergency"}'
    for minutes, status, late in ((9, "ok", "0.0"), (2, "alarm", "1.0")):
        town.later(minutes=minutes)
        told = client.get("/v1/canary").json()
        assert (told["status"], told["probes"][0]["state"]) == (status, "ok")
        metrics = town.client().get("/metrics").text
        assert f"{gauge} {late}" in metrics
        assert f'broadcaster_trouble{{kind="canary"}} {late}' in metrics
