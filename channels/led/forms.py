"""A feed in the other forms that controllers ask for: plain text, NTCIP 1203 MULTI, raw bits."""

import struct
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from channels.led.draw import bits_of, decode
from schemas.displays import Colours, display
from schemas.plain_text import unaccented_text

Document = Mapping[str, Any]
"""A feed as its JSON has it."""

FIRST_GRAPHIC = 11
"""Lower numbers are left to the sign's own pictures."""
MOST_GRAPHICS = 255
_ADDRESS = "/v1/frames/{}.png"
_BITS = struct.Struct(">4sBBHIQ")
"""HLD1, version 1, items, reserved, epoch, seq: 20 bytes."""
_ITEM = struct.Struct(">16sIQQBBHHHI")
"""Alert, revision, starts_at, expires_at, preempt, priority, width, height, pages, milliseconds a page."""


def text(feed: Document) -> bytes:
    """A line a page, in UTF-8, its fields apart by tabs; the first line says which feed it is.

    Fields: alert, revision, mode, priority, starts_at, expires_at, page, pages, milliseconds, text.
    """
    lines = [f"#led-text/1\t{feed['epoch']}\t{feed['seq']}\t{feed['area']}\t{feed['profile']}"]
    for item in feed["items"]:
        told = [item[name] for name in ("id", "rev", "mode", "priority", "starts_at", "expires_at")]
        for number, page in enumerate(item["pages"], 1):
            fields = (*told, number, len(item["pages"]), page["ms"], " ".join(page["lines"]))
            lines.append("\t".join(str(value) for value in fields))
    return "".join(f"{line}\n" for line in lines).encode()


def multi(feed: Document) -> bytes:
    """NTCIP 1203 v3 MULTI for each item: one bitmap a page, since MULTI knows no Vietnamese.

    `graphics` says which frame each number stands for, in this document; `multi_ascii` is for a sign
    that takes no graphics. Where the numbers run out, the least urgent items come without graphics.
    """
    numbers: dict[str, int] = {}
    items: list[dict[str, Any]] = []
    for item in feed["items"]:
        pages = item["pages"]
        new = {page["frame"] for page in pages} - numbers.keys()
        room = FIRST_GRAPHIC + len(numbers) + len(new) <= MOST_GRAPHICS + 1
        for page in pages if room else ():
            numbers.setdefault(page["frame"], FIRST_GRAPHIC + len(numbers))
        kept = {name: item[name] for name in ("id", "rev", "mode", "priority", "starts_at", "expires_at")}
        items.append(
            kept | {"multi": _graphics(pages, numbers) if room else "", "multi_ascii": _plain(item)}
        )
    shown = display(feed["profile"])
    graphics = [
        {
            "number": number,
            "frame": name,
            "url": _ADDRESS.format(name),
            "w": shown.width,
            "h": shown.height,
            "bits": 1 if shown.colours is Colours.ONE_BIT else 24,
        }
        for name, number in numbers.items()
    ]
    head = {name: feed[name] for name in ("epoch", "seq", "area", "profile")}
    head["drills"] = feed.get("drills", False)  # rendered by an older version
    return to_json({"schema": "led-multi/1", **head, "items": items, "graphics": graphics})


def bits(feed: Document, frames: Mapping[str, bytes]) -> bytes:
    """Items one after the other, each a header and the raw rows of its pages. Big-endian throughout.

    Only for displays of one bit a pixel. Raises KeyError where a frame is not given.
    """
    found = [_BITS.pack(b"HLD1", 1, len(feed["items"]) & 0xFF, 0, feed["epoch"], feed["seq"])]
    for item in feed["items"]:
        pages = item["pages"]
        page = pages[0] if pages else {"w": 0, "h": 0, "ms": 0}
        found.append(
            _ITEM.pack(
                bytes.fromhex(item["id"].replace("-", "")),
                item["rev"],
                item["starts_at"],
                item["expires_at"],
                item["mode"] == "preempt",
                item["priority"],
                page["w"],
                page["h"],
                len(pages),
                page["ms"],
            )
        )
        found += [bits_of(decode(frames[page["frame"]]).convert("L")).tobytes() for page in pages]
    return b"".join(found)


def _graphics(pages: list[dict[str, Any]], numbers: Mapping[str, int]) -> str:
    """Tenths of a second on, the picture at the top left corner; [np] begins the next page."""
    return "[np]".join(f"[pt{page['ms'] // 100}o0][g{numbers[page['frame']]},1,1]" for page in pages)


def _plain(item: Mapping[str, Any]) -> str:
    pages = ("[nl]".join(map(_ascii, page["lines"])) for page in item["pages"])
    times = (f"[pt{page['ms'] // 100}o0]" for page in item["pages"])
    return "[np]".join(time + words for time, words in zip(times, pages, strict=True))


def _ascii(line: str) -> str:
    # Brackets open tags in MULTI; doubled, they stand for themselves (NTCIP 1203 v3 §6.4).
    return unaccented_text(line).upper().replace("[", "[[").replace("]", "]]")
