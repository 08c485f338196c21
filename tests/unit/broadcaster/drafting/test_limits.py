"""The limits that are asked at submit: each broken one names its field and what to do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import reference
from broadcaster.alert import Alert
from broadcaster.commands.packaged_templates import packaged_templates
from broadcaster.drafting.limits import Limits
from broadcaster.rules import RefusedError, Rule
from broadcaster.template import Template
from channels.gateway import Message
from channels.sms.render import render
from channels.sms.segments import count, encoding_of, plain
from schemas.content import Channel, Content, Kind, MsgType, Text
from schemas.events import Actor, AlertIssued
from tests.unit.schemas.examples import CONTENT, examples

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
BY = Actor(account="lan", body="ubnd-00001")
PLAIN = Text(headline="Ngập sâu tại Phúc Xá", description="Nước lên nhanh, đừng lội qua.")


def content(text: Text = PLAIN, **changes: Any) -> Content:
    kept = {"texts": {"vi": text}, "expires_at": AT + timedelta(hours=6)}
    return CONTENT.model_copy(update=kept | changes)


def broken(said: Content, limits: Limits | None = None, *, at: datetime = AT) -> list[tuple[Rule, str]]:
    alert = Alert.fold(None, Alert.draft(UUID(int=1), BY, "ubnd-00001", said))
    category = reference.categories()[said.category]
    found = (limits or Limits()).broken(alert, category, "UBND phường Phúc Xá", at)
    return [(refusal.rule, refusal.detail) for refusal in found]


def words(**changes: Any) -> Content:
    return content(PLAIN.model_copy(update=changes))


@pytest.mark.parametrize("sample", reference.sample_alerts(), ids=lambda sample: sample.id)
def test_every_sample_holds_to_them(sample: reference.SampleAlert) -> None:
    assert broken(sample.content()) == []


@pytest.mark.parametrize("packaged", packaged_templates(), ids=lambda each: each.slug)
def test_every_packaged_template_filled_with_its_examples_holds_to_them(packaged: Any) -> None:
    event = Template.begin(BY, UUID(int=2), "ubnd-tp", "x", purpose=packaged.purpose, body=packaged.body)
    values = {each.name: each.example for each in packaged.body.fields}
    filled = Template.fold(None, event).fill(values, areas=("01",), expires_at=None, plain=plain)
    assert broken(filled) == []
    assert set(filled.texts) == {"vi", "en"}
    category = reference.categories()[filled.category]
    assert (filled.risk_level is not None) == (category.natural_hazard and filled.kind is Kind.ALERT)
    assert timedelta(hours=packaged.body.lifetime_hours) <= category.longest
    sms = filled.texts["vi"].sms_text
    assert sms is None or encoding_of(sms) == "gsm7"


def test_an_sms_with_marks_is_told_what_they_cost() -> None:
    ((rule, detail),) = broken(words(sms_text="Ngập sâu → đừng qua. " * 12))
    assert rule is Rule.LIMIT
    assert detail == (
        "texts.vi.sms_text: takes 4 segments of UCS-2, 3 is the most; these characters force UCS-2: "
        "ậ â → đ ừ"
    )
    assert broken(words(sms_text="Ngap sau - dung qua. " * 12)) == []


def test_an_sms_without_marks_has_459_characters_with_what_stands_before_it() -> None:
    assert broken(words(sms_text="a" * 459)) == []
    assert broken(words(sms_text="[" * 230))[0][1].startswith(
        "texts.vi.sms_text: takes 4 segments of GSM-7"
    )
    issued = next(event for event in examples() if isinstance(event, AlertIssued))
    # The update has "CAP NHAT: " before it.
    alert = Alert.fold(None, Alert.draft(issued.originator_id, BY, "ubnd-00001", words(sms_text="a" * 450)))
    live = Alert.fold(alert, issued.model_copy(update={"originator_version": 2}))
    proposed = Alert.fold(live, live.propose_update(BY, words(sms_text="a" * 450)))
    category = reference.categories()["ngap_ung"]
    details = [refusal.detail for refusal in Limits().broken(proposed, category, "UBND", AT)]
    assert details == ["texts.vi.sms_text: takes 4 segments of GSM-7, 3 is the most"]


def test_a_smaller_limit_measures_what_is_derived_too() -> None:
    said = words(description="Nước lên nhanh. " * 20)
    assert broken(said) == []
    ((_, detail),) = broken(said, Limits(sms_parts=1))
    assert detail.startswith("texts.vi.sms_text: what is derived")
    assert broken(said.model_copy(update={"channels": (Channel.PUSH,)}), Limits(sms_parts=1)) == []


def test_another_language_is_measured_in_its_own_script() -> None:
    korean = Text(headline="깊은 침수", description="물이 차오릅니다.", sms_text="침수 " * 80)
    ((_, detail),) = broken(content(texts={"vi": PLAIN, "ko": korean}))
    assert detail.startswith("texts.ko.sms_text: takes 4 segments of UCS-2")
    assert detail.endswith("force UCS-2: 침 수")


@given(text=st.text(st.sampled_from("abcăê{[ "), min_size=1, max_size=459))
def test_an_sms_that_passes_is_sent_whole(text: str) -> None:
    said = words(sms_text=text)
    message = Message(
        UUID(int=1),
        1,
        MsgType.ALERT,
        said.lane,
        "UBND",
        said,
        AT,
        AT,
    )
    sent = render(message, "vi", accented=True)
    if any("sms_text" in detail for _, detail in broken(said)):
        assert count(text).parts > 3
    else:
        assert sent == text


def test_the_parts_say_different_things_in_plain_text() -> None:
    assert broken(words(description="NGẬP SÂU tại  phúc xá"))[0][1].startswith("texts.vi.description: says")
    assert broken(words(instruction=PLAIN.headline))[0][1].startswith("texts.vi.instruction: says")
    for field, text, place in (
        ("description", "Nước <b>lên</b>", 6),
        ("headline", "Mưa &amp; gió", 5),
        ("instruction", "Gọi <a href='x'>114", 5),
    ):
        detail = broken(words(**{field: text}))[0][1]
        assert detail.startswith(f"texts.vi.{field}: an HTML tag or entity at character {place}")
    assert broken(words(description="Mưa < 50 mm & gió > cấp 6; R&D")) == []


def test_a_lifetime_within_what_the_category_allows() -> None:
    # ngap_ung usually stands 6 hours, so 24 at most.
    day = timedelta(hours=24)
    assert broken(content(expires_at=AT + day)) == []
    ((rule, detail),) = broken(content(expires_at=AT + day + timedelta(seconds=1)))
    assert (rule, detail.endswith("is more than 24 hours from now, the most for ngap_ung")) == (
        Rule.EXPIRY,
        True,
    )
    assert broken(content(expires_at=AT))[0][0] is Rule.EXPIRY
    assert broken(content(expires_at=None)) == []
    longest = {category.longest for category in reference.categories().values()}
    assert max(longest) <= timedelta(days=30)


def test_the_first_broken_limit_refuses() -> None:
    alert = Alert.fold(None, Alert.draft(UUID(int=1), BY, "ubnd-00001", words(description="<b>")))
    with pytest.raises(RefusedError, match=r"texts\.vi\.description"):
        Limits().check(alert, reference.categories()["ngap_ung"], "UBND", AT)
