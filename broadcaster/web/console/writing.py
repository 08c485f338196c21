"""Between the form of an alert and its content: what was typed, what it says, what is wrong with it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from broadcaster.rules import RefusedError, Rule
from broadcaster.web.console.alerts.unfit import unfit
from broadcaster.web.console.form import Form
from schemas.areas import AreaTree, unaccented
from schemas.content import Content
from schemas.local_time import HANOI

LINES = ("headline", "headline_en", "sign_text")
PARAGRAPHS = ("description", "instruction", "description_en", "instruction_en", "sms_text")
CHOICES = ("body", "kind", "category", "severity", "urgency", "certainty", "risk_level", "expires", "mode")
TICKS = ("corrects",)
SETS = ("areas", "channels")
DEFAULTS = {"kind": "alert", "urgency": "Expected", "certainty": "Likely", "mode": "actual"}

_TEXTS = ("headline", "description", "instruction", "sign_text", "sms_text")
_BOUND = re.compile(r"^max_length|min_length|le|ge$")
_RULE_FIELDS = {
    Rule.AREA: "areas",
    Rule.UNKNOWN_AREA: "areas",
    Rule.FIELD: "category",
    Rule.UNKNOWN_CATEGORY: "category",
    Rule.RISK_LEVEL: "risk_level",
    Rule.EXPIRY: "expires",
    Rule.SCHEDULE: "expires",
    Rule.MODE: "mode",
    Rule.BODY: "body",
    Rule.ROLE: "body",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field; the words are in console/faults.html. `field` is empty for the whole."""

    field: str
    code: str
    limit: int | None = None
    detail: str = ""
    """What a limit says of the field and the characters, as the API says it."""


