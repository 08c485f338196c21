from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.gateway import Message
from channels.sms.render import MOST_PARTS, render
from channels.sms.segments import Encoding, count, encoding_of, plain
from schemas.content import Certainty, Content, Kind, Lane, Language, MsgType, Severity, Text, Urgency

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
STORM = Text(
    headline="Bão mạnh áp sát, Hà Nội gió giật mạnh đêm nay",
    description="Từ 19h hôm nay Hà Nội có gió cấp 6-7, giật cấp 9, mưa to đến rất to",
    instruction="Không ra đường khi không cần thiết.",
)
SHORT = "Ban Chỉ huy PCTT"


def message(
    text: Text = STORM,
    msg_type: MsgType = MsgType.ALERT,
    reason: str = "",
    english: Text | None = None,
    kind: Kind = Kind.ALERT,
) -> Message:
    texts: dict[Language, Text] = {"vi": text} if english is None else {"vi": text, "en": english}
    content = Content(
        kind=kind,
        category="bao",
        severity=Severity.SEVERE,
        urgency=Urgency.EXPECTED,
        certainty=Certainty.LIKELY,
        texts=texts,
        areas=("01",),
    )
    alert_id = UUID("7f1d3c52-0d3b-4d2e-9a55-0a4b1c9d2e01")
    return Message(alert_id, 1, msg_type, Lane.ALERT, SHORT, content, AT, AT + timedelta(hours=6), reason)


def test_an_alert_is_unaccented_by_default() -> None:
    assert render(message(), "vi") == (
        "[CANH BAO] Bao manh ap sat, Ha Noi gio giat manh dem nay. Tu 19h hom nay Ha Noi co gio cap 6-7, "
        "giat cap 9, mua to den rat to. Khong ra duong khi khong can thiet. "
        "Ban Chi huy PCTT, 1022 nhanh 8"
    )


def test_accented_keeps_the_marks_within_the_same_parts() -> None:
    wordy = STORM.model_copy(update={"description": f"{STORM.description}, " * 3})
    text = render(message(wordy), "vi", accented=True)
    assert text.startswith("[CẢNH BÁO] Bão mạnh áp sát, Hà Nội gió giật mạnh đêm nay. Từ 19h")
    assert text.endswith("... Không ra đường khi không cần thiết. Ban Chỉ huy PCTT, 1022 nhánh 8")
    assert count(text).encoding is Encoding.UCS2
    assert count(text).parts == MOST_PARTS


def test_update_and_cancel_say_so() -> None:
    assert render(message(msg_type=MsgType.UPDATE), "vi").startswith("CAP NHAT: [CANH BAO] Bao manh")
    cancel = message(msg_type=MsgType.CANCEL, reason="Bão đã tan")
    assert render(cancel, "vi") == (
        "HUY: [CANH BAO] Bao manh ap sat, Ha Noi gio giat manh dem nay. Ly do: Bao da tan. "
        "Ban Chi huy PCTT, 1022 nhanh 8"
    )
    assert "HỦY: [CẢNH BÁO]" in render(cancel, "vi", accented=True)
    assert "Lý do: Bão đã tan." in render(cancel, "vi", accented=True)


def test_the_authors_own_text_comes_first() -> None:
    own = STORM.model_copy(update={"sms_text": "Bão số 3: ở trong nhà.\nGọi 112."})
    assert render(message(own), "vi") == "Bao so 3: o trong nha.\nGoi 112."
    assert render(message(own, MsgType.UPDATE), "vi") == "CAP NHAT: Bao so 3: o trong nha.\nGoi 112."
    assert render(message(own), "vi", accented=True) == "Bão số 3: ở trong nhà.\nGọi 112."
    # A withdrawal is not the warning's words again.
    assert "o trong nha" not in render(message(own, MsgType.CANCEL, "Nhầm"), "vi")


def test_the_authors_own_text_loses_marks_before_words() -> None:
    own = STORM.model_copy(update={"sms_text": "Nước dâng nhanh " * 25})
    assert render(message(own), "vi", accented=True) == plain("Nước dâng nhanh " * 25)


