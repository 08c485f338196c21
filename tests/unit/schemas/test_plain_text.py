"""Text for signs that know ASCII only."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plain_text import unaccented_text

FLOOD = "CẢNH BÁO: Mưa lớn, ngập sâu tại phường Phúc Xá"

VIETNAMESE = "aàảãáạăằẳẵắặâầẩẫấậđeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵ"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (FLOOD, "CANH BAO: Mua lon, ngap sau tai phuong Phuc Xa"),
        ("Đường Đê La Thành đóng", "Duong De La Thanh dong"),
        ("35°C \N{EN DASH} nắng “gay gắt” ½ ngày…", '35C - nang "gay gat" 1/2 ngay...'),
        (unicodedata.normalize("NFD", "Ngập sâu"), "Ngap sau"),
        ("Sơ tán 🌊 ngay", "So tan ngay"),
    ],
)
def test_accents_go_and_case_stays(text: str, plain: str) -> None:
    assert unaccented_text(text) == plain


def test_every_vietnamese_letter_has_a_plain_one() -> None:
    plain = unaccented_text(VIETNAMESE)
    assert len(plain) == len(VIETNAMESE)
    assert set(plain) == set("adeiouy")
    assert unaccented_text(VIETNAMESE.upper()) == plain.upper()


@given(st.text())
def test_plain_text_is_ascii(text: str) -> None:
    assert unaccented_text(text).isascii()
