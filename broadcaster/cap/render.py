"""Our messages as CAP 1.2 XML. Pure: the same arguments give the same bytes, for ever.

What the content does not say is not made up: no onset, and no circle, for an area's register entry is a
point and no radius around a point is the area. A circle of radius 0 would tell a receiver that nobody
is concerned. The geocode says exactly who is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from lxml import etree

from broadcaster.cap import terms
from broadcaster.cap.model import NAMESPACE
from broadcaster.cap.moments import written, written_end
from broadcaster.reference import Category
from schemas.areas import AreaTree
from schemas.content import Content, Kind, Language, MsgType, Text, Urgency
from schemas.events import AlertCancelled, AlertIssued

_HEADLINE = 160
_SECOND = timedelta(seconds=1)
# What XML 1.0 §2.2 cannot hold at all.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Words:
    """What the event itself does not hold: names, and the page for people."""

    body: str
    """The name of the issuing body."""
    category: Category
    tree: AreaTree
    """The areas of the edition that the alert was issued under."""
    web: str
    """The absolute address of the alert's page."""
    files: str = ""
    """What the absolute address of a file begins with; its SHA-256 follows."""
    sha1s: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of each file its SHA-1, which is what CAP's digest is; we know it by its SHA-256."""


@dataclass(frozen=True)
class _Said:
    """The parts of an info block that are not the same for an alert and for its withdrawal."""

    texts: Mapping[Language, Text]
    response: str
    effective: str
    expires: str


def issued(event: AlertIssued, words: Words) -> bytes:
    """An Alert or an Update."""
    root = _head(event, event.msg_type, event.content)
    said = _Said(
        event.content.texts,
        _response(event.content),
        written(max(event.effective_at, event.sent)),
        written_end(event.expires_at),
    )
    for language in event.content.languages:
        _info(root, event, words, language, said)
    return _bytes(root)


def cancelled(event: AlertCancelled, withdrawn: AlertIssued, words: Words) -> bytes:
    """A Cancel, to the same places and in the same languages as what it withdraws.

    It ends when the alert would have ended, or a second after it was sent where that is past. The former
    instruction is left out: it no longer holds.
    """
    root = _head(event, MsgType.CANCEL, withdrawn.content, note=event.reason)
    content = withdrawn.content
    said = _Said(
        {language: _withdrawal(language, content.texts[language], event) for language in content.languages},
        # AllClear says that the danger is over; of an alert sent in error nobody knows that.
        "None" if event.in_error else "AllClear",
        written(event.sent),
        written_end(max(withdrawn.expires_at, event.sent + _SECOND)),
    )
    for language in content.languages:
        _info(root, withdrawn, words, language, said)
    return _bytes(root)


def _withdrawal(language: Language, text: Text, event: AlertCancelled) -> Text:
    # Not validated again: what the log holds is shown, however long its reason is.
    return Text.model_construct(
        headline=(_said_in(terms.CANCELLED, language) + text.headline)[:_HEADLINE],
        description=_said_in(terms.REASON, language) + event.reason,
    )


def clean(text: str) -> str:
    """The text without what XML has no way to write."""
    return _NOT_XML.sub("", text)


def area_name(tree: AreaTree, code: str) -> str:
    """The area and all above it, for names repeat; a code the edition lacks stands for itself."""
    if code not in tree:
        return code
    return ", ".join(tree[each].name for each in (code, *tree.ancestors(code)))


def _said_in(words: Mapping[str, str], language: Language) -> str:
    return words.get(language, words["en"])  # we have words of our own in two languages only


def _response(content: Content) -> str:
    if content.kind is Kind.ALERT and content.text("vi").instruction:
        if content.urgency is Urgency.IMMEDIATE:
            return "Execute"
        if content.urgency in {Urgency.EXPECTED, Urgency.FUTURE}:
            return "Prepare"
    return "Monitor"


def _head(
    event: AlertIssued | AlertCancelled, msg_type: MsgType, content: Content, note: str | None = None
) -> Any:
    unprefixed: Any = {None: NAMESPACE}
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap=unprefixed)
    _add(root, "identifier", event.identifier)
    _add(root, "sender", event.sender)
    _add(root, "sent", written(event.sent))
    _add(root, "status", terms.STATUS[content.mode])
    _add(root, "msgType", msg_type.value)
    _add(root, "scope", "Public")
    # CAP 1.2 §3.2.1: an Exercise says in the note that it is one.
    _add(root, "note", content.mode.mark("vi") + (note or terms.NOTES[content.mode]) or None)
    _add(root, "references", " ".join(event.references) or None)
    _add(root, "incidents", content.incident)
    return root


def _info(root: Any, event: AlertIssued, words: Words, language: Language, said: _Said) -> None:
    content, text = event.content, said.texts[language]
    names = {"vi": words.category.name, "en": terms.EVENTS.get(content.category, words.category.name)}
    info = _add(root, "info", "")
    _add(info, "language", terms.LANGUAGES.get(language, language))
    _add(info, "category", words.category.cap_category)
    _add(info, "event", _said_in(names, language))
    _add(info, "responseType", said.response)
    _add(info, "urgency", content.urgency.value)
    _add(info, "severity", content.severity.value)
    _add(info, "certainty", content.certainty.value)
    _pair(info, "eventCode", terms.EVENT_SCHEME, content.category)
    _add(info, "effective", said.effective)
    _add(info, "expires", said.expires)
    _add(info, "senderName", words.body)
    _add(info, "headline", (content.mode.mark(language) + text.headline)[:_HEADLINE])
    _add(info, "description", text.description)
    _add(info, "instruction", text.instruction)
    _add(info, "web", content.web or words.web)
    _add(info, "contact", content.contact or terms.CONTACT)
    if content.risk_level is not None:
        _pair(info, "parameter", terms.RISK_PARAMETER, str(content.risk_level))
    for each in content.attachments:
        resource = _add(info, "resource", "")
        _add(resource, "resourceDesc", each.description)
        _add(resource, "mimeType", each.media_type)
        _add(resource, "size", str(each.size))
        _add(resource, "uri", words.files + each.sha256)
        _add(resource, "digest", words.sha1s.get(each.sha256))
    for code in content.areas:
        area = _add(info, "area", "")
        _add(area, "areaDesc", area_name(words.tree, code))
        _pair(area, "geocode", terms.SCHEME + event.edition, code)


def _pair(parent: Any, name: str, value_name: str, value: str) -> None:
    pair = _add(parent, name, "")
    _add(pair, "valueName", value_name)
    _add(pair, "value", value)


def _add(parent: Any, name: str, text: str | None) -> Any:
    if text is None:
        return None
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if text:
        child.text = clean(text)
    return child


def _bytes(root: Any) -> bytes:
    etree.indent(root, "  ")
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        + etree.tostring(root, encoding="UTF-8", xml_declaration=False)
        + b"\n"
    )
