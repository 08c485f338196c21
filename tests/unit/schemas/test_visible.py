"""What nobody can see is in no text: who approves reads what phones and signs show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from broadcaster.cap.importer_text import text
from broadcaster.cap.model import CapInfo
from broadcaster.drafting.duplicates import similarity
from channels.sms.segments import plain
from schemas.areas import unaccented
from schemas.content import Headline, Text, visible

HEADLINE = TypeAdapter[str](Headline)
DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = DIRECTION + "\u00ad\u200b\u2060\ufeff\ufdd0\ufffe\uffff\U000e0041\U0010ffff"
"""Direction, width, tags, and what is no character."""


@pytest.mark.parametrize("unseen", UNSEEN)
def test_what_is_not_seen_is_not_kept(unseen: str) -> None:
    assert HEADLINE.validate_python(f"Không{unseen} sơ tán{unseen}") == "Không sơ tán"
    with pytest.raises(ValidationError, match="at least 1 item"):
        HEADLINE.validate_python(unseen)


def test_phones_are_told_what_the_approver_read() -> None:
    # Shown from right to left this reads "Không sơ tán"; an SMS has it from left to right.
    told = Text(headline="\u202enát ơs gnôhK\u202c", description="x").headline
    assert told == "nát ơs gnôhK"
    assert plain(told) == "nat os gnohK"


def test_what_joins_letters_stays() -> None:
    for joined in ("क\u200dष", "👩\u200d🚒", "x\u200cy"):
        assert visible(joined) == joined


@given(st.text())
def test_it_is_made_visible_once(told: str) -> None:
    once = visible(told)
    assert visible(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not set(once) & set(UNSEEN)


def test_marks_meet_their_letters_again() -> None:
    assert visible("e\u200b\u0302\u0323") == "ệ"
    assert similarity("Vỡ đê Hữu Hồng", unicodedata.normalize("NFD", "Vỡ đ\u200cê Hữu Hồng")) == 1
    assert unaccented("Phúc\u200d Xá") == "phuc xa"


def test_another_system_s_text_of_nothing_is_no_fault() -> None:
    read = text(CapInfo(headline="\u200b", event="Mưa\u202e lớn", description="\ufeff"), [])
    assert (read.headline, read.description) == ("Mưa lớn", "Mưa lớn")
