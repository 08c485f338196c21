"""Our messages hold to the schema and to the rules, and are the same bytes at every rendering."""

from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from broadcaster import reference
from broadcaster.alert import Alert
from broadcaster.alert_state import reference as cap_reference
from broadcaster.cap import importer, rules
from broadcaster.cap.importer import Choices
from broadcaster.cap.parse import parse
from schemas.content import Attachment, Certainty, Content, Kind, Mode, Severity, Text, Urgency, visible
from schemas.events import AlertIssued
from tests.unit.broadcaster.cap.told import (
    AT,
    CONTENT,
    EDITION,
    LAN,
    SENDER,
    history,
    rendered,
    schema,
    sent_out,
)

CODES = tuple(area.code for area in reference.areas(EDITION))
LETTERS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Co"]) | st.sampled_from("ằẫộ<&>\"']]"), min_size=1
)


def cleaned(most: int) -> st.SearchStrategy[str]:
    return LETTERS.map(lambda text: text.strip()[:most].strip()).filter(visible)


TEXTS = st.builds(Text, headline=cleaned(50), description=cleaned(80), instruction=st.none() | cleaned(80))
CONTENTS = st.builds(
    Content,
    kind=st.sampled_from(Kind),
    category=st.sampled_from(sorted(reference.categories())),
    severity=st.sampled_from(Severity),
    urgency=st.sampled_from(Urgency),
    certainty=st.sampled_from(Certainty),
    risk_level=st.none() | st.integers(1, 5),
    texts=st.fixed_dictionaries({"vi": TEXTS}, optional={"en": TEXTS}),
    areas=st.lists(st.sampled_from(CODES), min_size=1, max_size=4, unique=True).map(tuple),
)
GAPS = st.lists(st.timedeltas(timedelta(0), timedelta(hours=8)), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    contents=st.lists(CONTENTS, min_size=1, max_size=3),
    gaps=GAPS,
    reason=st.none() | cleaned(200),
    in_error=st.booleans(),
    mode=st.sampled_from(Mode),
)
def test_any_history_holds_to_the_schema_and_the_rules(
    contents: list[Content], gaps: list[timedelta], reason: str | None, *, in_error: bool, mode: Mode
) -> None:
    oasis = schema()
    contents = [content.model_copy(update={"mode": mode}) for content in contents]
    told = history(contents, gaps, reason, in_error=in_error)
    before: list[str] = []
    for event, data in zip(told, rendered(told), strict=True):
        oasis.assertValid(etree.fromstring(data))
        message = parse(data)
        assert rules.breaches(message) == ()
        times = {finding.rule for finding in rules.warnings(message)}
        assert not times & {"W-no-expires", "W-expires<=sent", "W-headline", "W-no-contact"}
        assert (message.references or "").split() == before
        before.append(cap_reference(event.sender, event.identifier, event.sent))
        assert before[-1] == f"{message.sender},{message.identifier},{message.sent}"
        assert message.infos[0].language == "vi-VN"
    assert rendered(told) == rendered(told)


def test_the_bytes_are_those_of_the_first_day() -> None:
    told = history([CONTENT, CONTENT], [timedelta(minutes=5)], "Nước đã rút.", in_error=False)
    digests = [sha256(data).hexdigest()[:16] for data in rendered(told)]
    assert digests == GOLDEN, "bytes of CAP messages never change; mend render.py or terms.py"


GOLDEN = ["c3cf67234296fa97", "d67bd621676d4279", "ca44bcf4e7002977"]


def test_what_a_message_says() -> None:
    alert, update, cancel = map(
        parse, rendered(history([CONTENT, CONTENT], [timedelta(minutes=5)], "Nước rút.", in_error=True))
    )
    assert (alert.sent, alert.status, alert.msg_type, alert.scope) == (
        "2024-07-10T09:00:00+07:00",
        "Actual",
        "Alert",
        "Public",
    )
    vi, en = alert.infos
    assert (vi.language, vi.event, en.language, en.event) == (
        "vi-VN",
        "Ngập úng đô thị",
        "en-US",
        "Urban flooding",
    )
    assert vi.headline == "Ngập sâu < 1 m & chảy xiết"
    assert vi.parameters == (("VN-DISASTER-RISK-LEVEL", "2"),)
    assert vi.expires == "2024-07-10T15:00:01+07:00"  # the fraction of a second is rounded up
    assert [area.geocodes for area in vi.areas] == [
        ((f"VN-ADMIN-{EDITION}", "00001"),),
        ((f"VN-ADMIN-{EDITION}", "001"),),
    ]
    assert vi.areas[0].desc == "Phường Phúc Xá, Quận Ba Đình, Thành phố Hà Nội"
    assert (vi.response_types, en.response_types) == (("Prepare",), ("Prepare",))
    assert update.msg_type == "Update"
    assert cancel.msg_type == "Cancel"
    assert len((cancel.references or "").split()) == 2
    assert cancel.note == cancel.infos[0].description == "Nước rút."
    assert (cancel.infos[0].headline or "").startswith("Hủy: Ngập sâu")
    assert (cancel.infos[0].instruction, cancel.infos[0].response_types) == (None, ("None",))


