"""The rules of CAP 1.2 over bytes, written beside the product and sharing nothing with it but lxml.

Each fault names the element and what it breaks; sections are those of the standard. `Chain` holds one
alert's messages together: what an Update or a Cancel must refer to is no matter of one message alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
NAME = re.compile(r"[^\s,<&]+")
STATUSES = ("Actual", "Exercise", "System", "Test")
"""3.2.1 knows Draft, too, which never leaves a house."""
REQUIRED = {
    "alert": ("identifier", "sender", "sent", "status", "msgType", "scope"),
    "info": ("language", "category", "event", "urgency", "severity", "certainty", "expires", "senderName"),
    "area": ("areaDesc",),
    "resource": ("resourceDesc", "mimeType", "uri"),
    "geocode": ("valueName", "value"),
}
LARGEST = 900_000


@dataclass
class Chain:
    """The messages of one alert in the order in which they were sent."""

    seen: set[str]
    """Every triple of every alert: none comes twice, for ever."""
    status: str = ""
    sent: dict[str, tuple[datetime, datetime]] = field(default_factory=dict[str, tuple[datetime, datetime]])
    """By its triple, when a message was sent and when it ends."""

    def faults(self, data: bytes) -> list[str]:
        """What is wrong with the next message."""
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        found = [*_alone(root)]
        if len(data) > LARGEST:
            found.append(f"{len(data)} bytes")
        return found or [*self._together(root)]

    def _together(self, root: Any) -> Iterator[str]:
        at, ends = _time(root, "sent"), max(_time(info, "expires") for info in root.iter(f"{NS}info"))
        own = ",".join(_text(root, name) for name in ("sender", "identifier", "sent"))
        named = _text(root, "references").split()
        yield from (f"references: {one} is no message of ours" for one in named if one not in self.sent)
        yield from (
            f"references: {one} is later" for one in named if one in self.sent and self.sent[one][0] > at
        )
        if own in named or len(set(named)) < len(named):
            yield "references: itself, or one twice"
        # 3.2.1 and the profiles: all that still hold are replaced or withdrawn.
        holding = {one for one, (_, until) in self.sent.items() if until > at}
        if left_out := holding - set(named):
            yield f"references: {left_out} still hold and are not named"
        if (_text(root, "msgType") == "Alert") is not (not self.sent):
            yield "msgType: the first message is the Alert, and no other"
        if self.status not in {"", _text(root, "status")}:
            yield "status: changes within the alert"
        if own in self.seen:
            yield f"{own}: used before"
        self.status = _text(root, "status")
        self.seen.add(own)
        self.sent[own] = (at, ends)


def _alone(root: Any) -> Iterator[str]:
    for name, children in REQUIRED.items():
        for each in root.iter(f"{NS}{name}"):
            yield from (f"{name}: no {child}" for child in children if not _text(each, child))
    yield from (
        f"{name}: {_text(root, name)!r}"
        for name in ("identifier", "sender")
        if not NAME.fullmatch(_text(root, name))
    )
    for name in ("sent", "effective", "onset", "expires"):
        yield from (f"{name}: {each.text}" for each in root.iter(f"{NS}{name}") if not _good(each.text))
    status, kind, scope = (_text(root, name) for name in ("status", "msgType", "scope"))
    if status not in STATUSES or kind not in {"Alert", "Update", "Cancel"} or scope != "Public":
        yield f"{status}, {kind}, {scope}"
    if status == "Exercise" and not _text(root, "note"):
        yield "note: an exercise says that it is one"
    if (kind == "Alert") is not (root.find(f"{NS}references") is None):
        yield "references: all but an Alert carry them, and no Alert"
    if root.find(f"{NS}restriction") is not None or root.find(f"{NS}addresses") is not None:
        yield "restriction, addresses: of a public message"
    if " " in _text(root, "incidents"):
        yield "incidents: a space in a name that is not quoted"
    yield from _infos(root.findall(f"{NS}info"), _text(root, "sent"))


def _infos(infos: list[Any], sent: str) -> Iterator[str]:
    languages = [_text(info, "language") for info in infos]
    if languages[:1] != ["vi-VN"] or len(set(languages)) < len(languages):
        yield f"language: {languages}"
    for name in ("category", "eventCode", "urgency", "severity", "certainty", "effective", "expires"):
        told = {tuple("".join(each.itertext()) for each in info.findall(f"{NS}{name}")) for info in infos}
        if len(told) > 1:
            yield f"{name}: not the same in every language"
    for info in infos:
        begins, ends = _text(info, "effective") or sent, _text(info, "expires")
        if _good(begins) and _good(ends) and not sent_at(sent) <= sent_at(begins) < sent_at(ends):
            yield f"{sent}, {begins}, {ends}: out of order"
        if len(_text(info, "headline")) > 160 or not _text(info, "headline"):
            yield "headline: none, or more than 160 characters"
        if not _text(info, "web").startswith("https://") or not _text(info, "contact"):
            yield "web, contact"
        if not info.findall(f"{NS}area"):
            yield "area: none"
        yield from _parts(info)


def _parts(info: Any) -> Iterator[str]:
    for each in info.iter(f"{NS}resource"):
        if not re.fullmatch(r"[0-9a-f]{40}", _text(each, "digest")) or "://" not in _text(each, "uri"):
            yield "resource: its digest is SHA-1, its address absolute"
    for each in info.iter(f"{NS}geocode"):
        if not re.fullmatch(r"VN-ADMIN-[0-9-]{10}", _text(each, "valueName")):
            yield "geocode: the edition of the register is named"


def sent_at(text: str) -> datetime:
    """The instant."""
    return datetime.fromisoformat(text)


def _time(parent: Any, name: str) -> datetime:
    return sent_at(_text(parent, name))


def _good(text: str | None) -> bool:
    if text is None or not TIME.fullmatch(text) or text.endswith("+00:00"):
        return False
    try:
        return sent_at(text).tzinfo is not None
    except ValueError:
        return False


def _text(parent: Any, name: str) -> str:
    return (parent.findtext(f"{NS}{name}") or "").strip()
