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
"""HLD1, version 1, items, flags, epoch, seq: 20 bytes."""
_DRILLS, _MORE = 1, 2
"""Flags: it is a feed of drill screens; what is said of the screen follows the items."""
MOST_BIT_ITEMS = 255
_ITEM = struct.Struct(">16sIQQBBHHHI")
"""Alert, revision, starts_at, expires_at, preempt, priority, width, height, pages, milliseconds a page."""
_SCREEN = struct.Struct(">4sBBHHhH")
"""HLDS, brightness (0: not set), quiet (0: none, 1: but for emergencies, 2: for all), from and until in
minutes of the day, minutes that they are ahead of UTC, how many alerts leave the screen out."""
_EXCLUDED = struct.Struct(">16sI")
_STATUSES = ("actual", "exercise", "test")


def text(feed: Document) -> bytes:
    """A line a page, in UTF-8, its fields apart by tabs; the first line says which feed it is.

    Fields: alert, revision, mode, priority, starts_at, expires_at, page, pages, milliseconds, text,
    status. Further lines that begin with # are about the screen.
    """
    head = ["#led-text/1", *(feed[name] for name in ("epoch", "seq", "area", "profile"))]
    rows: list[list[Any]] = [[*head, f"drills={int(_is_drill(feed))}"], *_about(feed)]
    lines = ["\t".join(map(str, row)) for row in rows]
    for item in feed["items"]:
        told = [item[name] for name in ("id", "rev", "mode", "priority", "starts_at", "expires_at")]
        for number, page in enumerate(item["pages"], 1):
            place = (number, len(item["pages"]), page["ms"], " ".join(page["lines"]))
            fields = (*told, *place, item.get("status", "actual"))
            lines.append("\t".join(str(value) for value in fields))
    return "".join(f"{line}\n" for line in lines).encode()


def _about(feed: Document) -> list[list[Any]]:
    """What is said of the screen alone, as rows of plain text."""
    display, quiet = feed.get("display", {}), feed.get("display", {}).get("quiet")
    rows: list[list[Any]] = [["#brightness", display["brightness"]]] if "brightness" in display else []
    if quiet:
        hides = f"hides_emergencies={int(quiet['hides_emergencies'])}"
        rows.append(["#quiet", quiet["from"], quiet["until"], quiet["utc_offset_min"], hides])
    return rows + [["#excluded", one["id"], one["rev"]] for one in feed.get("excluded", ())]


def _is_drill(feed: Document) -> bool:
    return bool(feed.get("drills", False))  # rendered by an older version


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
        kept["status"] = item.get("status", "actual")
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
    head["drills"] = _is_drill(feed)
    head |= {name: feed[name] for name in ("display", "excluded") if name in feed}
    return to_json({"schema": "led-multi/1", **head, "items": items, "graphics": graphics})


def bits(feed: Document, frames: Mapping[str, bytes]) -> bytes:
    """Items one after the other, each a header and the raw rows of its pages. Big-endian throughout.

    Only for displays of one bit a pixel. Raises KeyError where a frame is not given. The 255 most urgent
    items, for a byte counts them.
    """
    items = feed["items"][:MOST_BIT_ITEMS]
    has_more = _is_drill(feed) or any(name in feed for name in ("display", "excluded"))
    has_more = has_more or any(item.get("status", "actual") != "actual" for item in items)
    flags = _DRILLS * _is_drill(feed) | _MORE * has_more
    found = [_BITS.pack(b"HLD1", 1, len(items), flags, feed["epoch"], feed["seq"])]
    for item in items:
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
    return b"".join([*found, *(_screen_bits(feed, items) if has_more else ())])


def _screen_bits(feed: Document, items: list[dict[str, Any]]) -> list[bytes]:
    """What is said of the screen alone, what leaves it out, and a byte an item that says how it is meant.

    Behind the items, where who knows nothing of it reads no more.
    """
    display, excluded = feed.get("display", {}), feed.get("excluded", [])
    quiet: dict[str, Any] = display.get("quiet") or {}
    hours = (_minutes(quiet[name]) if quiet else 0 for name in ("from", "until"))
    kind = 1 + quiet["hides_emergencies"] if quiet else 0
    bright, offset = display.get("brightness", 0), quiet.get("utc_offset_min", 0)
    return [
        _SCREEN.pack(b"HLDS", bright, kind, *hours, offset, len(excluded)),
        *(_EXCLUDED.pack(bytes.fromhex(one["id"].replace("-", "")), one["rev"]) for one in excluded),
        bytes(_STATUSES.index(item.get("status", "actual")) for item in items),
    ]


def _minutes(hour: str) -> int:
    return int(hour[:2]) * 60 + int(hour[3:])


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
