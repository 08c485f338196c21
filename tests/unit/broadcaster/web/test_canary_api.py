"""The canary as monitors see it."""

from datetime import timedelta

from schemas.content import Channel, Lane
from schemas.events import CanarySent
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