def test_english_readers_get_english_where_it_was_written() -> None:
    english = Text(headline="Strong storm", description="Stay inside.")
    both = message(english=english)
    assert render(both, "en-GB") == "[WARNING] Strong storm. Stay inside. Ban Chi huy PCTT, 1022 ext. 8"
    assert render(both, "vi-VN").startswith("[CANH BAO]")
    assert render(both, "ko").startswith("[CANH BAO]")
    only_vietnamese = render(message(msg_type=MsgType.CANCEL, reason="Nhầm"), "en")
    assert only_vietnamese.startswith("CANCELLED: [WARNING] Bao manh")
    assert "Reason: Nham." in only_vietnamese


def test_a_bulletin_is_no_warning() -> None:
    assert render(message(kind=Kind.BULLETIN), "vi").startswith("[THONG TIN] ")


def test_news_gives_way_to_what_to_do() -> None:
    long = STORM.model_copy(
        update={"description": "Mưa rất to, " * 100, "instruction": "Lên chỗ cao! " * 10}
    )
    text = render(message(long), "vi")
    assert count(text).parts == MOST_PARTS
    assert count(text).units > 440
    assert "Mua rat to, Mua rat... Len cho cao!" in text
    assert text.endswith("Len cho cao! Len cho cao! Ban Chi huy PCTT, 1022 nhanh 8")


def test_nothing_but_advice_still_ends_with_who_speaks() -> None:
    long = STORM.model_copy(update={"description": "Mưa. " * 100, "instruction": "Lên chỗ cao " * 80})
    text = render(message(long), "vi")
    assert "Mua." not in text
    assert text.endswith("Len cho cao Len... Ban Chi huy PCTT, 1022 nhanh 8")


def _repeated(text: str, times: int) -> str:
    return text * times


words = st.text("aàăắđeếoờ uư [€]🌊.,", min_size=1, max_size=100)
long = st.builds(_repeated, words, st.integers(1, 50))


@st.composite
def written(draw: st.DrawFn) -> Text:
    """As long as the schema allows; not always as clean."""
    return Text.model_construct(
        headline=draw(words),
        description=draw(long)[:2000],
        instruction=draw(st.none() | long),
        sign_text=None,
        sms_text=draw(st.none() | long.map(lambda text: text[:459])),
    )


@given(text=written(), msg_type=st.sampled_from(MsgType), accented=st.booleans())
@settings(deadline=None)
def test_any_alert_fits_its_parts_and_says_something(text: Text, msg_type: MsgType, accented: bool) -> None:
    alert = message(msg_type=msg_type, reason="Nước đã rút")
    alert = replace(alert, content=alert.content.model_copy(update={"texts": {"vi": text}}))
    said = render(alert, "vi", accented)
    assert count(said).parts <= MOST_PARTS
    assert accented or encoding_of(said) is Encoding.GSM7
    assert said or not plain(text.sms_text or "x")


@pytest.mark.parametrize("length", [229, 459])
def test_a_word_without_end_is_cut_rather_than_lost(length: int) -> None:
    own = STORM.model_copy(update={"sms_text": "€" * length})
    # Two septets each, and 153 is odd: 76 a part.
    assert render(message(own), "vi") == "€" * 228


def test_another_language_is_found_and_keeps_its_script() -> None:
    one = message(english=Text(headline="Strong storm", description="Stay inside."))
    korean = Text(headline="강한 태풍", description="실내에 머무세요.")
    both = replace(
        one, content=one.content.model_copy(update={"texts": one.content.texts | {"ko": korean}})
    )
    for locale in ("ko", "ko-KR"):
        said = render(both, locale)
        assert said.startswith("[WARNING] 강한 태풍. 실내에 머무세요.")
        assert "?" not in said
        assert count(said).parts <= MOST_PARTS
    assert render(both, "zh-TW") == render(both, "vi")
    long = both.content.model_copy(
        update={
            "texts": both.content.texts
            | {"ko": korean.model_copy(update={"description": ("강풍 " * 200).strip()})}
        }
    )
    assert count(render(replace(both, content=long), "ko")).parts == MOST_PARTS


def test_the_contact_of_the_alert_comes_before_the_hotline() -> None:
    one = message()
    told = replace(one, content=one.content.model_copy(update={"contact": "024 3825 3536"}))
    assert render(told, "vi").endswith(", 024 3825 3536")
    assert render(one, "vi").endswith(", 1022 nhanh 8")