@pytest.mark.parametrize("late", [timedelta(hours=5), timedelta(hours=9)])
def test_a_withdrawal_ends_after_it_was_sent_however_late(late: timedelta) -> None:
    cancel = parse(rendered(history([CONTENT], [late], "Hết", in_error=False))[-1])
    assert "W-expires<=sent" not in {finding.rule for finding in rules.check(cancel)}
    assert cancel.infos[0].response_types == ("AllClear",)


def test_ten_thousand_alerts_in_one_second_have_as_many_identifiers() -> None:
    events: list[AlertIssued] = []
    for _ in range(10_000):
        alert = Alert.fold(None, Alert.draft(uuid4(), LAN, "ubnd-00001", CONTENT))
        events.append(sent_out(alert, AT, timedelta(hours=1))[1])
    assert len({event.sent for event in events}) == 1
    assert len({event.identifier for event in events}) == 10_000


def test_what_xml_cannot_hold_is_left_out() -> None:
    content = CONTENT.model_copy(update={"texts": {"vi": Text(headline="a\ufffeb", description="c\uffff")}})
    message = parse(rendered(history([content], [timedelta(0)], None, in_error=False))[0])
    assert (message.infos[0].headline, message.infos[0].description) == ("ab", "c")


def test_further_languages_contact_and_web_are_told() -> None:
    korean = Text(headline="깊은 침수", description="물이 차오릅니다.")
    content = CONTENT.model_copy(
        update={
            "texts": {"ko": korean, "zh-TW": korean, **CONTENT.texts},
            "contact": "024 3825 3536",
            "web": "https://hanoi.gov.vn/ngap",
        }
    )
    told = history([content], [timedelta(minutes=5)], "Nước rút.", in_error=False)
    alert, cancel = map(parse, rendered(told))
    assert [info.language for info in alert.infos] == ["vi-VN", "en-US", "ko", "zh-TW"]
    assert [info.language for info in cancel.infos] == ["vi-VN", "en-US", "ko", "zh-TW"]
    assert alert.infos[2].event == "Urban flooding"
    assert (cancel.infos[2].headline or "").startswith("Cancelled: 깊은")
    assert {(info.contact, info.web) for info in alert.infos} == {
        ("024 3825 3536", "https://hanoi.gov.vn/ngap")
    }
    assert rules.breaches(alert) == rules.breaches(cancel) == ()
    for data in rendered(told):
        schema().assertValid(etree.fromstring(data))


def test_a_file_is_a_resource_with_cap_s_own_digest() -> None:
    file = Attachment(sha256="ab" * 32, description="Bản đồ ngập", media_type="image/png", size=1234)
    content = CONTENT.model_copy(update={"attachments": (file,)})
    alert, cancel = rendered(history([content], [timedelta(minutes=5)], "Hết", in_error=False))
    for data in (alert, cancel):
        schema().assertValid(etree.fromstring(data))
        for info in parse(data).infos:
            (resource,) = info.resources
            assert (resource.desc, resource.mime_type) == ("Bản đồ ngập", "image/png")
            assert resource.uri == "https://canhbao.test/attachments/" + "ab" * 32
    # CAP 1.2 section 3.2.3: SHA-1.
    assert b"<size>1234</size>" in alert
    assert b"<digest>" + b"ab" * 20 + b"</digest>" in alert
    assert rules.breaches(parse(alert)) == ()


def test_our_own_message_comes_back_as_it_was() -> None:
    data = rendered(history([CONTENT], [timedelta(0)], None, in_error=False))[0]
    back = importer.to_content(
        parse(data), Choices(), tree=reference.tree(EDITION), categories=reference.categories(), at=AT
    )
    assert back.content.expires_at is not None
    assert back.content.model_copy(update={"expires_at": None}) == CONTENT
    assert [finding for finding in back.findings if finding.is_breach] == []
    assert parse(data).sender == SENDER


def test_the_incident_is_named_in_every_message() -> None:
    told = CONTENT.model_copy(update={"incident": "bao-so-3/2024"})
    alert, cancel = map(parse, rendered(history([told], [timedelta(hours=1)], "Hết", in_error=False)))
    assert alert.incidents == cancel.incidents == "bao-so-3/2024"
    plain = parse(rendered(history([CONTENT], [timedelta(hours=1)], None, in_error=False))[0])
    assert plain.incidents is None
