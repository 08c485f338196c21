"""Between a template and its form. Gaps are lines there: name | label | example | longest."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from broadcaster.commands.templates import Saved
from broadcaster.template import TemplateVersion
from broadcaster.web.console.form import Form
from broadcaster.web.console.writing import Fault
from schemas.template import TemplateBody

PURPOSES = ("draft", "correction", "nothing_to_report")
_TEXTS = ("headline", "description", "instruction", "sign_text", "sms_text")
_CHOICES = ("kind", "category", "severity", "urgency", "certainty")
_LONGEST_NAME = 120
_GAP_PARTS = 4


def fields_of(version: TemplateVersion) -> Form:
    """The form in which the next version is written."""
    body = version.body
    said: dict[str, object] = {"name": version.name, "purpose": version.purpose}
    said |= {name: getattr(body, name) for name in (*_CHOICES, "risk_level", "lifetime_hours")}
    for language, suffix in (("vi", ""), ("en", "_en")):
        if text := body.texts.get(language):
            said |= {f"{name}{suffix}": getattr(text, name) for name in _TEXTS}
    gaps = (f"{each.name} | {each.label} | {each.example} | {each.longest}" for each in body.fields)
    said["gaps"] = "\n".join(gaps)
    return Form({name: [str(getattr(value, "value", value))] for name, value in said.items() if value})


def read(form: Form, before: TemplateBody | None = None) -> Saved | list[Fault]:
    """What to save, or all that is wrong. What the form has no field for stays as it was before."""
    faults: list[Fault] = []
    name, purpose = form.one("name"), form.one("purpose")
    if not name:
        faults.append(Fault("name", "missing"))
    elif len(name) > _LONGEST_NAME or not name.isprintable():
        faults.append(Fault("name", "long", _LONGEST_NAME))
    if not form.one("category"):
        faults.append(Fault("category", "missing"))
    if purpose not in PURPOSES:
        faults.append(Fault("purpose", "invalid"))
    numbers = {each: _number(form, each, faults) for each in ("risk_level", "lifetime_hours")}
    said: dict[str, Any] = {each: form.one(each) for each in _CHOICES}
    said |= numbers | {"fields": list(_gaps(form.one("gaps"), faults)), "texts": _texts(form, before)}
    if before is not None:
        said |= before.model_dump(include={"areas", "edition", "channels"})
    if faults:
        return faults
    try:
        return Saved(name, purpose, TemplateBody.model_validate(said))  # type: ignore[arg-type]  # one of PURPOSES
    except ValidationError as error:
        return [_fault(each) for each in error.errors(include_url=False, include_input=False)]


def _number(form: Form, name: str, faults: list[Fault]) -> int | None:
    text = form.one(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 5):  # noqa: PLR2004
        faults.append(Fault(name, "invalid"))
        return None
    return int(text)


def _gaps(text: str, faults: list[Fault]) -> Iterator[dict[str, object]]:
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        parts = [part.strip() for part in line.split("|")]
        parts += [""] * (_GAP_PARTS - len(parts))
        name, label, example, longest = parts[:_GAP_PARTS]
        if len(parts) > _GAP_PARTS or not label or not (longest or "80").isdecimal():
            faults.append(Fault("gaps", "gap-line"))
            return
        yield {"name": name, "label": label, "example": example, "longest": int(longest or "80")}


def _texts(form: Form, before: TemplateBody | None) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    if before is not None:
        texts = {name: text.model_dump() for name, text in before.texts.items() if name not in {"vi", "en"}}
    texts["vi"] = {name: form.one(name) for name in _TEXTS if form.one(name)}
    if english := {name: form.one(f"{name}_en") for name in _TEXTS if form.one(f"{name}_en")}:
        texts["en"] = english
    return texts


def _fault(error: Any) -> Fault:
    place = [str(part) for part in error["loc"]]
    field = place[0] if place else "gaps"
    if field == "texts" and len(place) > 2:  # noqa: PLR2004 (texts, the language, the field)
        field = place[2] + ("_en" if place[1] == "en" else "")
    if not place:
        return Fault("gaps", "gap")
    if field == "fields":
        return Fault("gaps", "gap-line")
    if error["type"] in {"missing", "string_too_short"}:
        return Fault(field, "missing")
    limit = error.get("ctx", {}).get("max_length")
    return Fault(field, "long", limit) if isinstance(limit, int) else Fault(field, "invalid")
