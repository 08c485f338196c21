"""The feed as text, MULTI and raw bits."""

import json
import struct
from typing import Any
from uuid import UUID

import pytest

from channels.led import forms
from channels.led.draw import Artist
from projections.feeds.render import Heading, render_feed, render_item, render_page
from schemas.content import Mode, Severity
from schemas.displays import display
from tests.letters import with_small_letters
from tests.unit.projections.feeds.test_render import noticed

ARTIST = Artist()
FLOOD = "Lũ [sông] 1-3 giờ"


def document(profile: str = "m96x32-1", texts: tuple[str, ...] = (FLOOD,)) -> dict[str, Any]:
    shown = noticed()
    items = [
        render_item(shown, profile, ARTIST.pages(text, profile, Severity.SEVERE, Mode.ACTUAL))
        | {"text": text, "id": str(UUID(int=number))}
        for number, text in enumerate(texts)
    ]
    idle = render_page(ARTIST.idle(profile), display(profile))
    return json.loads(render_feed(Heading(2, 12, "00001", profile), items, [], idle))


def test_text_has_a_line_a_page() -> None:
    head, *lines = forms.text(document()).decode().splitlines()
    assert head == "#led-text/1\t2\t12\t00001\tm96x32-1\tdrills=0"
    fields = [line.split("\t") for line in lines]
    assert [field[6:8] for field in fields] == [[str(n), str(len(lines))] for n in range(1, len(lines) + 1)]
    assert " ".join(field[9] for field in fields) == FLOOD
    assert fields[0][:4] == [str(UUID(int=0)), "1", "rotate", "70"]


@with_small_letters
def test_multi_shows_a_picture_a_page_and_plain_words_for_signs_without() -> None:
    told = json.loads(forms.multi(document()))
    (item,) = told["items"]
    assert item["multi"] == "[pt40o0][g11,1,1]"
    assert item["multi_ascii"] == "[pt40o0]LU [[SONG]][nl]1-3 GIO"
    (graphic,) = told["graphics"]
    assert graphic["number"] == 11
    assert graphic["bits"] == 1
    assert graphic["url"] == f"/v1/frames/{document()['items'][0]['pages'][0]['frame']}.png"


@with_small_letters
def test_multi_numbers_run_out_without_mixing_pictures() -> None:
    told = json.loads(forms.multi(document(texts=tuple(f"Ngập sâu {n}" for n in range(300)))))
    numbers = [graphic["number"] for graphic in told["graphics"]]
    assert numbers == list(range(11, 256))
    assert sum(1 for item in told["items"] if item["multi"]) == len(numbers)
    assert all(item["multi_ascii"] for item in told["items"])


def test_bits_are_headers_and_rows() -> None:
    feed = document()
    names = {page["frame"] for page in feed["items"][0]["pages"]}
    frames = {
        page.frame.sha256: page.frame.body
        for page in ARTIST.pages(FLOOD, "m96x32-1", Severity.SEVERE, Mode.ACTUAL)
    }
    assert names == frames.keys()
    body = forms.bits(feed, frames)
    assert body[:20] == b"HLD1\x01\x01\x00\x00" + struct.pack(">IQ", 2, 12)
    pages = len(feed["items"][0]["pages"])
    assert body[20:36] == UUID(int=0).bytes
    assert body[-384:] == frames[feed["items"][0]["pages"][-1]["frame"]][16:]
    assert len(body) == 20 + 48 + pages * 384
    with pytest.raises(KeyError):
        forms.bits(feed, {})


def test_a_byte_counts_the_items_of_raw_bits() -> None:
    feed = document()
    feed["items"] = [feed["items"][0] | {"pages": []} for _ in range(300)]
    body = forms.bits(feed, {})
    assert (body[5], len(body)) == (255, 20 + 255 * 48)
