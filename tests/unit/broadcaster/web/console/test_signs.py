"""Signs in the previews: the frames that screens get, for who is signed in."""

import io
from html import unescape
from typing import Any

import pytest
from lxml import html
from PIL import Image

from channels.led.layout import lay_out
from channels.led.preview import preview
from schemas.content import Mode, Severity
from schemas.displays import DISPLAYS
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import Town


def test_the_preview_shows_the_very_frames(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    lan.press("Xem trước", headline="Ngập sâu & nguy hiểm", severity="Severe", mode="exercise")
    pictures: Any = html.fromstring(lan.answer.text).xpath("//img[@class='sign']")
    assert len(pictures) == 4
    assert "ngập sâu" in unescape(pictures[0].get("alt")).lower()
    drawn = lan.go(pictures[0].get("src")).answer
    assert drawn.headers["content-type"] == "image/png"
    text = "Ngập sâu & nguy hiểm"
    layout = lay_out(text, DISPLAYS["m96x32-1"], Mode.EXERCISE)
    assert drawn.content == preview(layout, text, Severity.SEVERE, Mode.EXERCISE)
    assert Image.open(io.BytesIO(drawn.content)).width > 0


@pytest.mark.parametrize(
    ("query", "status"),
    [("profile=m96x32-1", 422), ("profile=none&text=x", 404), (f"profile=m96x32-1&text={'x' * 501}", 422)],
)
def test_what_cannot_be_drawn_is_said(town: Town, query: str, status: int) -> None:
    assert Browser(town).sign_in("lan").go(f"/console/sign.png?{query}").status == status
