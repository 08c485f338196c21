"""What another's CAP message becomes here: the content of a draft, and what was lost on the way.

It is a draft and no more: the receiving body's staff read it, put it into Vietnamese, and send it the
road of every alert. Nothing that was received is ever issued by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from broadcaster.cap import importer_terms, importer_text, moments, rules, terms
from broadcaster.cap.findings import Finding
from broadcaster.cap.model import CapInfo, CapMessage, CapRefusedError
from broadcaster.office import LONGEST_LIFE
from broadcaster.reference import Category
from schemas.areas import AreaTree
from schemas.content import Certainty, Content, Kind, Language, Mode, Severity, Text, Urgency

_MODES = {status: mode for mode, status in terms.STATUS.items()}
Grade = TypeVar("Grade", Severity, Urgency, Certainty)


@dataclass(frozen=True)
class Choices:
    """What the receiving staff say themselves; it wins over the message."""

    category: str | None = None
    areas: tuple[str, ...] = ()
    risk_level: int | None = None
    kind: Kind = Kind.ALERT


@dataclass(frozen=True)
class Imported:
    """The content, and what its editor must look at."""

    content: Content
    findings: tuple[Finding, ...]


@dataclass
class _Work:
    message: CapMessage
    choices: Choices
    tree: AreaTree
    categories: Mapping[str, Category]
    notes: list[Finding] = field(default_factory=list[Finding])

    def warn(self, rule: str, text: str) -> None:
        self.notes.append(Finding(rule, text))


def to_content(
    message: CapMessage,
    choices: Choices,
    *,
    tree: AreaTree,
    categories: Mapping[str, Category],
    at: datetime,
) -> Imported:
    """The content of a draft.

    Raises CapRefusedError: `status`, `msg-type`, `scope`, `info`, `expired`, `category`, `area`, `content`.
    """
    _check_kind(message)
    work = _Work(message, choices, tree, categories)
    texts, first = _texts(work)
    try:
        content = Content(
            kind=choices.kind,
            category=importer_terms.category(first, choices.category, categories),
            severity=_value(work, Severity, "severity", first.severity),
            urgency=_value(work, Urgency, "urgency", first.urgency),
            certainty=_value(work, Certainty, "certainty", first.certainty),
            risk_level=choices.risk_level or importer_terms.risk_level(first),
            texts=texts,
            mode=_mode(message),
            areas=_areas(work),
            expires_at=_end(work, first, at),
        )
    except ValidationError as error:
        one = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in one["loc"])
        raise CapRefusedError("content", f"{place}: {one['msg']}") from None
    return Imported(content, (*rules.check(message), *work.notes))


def _mode(message: CapMessage) -> Mode:
    mode = _MODES.get(message.status or "")
    if mode is None:
        raise CapRefusedError(
            "status", f"status: {message.status}; only Actual, Exercise and Test become a draft"
        )
    return mode


def _check_kind(message: CapMessage) -> None:
    _mode(message)
    if message.msg_type not in {"Alert", "Update"}:
        raise CapRefusedError(
            "msg-type", f"msgType: {message.msg_type} carries nothing to say; act on the alert it names"
        )
    if message.scope != "Public":
        raise CapRefusedError("scope", f"scope: {message.scope}; what is not public is not broadcast")
    if not message.infos:
        raise CapRefusedError("info", "info: the message says nothing")


def _texts(work: _Work) -> tuple[dict[Language, Text], CapInfo]:
    message = work.message
    if message.msg_type == "Update":
        work.warn("W-references", "references: an update of another's alert becomes a draft of its own")
    if message.signed:
        work.warn("W-signature", "signature: there is one, and it was not verified")
    by_tongue: dict[str, CapInfo] = {}
    for info in message.infos:
        if by_tongue.setdefault(info.tongue, info) is not info:
            work.warn("W-more-infos", f"info: of those in {info.tongue} only the first is taken")
    first = by_tongue.get("vi") or message.infos[0]
    if "vi" not in by_tongue:
        work.warn("W-not-vietnamese", f"language: {first.tongue}; translate it before it is submitted")
    dropped = sorted(by_tongue.keys() - {"vi", "en", first.tongue})
    if dropped:
        work.warn("W-languages", f"language: {', '.join(dropped)[:100]} is not taken")
    texts: dict[Language, Text] = {"vi": importer_text.text(first, work.notes)}
    if "en" in by_tongue:
        texts["en"] = importer_text.text(by_tongue["en"], work.notes)
    return texts, first


def _value(work: _Work, kind: type[Grade], name: str, value: str | None) -> Grade:
    # CAP 1.2 §3.2.2 reads the "Very Likely" of 1.0 as Likely.
    value = "Likely" if value == "Very Likely" else value
    try:
        return kind(value)
    except ValueError:
        work.warn(f"W-{name}", f"{name}: not of CAP; Unknown is taken")
        return kind("Unknown")


def _areas(work: _Work) -> tuple[str, ...]:
    codes, foreign = importer_terms.area_codes(work.message, work.tree.edition)
    if work.choices.areas:
        return work.choices.areas
    known = tuple(code for code in codes if code in work.tree)
    if len(known) < len(codes):
        work.warn("W-geocode", "geocode: codes that the area register does not have are left out")
    if foreign:
        work.warn("W-places", "area: places without a code of the edition in force are left out")
    if not known:
        raise CapRefusedError(
            "area", f"areas: none by a code of edition {work.tree.edition}; name the areas yourself"
        )
    return known


def _end(work: _Work, info: CapInfo, at: datetime) -> datetime | None:
    expires = moments.read(info.expires)
    if expires is None:
        return None
    if expires <= at:
        raise CapRefusedError("expired", f"expires: {info.expires} is past")
    if expires > at + LONGEST_LIFE:
        work.warn(
            "W-expires-far", f"expires: more than {LONGEST_LIFE.days} days away; the usual end is taken"
        )
        return None
    return expires
