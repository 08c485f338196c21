"""What screens show, as a DATEX II v3 VmsPublication (EN 16157-4): a report, never a way to control one.

Elements stand in the order of the model's sequences, and documents are valid by the schemas of v3.1 to
v3.7; the pages of a message are a MultiPageDisplay of TextDisplays. Nothing is written of a screen that
changes with every poll, so that a page has an ETag. Exercises and tests are left out: the whole publication
is of status `real`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

NAMESPACES = {
    "d2": "http://datex2.eu/schema/3/d2Payload",
    "com": "http://datex2.eu/schema/3/common",
    "vms": "http://datex2.eu/schema/3/vms",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
TABLE = "hanoi-screens"
VERSION = "1"
MEDIA_TYPE = "application/xml"
LONGEST = 1024
"""Letters in a string of the model."""


@dataclass(frozen=True)
class Page:
    """One page that a screen shows in turn."""

    lines: tuple[str, ...]
    picture: str
    """Where its frame is."""


@dataclass(frozen=True)
class Message:
    """An alert that is on."""

    alert_id: UUID
    version: int
    set_at: datetime
    pages: tuple[Page, ...]
    seconds: int
    """Between pages."""


@dataclass(frozen=True)
class Sign:
    """One screen."""

    screen_id: UUID
    working: bool | None
    """None where nobody knows: beyond its hours, or never heard."""
    silent_since: datetime | None
    messages: tuple[Message, ...]


def statuses(signs: Iterable[Sign]) -> str:
    """The screens, one after the other."""
    return "".join(map(_status, signs))


def publication(inner: str, *, country: str, publisher: str, published_at: datetime) -> bytes:
    """The document around them, one at least: the model has no publication without."""
    names = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in NAMESPACES.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<d2:payload{names} xsi:type="vms:VmsPublication"'
        f' lang="vi" modelBaseVersion="3">'
        f"<com:publicationTime>{_instant(published_at)}</com:publicationTime>"
        f"<com:publicationCreator><com:country>{escape(country)}</com:country>"
        f"<com:nationalIdentifier>{_plain(publisher)}</com:nationalIdentifier></com:publicationCreator>"
        "<vms:headerInformation><com:confidentiality>noRestriction</com:confidentiality>"
        "<com:informationStatus>real</com:informationStatus></vms:headerInformation>"
        f"{inner}</d2:payload>\n"
    ).encode()


def _status(sign: Sign) -> str:
    updated = ""
    if sign.silent_since is not None:
        updated = f"<vms:statusUpdateTime>{_instant(sign.silent_since)}</vms:statusUpdateTime>"
    working = ""
    if sign.working is not None:
        word = "working" if sign.working else "notWorking"
        working = f"<vms:workingStatus>{word}</vms:workingStatus>"
    messages = "".join(_message(number, one) for number, one in enumerate(sign.messages, 1))
    return (
        "<vms:vmsControllerStatus>"
        f'<vms:vmsControllerTableReference targetClass="vms:VmsControllerTable" id="{TABLE}"'
        f' version="{VERSION}"/>'
        f'<vms:vmsControllerReference targetClass="vms:VmsController" id="{sign.screen_id}"'
        f' version="{VERSION}"/>{updated}'
        f'<vms:vmsStatus vmsIndex="1"><vms:vmsStatus>{updated}{working}{messages}'
        "</vms:vmsStatus></vms:vmsStatus></vms:vmsControllerStatus>"
    )


def _message(number: int, one: Message) -> str:
    pages = "".join(_page(index, page) for index, page in enumerate(one.pages, 1))
    return (
        f'<vms:vmsMessage messageIndex="{number}"><vms:vmsMessage>'
        f'<vms:reasonForSetting><com:values><com:value lang="en">{one.alert_id}/{one.version}'
        "</com:value></com:values></vms:reasonForSetting>"
        f"<vms:timeLastSet>{_instant(one.set_at)}</vms:timeLastSet>"
        f"<vms:sequencingInterval>{one.seconds}</vms:sequencingInterval>"
        '<vms:displayAreaSettings displayAreaIndex="1">'
        f'<vms:displayAreaSettings xsi:type="vms:MultiPageDisplay">{pages}</vms:displayAreaSettings>'
        "</vms:displayAreaSettings></vms:vmsMessage></vms:vmsMessage>"
    )


def _page(number: int, page: Page) -> str:
    lines = "".join(
        f'<vms:textLine lineIndex="{index}"><vms:textLine><vms:textLine>{_plain(line)}'
        "</vms:textLine></vms:textLine></vms:textLine>"
        for index, line in enumerate(page.lines, 1)
    )
    return (
        f'<vms:displayAreaSettings pageNumber="{number}">'
        f'<vms:displayAreaSettings xsi:type="vms:TextDisplay">'
        f"<vms:textImageUrl>{escape(page.picture)}</vms:textImageUrl>{lines}"
        "</vms:displayAreaSettings></vms:displayAreaSettings>"
    )


def _plain(line: str) -> str:
    """What XML 1.0 and the model's strings can hold of it."""
    return escape("".join(each for each in line if each.isprintable())[:LONGEST])


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
