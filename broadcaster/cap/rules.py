"""What CAP 1.2 demands beyond what its XML schema can see, over a message that was read.

We are strict with what we send and tolerant of what we get: a breach in a message of another is named,
and is no reason to drop it. Of 63 real messages that the schema accepts, 20 write UTC as `+00:00`.
"""

import re
from collections.abc import Callable, Iterable

from broadcaster.cap import moments, shapes
from broadcaster.cap.findings import Finding
from broadcaster.cap.model import CapInfo, CapMessage

Rule = Callable[[CapMessage], Iterable[Finding]]

_ALERT = ("identifier", "sender", "sent", "status", "msg_type", "scope")
_INFO = ("event", "urgency", "severity", "certainty")
_VALUES = {
    "status": "Actual Exercise System Test Draft",
    "msg_type": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
}
_INFO_VALUES = {
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
_INFO_LISTS = {
    "categories": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "response_types": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
}
_FORBIDDEN = re.compile(r"[\s,<&]")
# Bounded, so that a text of nothing but "<a" is not searched for ever.
MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|&(?:[a-z]{1,10}|#\d{1,7});")
_HEADLINE = 160
_PARTS = 3


def check(message: CapMessage) -> tuple[Finding, ...]:
    """Everything found, breaches first; each once."""
    found = dict.fromkeys(finding for rule in RULES for finding in rule(message))
    return tuple(sorted(found, key=lambda finding: not finding.is_breach))


def breaches(message: CapMessage) -> tuple[Finding, ...]:
    """The MUSTs it breaks."""
    return tuple(finding for finding in check(message) if finding.is_breach)


def warnings(message: CapMessage) -> tuple[Finding, ...]:
    """The good practice it leaves."""
    return tuple(finding for finding in check(message) if not finding.is_breach)


def _order(message: CapMessage) -> Iterable[Finding]:
    return (Finding("R-order", fault) for fault in message.disorder)


def _required(message: CapMessage) -> Iterable[Finding]:
    for name in _ALERT:
        if not getattr(message, name):
            yield Finding("R-required", f"{name}: missing or empty")
    for info in message.infos:
        missing = [name for name in _INFO if not getattr(info, name)]
        missing += [] if info.categories else ["category"]
        missing += ["areaDesc" for area in info.areas if not area.desc]
        missing += ["resourceDesc" for each in info.resources if not each.desc]
        missing += ["mimeType" for each in info.resources if not each.mime_type]
        yield from (Finding("R-required", f"info: {name} is missing or empty") for name in missing)


def _names(message: CapMessage) -> Iterable[Finding]:
    for name in ("identifier", "sender"):
        if _FORBIDDEN.search(getattr(message, name) or ""):
            yield Finding("R-name", f"{name}: a space, a comma, < or & is in it")


def _times(message: CapMessage) -> Iterable[Finding]:
    named = [("sent", message.sent)]
    for info in message.infos:
        named += [("effective", info.effective), ("onset", info.onset), ("expires", info.expires)]
    for name, text in named:
        if not text:
            continue
        if not moments.has_form(text):
            yield Finding("R-time", f"{name}: YYYY-MM-DDThh:mm:ss and an offset, no Z and no fraction")
        elif moments.says_plus_zero(text):
            yield Finding("R-utc-plus", f"{name}: UTC is written -00:00")


def _values(message: CapMessage) -> Iterable[Finding]:
    for name, values in _VALUES.items():
        value = getattr(message, name)
        if value and value not in values.split():
            yield Finding("R-value", f"{name}: one of {values}")
    for info in message.infos:
        for name, values in _INFO_VALUES.items():
            value = getattr(info, name)
            if value and value not in values.split():
                yield Finding("R-value", f"{name}: one of {values}")
        for name, values in _INFO_LISTS.items():
            if not set(values.split()).issuperset(getattr(info, name)):
                yield Finding("R-value", f"{name}: of {values}")


def _draft(message: CapMessage) -> Iterable[Finding]:
    if message.status == "Draft":
        yield Finding("R-draft", "status: a draft never leaves its author's house")
    if message.status == "Exercise" and not message.note:
        yield Finding("W-exercise-note", "note: an exercise should be named")
    if message.msg_type == "Error" and not message.note:
        yield Finding("W-error-note", "note: an error should be explained")


def _references(message: CapMessage) -> Iterable[Finding]:
    references = (message.references or "").split()
    if not references and message.msg_type in {"Update", "Cancel", "Ack", "Error"}:
        yield Finding("R-refs-missing", f"references: {message.msg_type} names the message it is about")
    own = moments.read(message.sent)
    for reference in references:
        parts = reference.split(",")
        if len(parts) != _PARTS or not all(parts):
            yield Finding("R-refs-form", "references: sender,identifier,sent, spaces between")
            continue
        if parts[0] == message.sender and parts[1] == message.identifier:
            yield Finding("R-refs-self", "references: the message names itself")
        sent = moments.read(parts[2])
        if sent and own and sent > own:
            yield Finding("R-refs-later", "references: a message later than this one")


def _scope(message: CapMessage) -> Iterable[Finding]:
    if message.scope == "Restricted" and not message.restriction:
        yield Finding("R-restriction", "restriction: required where the scope is Restricted")
    if message.scope != "Restricted" and message.restriction:
        yield Finding("R-restriction", "restriction: only where the scope is Restricted")
    if message.scope == "Private" and not message.addresses:
        yield Finding("R-addresses", "addresses: required where the scope is Private")
    for name in ("addresses", "incidents"):
        if (getattr(message, name) or "").count('"') % 2:
            yield Finding("R-quotes", f"{name}: a double quote is not closed")


def _places(message: CapMessage) -> Iterable[Finding]:
    for info in message.infos:
        for area in info.areas:
            yield from shapes.faults(area)
        coded = [*info.event_codes, *info.parameters, *(c for area in info.areas for c in area.geocodes)]
        if any(not name for name, _ in coded):
            yield Finding("R-code", "valueName: missing or empty")


def _links(message: CapMessage) -> Iterable[Finding]:
    for info in message.infos:
        if info.web and ":" not in info.web:
            yield Finding("R-web", "web: an absolute address")
        if any(each.uri and ":" not in each.uri and not each.has_content for each in info.resources):
            yield Finding("R-uri", "uri: absolute, or the file itself in derefUri")


def _span(message: CapMessage) -> Iterable[Finding]:
    sent = moments.read(message.sent)
    for info in message.infos:
        expires, onset = moments.read(info.expires), moments.read(info.onset)
        if not info.expires:
            yield Finding("W-no-expires", "expires: none, so every receiver chooses another")
        if sent and expires and expires <= sent:
            yield Finding("W-expires<=sent", "expires: not after it was sent")
        if onset and expires and expires <= onset:
            yield Finding("W-expires<=onset", "expires: not after its onset")


def _tongues(message: CapMessage) -> Iterable[Finding]:
    infos = message.infos
    if len({tuple(sorted(set(info.categories))) for info in infos}) > 1:
        yield Finding("W-categories", "category: not the same in every language")
    texts: dict[str, str] = {}
    for info in infos:
        if info.description and texts.setdefault(info.description, info.tongue) != info.tongue:
            yield Finding("W-same-text", "description: one text under two languages")


def _wording(message: CapMessage) -> Iterable[Finding]:
    for info in message.infos:
        yield from _worded(info)


def _worded(info: CapInfo) -> Iterable[Finding]:
    if len(info.headline or "") > _HEADLINE:
        yield Finding("W-headline", f"headline: more than {_HEADLINE} characters")
    if info.headline and info.headline in {info.description, info.instruction}:
        yield Finding("W-headline-again", "headline: said again in the description or the instruction")
    if any(MARKUP.search(text or "") for text in (info.headline, info.description, info.instruction)):
        yield Finding("W-markup", "text: tags or entities of HTML in it")
    if "Unknown" in {info.urgency, info.severity, info.certainty}:
        yield Finding("W-unknown", "urgency, severity or certainty: Unknown helps no receiver")
    for name in ("sender_name", "instruction", "contact", "headline", "description"):
        if not getattr(info, name):
            yield Finding(f"W-no-{name.replace('_', '-')}", f"{name}: missing")


RULES: tuple[Rule, ...] = (
    _order,
    _required,
    _names,
    _times,
    _values,
    _draft,
    _references,
    _scope,
    _places,
    _links,
    _span,
    _tongues,
    _wording,
)
