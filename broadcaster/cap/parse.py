"""Reads a CAP 1.2 message: tolerant of its author's mistakes, of nothing else.

No entity is resolved, no DTD read, no address opened; a document type is refused outright, for CAP has
no use for one. What an author got wrong is kept as he wrote it; rules.py names it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from lxml import etree

from broadcaster.cap.model import (
    NAMESPACE,
    CapArea,
    CapInfo,
    CapMessage,
    CapRefusedError,
    CapResource,
    Pair,
)

MAX_BYTES = 1_000_000
"""The largest feed that others take is 900 KB."""

_MOST_FAULTS = 50
_NO_DTD = "a document type is not allowed in CAP"
_CAP = "{" + NAMESPACE + "}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

# Each element's children in the schema's order; those that may come more than once end in *.
_ORDER = {
    "alert": "identifier sender sent status msgType source scope restriction addresses code* note"
    " references incidents info*",
    "info": "language category* event responseType* urgency severity certainty audience eventCode*"
    " effective onset expires senderName headline description instruction web contact parameter*"
    " resource* area*",
    "resource": "resourceDesc mimeType size uri derefUri digest",
    "area": "areaDesc polygon* circle* geocode* altitude ceiling",
    "eventCode": "valueName value",
    "parameter": "valueName value",
    "geocode": "valueName value",
}


def parse(data: bytes) -> CapMessage:
    """The message. Raises CapRefusedError: `size`, `not-xml`, `dtd` or `namespace`."""
    if len(data) > MAX_BYTES:
        raise CapRefusedError("size", f"{len(data)} bytes; at most {MAX_BYTES}")
    root = _root(data)
    if root.tag != f"{_CAP}alert":
        raise CapRefusedError("namespace", f"the root is not an alert of {NAMESPACE}")
    return _message(root)


def _root(data: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if b"<!DOCTYPE" in data:
            # libxml2 itself stops at entities that grow without end.
            raise CapRefusedError("dtd", _NO_DTD) from None
        # Its text may quote the message; where it broke says enough.
        line, column = error.position
        raise CapRefusedError("not-xml", f"not well-formed at line {line}, column {column}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise CapRefusedError("dtd", _NO_DTD)
    return root


def _message(root: Any) -> CapMessage:
    return CapMessage(
        identifier=_text(root, "identifier"),
        sender=_text(root, "sender"),
        sent=_text(root, "sent"),
        status=_text(root, "status"),
        msg_type=_text(root, "msgType"),
        scope=_text(root, "scope"),
        restriction=_text(root, "restriction"),
        addresses=_text(root, "addresses"),
        note=_text(root, "note"),
        references=_text(root, "references"),
        incidents=_text(root, "incidents"),
        infos=tuple(_info(each) for each in _all(root, "info")),
        disorder=tuple(islice(_disorder(root), _MOST_FAULTS)),
        signed=root.find(_SIGNATURE) is not None,
    )


def _info(info: Any) -> CapInfo:
    return CapInfo(
        language=_text(info, "language"),
        categories=_texts(info, "category"),
        event=_text(info, "event"),
        response_types=_texts(info, "responseType"),
        urgency=_text(info, "urgency"),
        severity=_text(info, "severity"),
        certainty=_text(info, "certainty"),
        event_codes=_pairs(info, "eventCode"),
        effective=_text(info, "effective"),
        onset=_text(info, "onset"),
        expires=_text(info, "expires"),
        sender_name=_text(info, "senderName"),
        headline=_text(info, "headline"),
        description=_text(info, "description"),
        instruction=_text(info, "instruction"),
        web=_text(info, "web"),
        contact=_text(info, "contact"),
        parameters=_pairs(info, "parameter"),
        resources=tuple(_resource(each) for each in _all(info, "resource")),
        areas=tuple(_area(each) for each in _all(info, "area")),
    )


def _resource(resource: Any) -> CapResource:
    return CapResource(
        desc=_text(resource, "resourceDesc"),
        mime_type=_text(resource, "mimeType"),
        uri=_text(resource, "uri"),
        has_content=bool(_text(resource, "derefUri")),
    )


def _area(area: Any) -> CapArea:
    return CapArea(
        desc=_text(area, "areaDesc"),
        polygons=_texts(area, "polygon"),
        circles=_texts(area, "circle"),
        geocodes=_pairs(area, "geocode"),
        altitude=_text(area, "altitude"),
        ceiling=_text(area, "ceiling"),
    )


def _all(parent: Any, name: str) -> Sequence[Any]:
    return parent.findall(_CAP + name)


def _texts(parent: Any, name: str) -> tuple[str, ...]:
    return tuple("".join(each.itertext()).strip() for each in _all(parent, name))


def _text(parent: Any, name: str) -> str | None:
    found = _texts(parent, name)
    return found[0] if found else None


def _pairs(parent: Any, name: str) -> tuple[Pair, ...]:
    return tuple(
        (_text(each, "valueName") or "", _text(each, "value") or "") for each in _all(parent, name)
    )


def _disorder(element: Any) -> Iterable[str]:
    """What stands where the schema has no place for it. Signatures stand anywhere (§3.3.2.1)."""
    here = etree.QName(element).localname
    allowed = [name.removesuffix("*") for name in _ORDER[here].split()]
    many = {name.removesuffix("*") for name in _ORDER[here].split() if name.endswith("*")}
    reached, seen = 0, set[str]()
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child)
        if name.namespace != NAMESPACE:
            if child.tag != _SIGNATURE:
                yield f"{here}: {name.localname[:40]} is not of CAP"
            continue
        if name.localname not in allowed:
            yield f"{here}: there is no {name.localname[:40]}"
            continue
        place = allowed.index(name.localname)
        if place < reached:
            yield f"{here}: {name.localname} stands too late"
        if name.localname in seen and name.localname not in many:
            yield f"{here}: {name.localname} stands more than once"
        reached = max(reached, place)
        seen.add(name.localname)
        if name.localname in _ORDER:
            yield from _disorder(child)