class Typed:
    """A form of an alert as it was typed."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self.fields = fields

    def __getitem__(self, name: str) -> str:
        """A field's value; its default, or empty, where it has none."""
        return next(iter(self.fields.get(name, ())), DEFAULTS.get(name, ""))

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return tuple(self.fields.get(name, ()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return not any(self[name].strip() for name in (*LINES, *PARAGRAPHS))


def typed(form: Form) -> dict[str, list[str]]:
    """What is kept of a posted form: the fields of an alert, and no others."""
    names = (*LINES, *PARAGRAPHS, *CHOICES, *TICKS, *SETS)
    return {name: list(form.all(name)) for name in names if any(form.all(name))}


def fields_of(content: Content, body: str) -> dict[str, list[str]]:
    """The form in which this content is rewritten."""
    said: dict[str, str | None] = {
        "body": body,
        "kind": content.kind.value,
        "category": content.category,
        "severity": content.severity.value,
        "urgency": content.urgency.value,
        "certainty": content.certainty.value,
        "risk_level": str(content.risk_level or ""),
        "mode": content.mode.value,
        "expires": content.expires_at and local(content.expires_at),
    }
    for language, suffix in (("vi", ""), ("en", "_en")):
        text = content.texts.get(language)
        if text is not None:
            said |= {f"{name}{suffix}": getattr(text, name) for name in _TEXTS}
    found = {name: [value] for name, value in said.items() if value}
    found |= {"areas": list(content.areas)}
    if content.channels:
        found["channels"] = [channel.value for channel in content.channels]
    names = {*LINES, *PARAGRAPHS, *CHOICES, *SETS}
    return {name: values for name, values in found.items() if name in names}


def local(at: datetime) -> str:
    """As an input of the kind datetime-local takes it, on Hanoi's clock."""
    return at.astimezone(HANOI).strftime("%Y-%m-%dT%H:%M")


def instant(typed_at: str) -> datetime | None:
    """What such an input gives, on Hanoi's clock; None for anything else."""
    try:
        return datetime.strptime(typed_at, "%Y-%m-%dT%H:%M").replace(tzinfo=HANOI)
    except ValueError:
        return None


def read(what: Typed, before: Content | None = None) -> Content | list[Fault]:
    """The content, or everything that is wrong. What the form has no field for stays as it was before."""
    faults = [Fault(name, "missing") for name in ("category", "severity") if not what[name]]
    expires = instant(what["expires"])
    if what["expires"] and expires is None:
        faults.append(Fault("expires", "date"))
    risk_level = what["risk_level"]
    said: dict[str, Any] = {
        "kind": what["kind"],
        "category": what["category"] or "x",
        "severity": what["severity"] or "Unknown",
        "urgency": what["urgency"],
        "certainty": what["certainty"],
        "risk_level": int(risk_level) if risk_level in set("12345") else None,
        "texts": _texts(what, before),
        "areas": list(dict.fromkeys(what.all("areas"))),
        "expires_at": expires,
        "channels": list(dict.fromkeys(what.all("channels"))),
        "mode": what["mode"],
    }
    if before is not None:
        said |= before.model_dump(include={"contact", "web", "attachments"})
    try:
        content = Content.model_validate(said)
    except ValidationError as error:
        return faults + [_fault(each) for each in error.errors(include_url=False, include_input=False)]
    return faults or content


def _texts(what: Typed, before: Content | None) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    if before is not None:
        texts = {name: text.model_dump() for name, text in before.texts.items() if name not in {"vi", "en"}}
    texts["vi"] = {name: what[name] for name in _TEXTS if what[name].strip()}
    english = {name: what[f"{name}_en"] for name in _TEXTS if what[f"{name}_en"].strip()}
    was = before.texts.get("en") if before else None
    if english:
        # The form has no English sign text; one that was there stays.
        kept = was.model_dump(include={"sign_text", "sms_text"}) if was else {}
        texts["en"] = kept | english
    return texts


def _fault(error: Any) -> Fault:
    place = [str(part) for part in error["loc"]]
    field = place[0] if place else ""
    if field == "texts" and len(place) > 2:  # noqa: PLR2004 (texts, the language, the field)
        field = place[2] + ("_en" if place[1] == "en" else "")
    field = {"expires_at": "expires"}.get(field, field)
    kind = str(error["type"])
    limits = [value for name, value in error.get("ctx", {}).items() if _BOUND.match(str(name))]
    limit = limits[0] if limits and isinstance(limits[0], int) else None
    if kind == "missing" or (kind in {"string_too_short", "too_short"} and limit in {0, 1}):
        return Fault(field, "missing")
    if kind in {"string_too_long", "too_long"}:
        return Fault(field, "long", limit)
    return Fault(field, "line" if "single line" in str(error["msg"]) else "invalid")


def refused(error: RefusedError) -> Fault:
    """What a command said no to, next to the field it is about."""
    text = unfit(error)
    if text is not None:
        return Fault(text.field, text.code, detail=text.detail)
    return Fault(_RULE_FIELDS.get(error.rule, ""), error.rule.value, detail=detail_of(error))


def tidy_areas(tree: AreaTree, codes: Sequence[str]) -> list[str]:
    """Each area once, none that lies in another; unknown codes stay, to be refused."""
    known = {code for code in codes if code in tree}
    inner = {code for code in known if known.intersection(tree.ancestors(code))}
    return [code for code in dict.fromkeys(codes) if code not in inner]


def named_areas(tree: AreaTree, text: str, within: Sequence[str]) -> tuple[list[str], list[str]]:
    """The areas that a pasted list names, and the names that are none or several."""
    by_name: dict[str, list[str]] = {}
    for area in tree:
        if not any(tree.covers(outer, area.code) for outer in within):
            continue
        whole = unaccented(area.name)
        for key in {whole, _bare(whole)}:
            by_name.setdefault(key, []).append(area.code)
    found: list[str] = []
    strange: list[str] = []
    for name in filter(None, (part.strip() for part in re.split(r"[\n,;]", text))):
        codes = by_name.get(unaccented(unicodedata.normalize("NFC", name)), [])
        if len(codes) == 1:
            found += codes
        else:
            strange.append(name)
    return found, strange


def _bare(name: str) -> str:
    return re.sub(r"^(phuong|xa|thi tran|quan|huyen|thi xa|thanh pho) ", "", name)


def detail_of(error: RefusedError) -> str:
    """The refusal's own words, where they name what the rule alone does not: a field, its characters."""
    return error.detail if error.rule in {Rule.LIMIT, Rule.SIGN, Rule.TEMPLATE} else ""
