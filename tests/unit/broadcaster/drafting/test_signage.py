"""What screens cannot show whole is refused before anyone approves it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.drafting.signage import check_sign
from broadcaster.rules import RefusedError, Rule
from channels.led.layout import MAX_PAGES, lay_out
from schemas.content import Channel, Content, Text
from schemas.displays import DISPLAYS
from tests.unit.schemas.examples import CONTENT

LONG = ("Nghiêng " * 8).strip()


def saying(**parts: str) -> Content:
    words = {"headline": "Ngập", "description": "Nước lên."} | parts
    return CONTENT.model_copy(update={"texts": {"vi": Text.model_validate(words)}})


@pytest.mark.parametrize("field", ["sign_text", "headline"])
def test_too_long_for_the_smallest_screen(field: str) -> None:
    with pytest.raises(RefusedError, match="96x32") as refusal:
        check_sign(saying(**{field: LONG}))
    assert refusal.value.rule is Rule.SIGN
    assert refusal.value.detail.startswith("texts.vi.sign_text: ")
    assert ("the headline" in refusal.value.detail) == (field == "headline")
    # Where no screen is asked, none need show it.
    check_sign(saying(**{field: LONG}).model_copy(update={"channels": (Channel.PUSH,)}))
    check_sign(None)


def test_what_no_sign_has_a_letter_for_is_named() -> None:
    with pytest.raises(RefusedError, match="signs cannot show 😀 中"):
        check_sign(saying(sign_text="Ngập 😀 中 😀"))


@given(text=st.text(st.sampled_from("Ngập sâu tại Phúc Xá, tránh đi"), min_size=1, max_size=70))
def test_what_passes_is_shown_whole_on_every_screen(text: str) -> None:
    said = " ".join(text.split())
    if not said:
        return
    try:
        check_sign(saying(sign_text=said))
    except RefusedError:
        return
    for display in DISPLAYS.values():
        layout = lay_out(said, display)
        assert layout.missing or len(layout.pages) <= MAX_PAGES
