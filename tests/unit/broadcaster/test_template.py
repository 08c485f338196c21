"""Templates and sets of areas, without a log: versions, who approves, and filling the gaps."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.area_set import AreaSet
from broadcaster.rules import RefusedError, Rule
from broadcaster.template import Template
from channels.sms.segments import encoding_of, plain
from schemas.areas import Area, AreaTree
from schemas.content import Content
from schemas.events import Actor, TemplateEvent
from schemas.template import TemplateBody, TemplateField, TemplateText

ID = UUID(int=9)
AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)
BODY = TemplateBody.model_validate(
    {
        "kind": "alert",
        "category": "giao_thong",
        "severity": "Minor",
        "urgency": "Expected",
        "certainty": "Likely",
        "fields": [
            {"name": "noi", "label": "Nơi", "longest": 20},
            {"name": "gio", "label": "Giờ", "longest": 5},
        ],
        "texts": {
            "vi": {
                "headline": "Cấm {noi} từ {gio}",
                "description": "Cấm {noi}.",
                "sign_text": "Cấm {noi}",
                "sms_text": "Cam {noi}",
            },
            "ko": {"headline": "{noi} 통제", "description": "{gio}부터"},
        },
    }
)
TREE = AreaTree(
    "2020-03-01",
    [
        Area(code="01", name="Hà Nội", kind="thanh_pho", level=1),
        Area(code="001", name="Ba Đình", kind="quan", level=2, parent_code="01"),
    ],
)
LATER = AreaTree("2025-07-01", list(TREE))


def actor(account: str) -> Actor:
    return Actor(account=account, body="ubnd-tp")


def saved(*writers: str) -> Template:
    """A version by each of them, in order."""
    first, *others = writers
    event: TemplateEvent = Template.begin(
        actor(first), ID, "ubnd-tp", "Cấm đường", purpose="draft", body=BODY
    )
    template = Template.fold(None, event)
    for writer in others:
        template = Template.fold(template, template.save(actor(writer), "Cấm đường", "draft", BODY))
    return template


def approved(template: Template, by: str) -> Template:
    return Template.fold(template, template.approve(actor(by), template.latest.number))


def refused(rule: Rule, attempt: Any) -> str:
    with pytest.raises(RefusedError) as refusal:
        attempt()
    assert refusal.value.rule is rule
    return refusal.value.detail


def fill(template: Template, values: dict[str, str], areas: tuple[str, ...] = ("01",)) -> Content:
    return template.fill(values, areas=areas, expires_at=None, plain=plain)


def test_versions_are_counted_and_stay_readable() -> None:
    template = saved("lan", "minh", "lan")
    assert [each.number for each in template.versions] == [1, 2, 3]
    assert template.at(2).saved_by == "minh"
    assert (template.version, template.latest.number, template.approved) == (3, 3, None)
    for number in (0, 4, -1):
        with pytest.raises(LookupError):
            template.at(number)


def test_whoever_wrote_since_the_last_approval_may_not_approve() -> None:
    template = saved("lan", "minh")
    for writer in ("lan", "minh"):
        refused(Rule.FOUR_EYES, lambda writer=writer: approved(template, writer))
    template = approved(template, "hoa")
    assert template.approved == template.latest
    assert template.latest.approved_by == "hoa"
    # What was approved is nobody's draft any more: lan may stand behind what hoa then changes.
    template = Template.fold(template, template.save(actor("hoa"), "Cấm đường", "draft", BODY))
    assert template.approved == template.at(2)
    assert template.latest.approved_by is None
    refused(Rule.FOUR_EYES, lambda: approved(template, "hoa"))
    assert approved(template, "lan").approved == approved(template, "lan").at(3)


@given(writers=st.lists(st.sampled_from("abc"), min_size=1, max_size=6), stops=st.sets(st.integers(1, 6)))
def test_writers_are_those_since_the_last_approval(writers: list[str], stops: set[int]) -> None:
    template = saved(writers[0])
    own = {writers[0]}
    for number, writer in enumerate(writers, 1):
        if number > 1:
            template = Template.fold(template, template.save(actor(writer), "x", "draft", BODY))
            own.add(writer)
        assert template.writers(number) == own
        if number in stops:
            template = approved(template, "z")
            assert template.writers(number) == own  # the approval of a version does not wash its writers
            own = set()


def test_only_the_latest_is_approved_and_once() -> None:
    template = saved("lan", "lan")
    assert "not the latest" in refused(Rule.STATE, lambda: template.approve(actor("hoa"), 1))
    done = approved(template, "hoa")
    refused(Rule.STATE, lambda: done.approve(actor("minh"), 2))


def test_retired_it_takes_nothing_more() -> None:
    template = saved("lan")
    template = Template.fold(template, template.retire(actor("hoa")))
    refused(Rule.STATE, lambda: template.save(actor("lan"), "x", "draft", BODY))
    refused(Rule.STATE, lambda: template.approve(actor("hoa"), 1))
    refused(Rule.STATE, lambda: template.retire(actor("hoa")))
    refused(Rule.STATE, lambda: fill(template, {"noi": "x", "gio": "1h"}))


def test_gaps_are_filled_in_every_language_and_the_sms_stays_plain() -> None:
    content = fill(saved("lan"), {"noi": "phố Huế ", "gio": "18h"})
    vi, ko = content.texts["vi"], content.texts["ko"]
    assert (vi.headline, vi.description, vi.sign_text) == (
        "Cấm phố Huế từ 18h",
        "Cấm phố Huế.",
        "Cấm phố Huế",
    )
    assert vi.sms_text == "Cam pho Hue"
    assert (ko.headline, ko.description) == ("phố Huế 통제", "18h부터")
    assert content.areas == ("01",)


def test_every_fault_of_the_values_is_named_at_once() -> None:
    detail = refused(Rule.TEMPLATE, lambda: fill(saved("lan"), {"noi": "x" * 21, "gio": " ", "duong": "y"}))
    assert detail == (
        "values: noi has 21 characters, 20 is the most; gio is missing (Giờ); "
        "duong is no field of this template"
    )


def test_a_value_is_not_filled_again_and_what_became_too_long_is_named() -> None:
    assert fill(saved("lan"), {"noi": "{gio}", "gio": "1h"}).texts["vi"].description == "Cấm {gio}."
    long = BODY.texts["vi"].model_copy(update={"sign_text": "Đường " * 15 + "{noi}"})
    body = BODY.model_copy(update={"texts": {"vi": long}, "fields": BODY.fields})
    template = Template.fold(
        None, Template.begin(actor("lan"), ID, "ubnd-tp", "x", purpose="draft", body=body)
    )
    detail = refused(Rule.LIMIT, lambda: fill(template, {"noi": "x", "gio": "1h"}))
    assert detail.startswith("texts.vi.sign_text: ")
    assert refused(Rule.LIMIT, lambda: fill(saved("lan"), {"noi": "a\nb", "gio": "1h"})) == (
        "texts.vi.headline: must be a single line"
    )
    assert refused(
        Rule.TEMPLATE, lambda: fill(saved("lan"), {"noi": "a", "gio": "1"}, areas=())
    ).startswith("areas: ")


@given(value=st.text(st.characters(exclude_categories=["Cc", "Cs", "Co"]), min_size=1, max_size=20))
def test_any_value_fills_an_sms_without_marks_without_marks(value: str) -> None:
    template = saved("lan")
    try:
        content = fill(template, {"noi": value, "gio": "1h"})
    except RefusedError as refusal:
        assert refusal.rule in {Rule.TEMPLATE, Rule.LIMIT}
        return
    assert encoding_of(content.texts["vi"].sms_text or "") == "gsm7"


def test_a_template_is_whole() -> None:
    good = {"name": "noi", "label": "Nơi"}
    text = {"headline": "{noi}", "description": "x"}
    base = BODY.model_dump() | {"texts": {"vi": text}, "fields": [good]}
    assert TemplateBody.model_validate(base).fields == (TemplateField(name="noi", label="Nơi"),)
    for change, fault in (
        ({"fields": []}, "is not among the fields"),
        ({"fields": [good, good]}, "named twice"),
        ({"fields": [good, {"name": "gio", "label": "Giờ"}]}, "no text uses"),
        ({"texts": {"en": text}}, "Vietnamese"),
        ({"areas": ["01"]}, "edition"),
    ):
        with pytest.raises(ValueError, match=fault):
            TemplateBody.model_validate(base | change)
    assert TemplateText(headline="{a} {b} {A}", description="{c}").gaps == {"a", "b", "c"}


def test_a_set_of_another_edition_is_not_filled_in_until_it_is_saved_anew() -> None:
    event = AreaSet.begin(actor("lan"), ID, "ubnd-tp", "Nội thành", areas=["001"], tree=TREE)
    found = AreaSet.fold(None, event)
    assert found.filled_in(TREE) == ("001",)
    assert "out of date" in refused(Rule.TEMPLATE, lambda: found.filled_in(LATER))
    refused(Rule.UNKNOWN_AREA, lambda: found.save(actor("lan"), "x", ["00099"], LATER))
    anew = AreaSet.fold(found, found.save(actor("lan"), "Nội thành", ["01"], LATER))
    assert (anew.number, anew.filled_in(LATER)) == (2, ("01",))
    gone = AreaSet.fold(anew, anew.retire(actor("lan")))
    refused(Rule.STATE, lambda: gone.filled_in(LATER))
    refused(Rule.STATE, lambda: gone.save(actor("lan"), "x", ["01"], LATER))
