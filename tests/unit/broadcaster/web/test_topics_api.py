"""What went by topic is told as such, over HTTP and on the alert's page: never as if each had answered."""

import csv
import io
from base64 import b64encode
from hashlib import sha256
from uuid import UUID

from pyroaring import BitMap64

from projections.fanout import plan
from projections.fanout.topics import Carried, parted
from schemas.content import Channel, Lane
from schemas.dispatch import Outcome, Receipt
from schemas.events import AudienceFrozen, HomeGroup, ReceiptRecorded
from schemas.ids import audience_id
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import SYSTEM, Town

OUTCOMES = ("accepted", "by_topic", "gone", "refused", "superseded", "expired", "dead", "in_flight")


def deliver(town: Town, alert_id: str) -> None:
    """Of nine, five are in a topic that was taken, two in one that ran out, and two have their token."""
    alert, everyone = UUID(alert_id), BitMap64(range(9)).serialize()
    homes = {"00001": BitMap64(range(6)), "00004": BitMap64(range(6, 9))}
    whole = AudienceFrozen(
        originator_id=audience_id(alert, 1, Channel.PUSH),
        originator_version=1,
        by=SYSTEM,
        alert_id=alert,
        version=1,
        channel=Channel.PUSH,
        lane=Lane.EMERGENCY,
        count=9,
        sha256=sha256(everyone).hexdigest(),
        bitmap=b64encode(everyone).decode(),
        by_area={area: len(ids) for area, ids in homes.items()},
        slice_size=500,
        expires_at=town.now.replace(hour=12),
        groups=tuple(
            HomeGroup(area=area, bitmap=b64encode(ids.serialize()).decode()) for area, ids in homes.items()
        ),
    )
    carried = [
        Carried("hn-00001-vi", "vi", BitMap64(range(5)), "00001"),
        Carried("hn-00004-vi", "vi", BitMap64((6, 7)), "00004"),
    ]
    parts = parted(whole, carried)
    town.log.append(parts, at=town.now)
    for order in (order for part in parts for order in plan.slices(part)):
        late = order.topic is not None and order.topic.name == "hn-00004-vi"
        outcome = Outcome.EXPIRED if late else Outcome.ACCEPTED
        counts = {outcome: order.size}
        areas = {area: {outcome: 1} for area in order.homes().values()}
        receipt = Receipt(dispatch=order, counts=counts, by_area=areas, provider="fcm")
        ended = ReceiptRecorded(originator_id=order.id, originator_version=1, by=SYSTEM, receipt=receipt)
        town.log.append([ended], at=town.now)
    town.follow()


def test_the_account_tells_topics_apart(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    client = town.client("tuan")
    told = client.get(f"/v1/alerts/{alert_id}/accounting").json()
    (push,) = (one["totals"] for one in told["channels"])
    assert [push[name] for name in ("audience", *OUTCOMES)] == [9, 2, 5, 0, 0, 0, 2, 0, 0]
    assert (push["topics"], push["topics_accepted"]) == (2, 1)
    for name in ("audience", *OUTCOMES):
        assert sum(area[name] for area in told["areas"]) == push[name], name
    table = client.get(f"/v1/alerts/{alert_id}/accounting.csv").content.decode("utf-8-sig")
    total, *areas = csv.DictReader(io.StringIO(table))
    assert (total["by_topic"], total["topics"], total["topics_accepted"]) == ("5", "2", "1")
    assert [area["by_topic"] for area in areas] == ["5", "0"]
    (audience,) = client.get(f"/v1/alerts/{alert_id}/audience").json()["audiences"]
    assert audience["count"] == 9


def test_the_page_says_that_it_is_not_known_per_person(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    page = Browser(town).sign_in("lan").go(f"/console/alerts/{alert_id}/live")
    page.sees("gửi theo chủ đề, không rõ từng người", "chủ đề đã nhận, trên 2")
    assert 'data-n="push-1/topic">5<' in page.answer.text
    assert 'data-n="push-1/topics">1<' in page.answer.text
    assert 'class="topic"' in page.answer.text
