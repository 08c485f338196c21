"""Filling the gaps of a template. Pure; every fault is found at once and named by its field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

from broadcaster.rules import RefusedError, Rule
from schemas.content import Content, Mode
from schemas.template import GAP, TemplateBody, TemplateText

_FIXED = ("kind", "category", "severity", "urgency", "certainty", "risk_level", "channels")


def fill(
    body: TemplateBody,
    values: Mapping[str, str],
    *,
    areas: Sequence[str],
    expires_at: datetime | None,
    plain: Callable[[str], str],
    mode: Mode = Mode.ACTUAL,
) -> Content:
    """The content with every gap filled, to these areas.

    A value goes into a text as it is, but into an SMS text that was written without marks through
    `plain`, so that a street's name does not double its price. Raises RefusedError: `content.template`
    names the fields that are missing, too long or unknown; `content.limit` a text that became too long.
    """
    faults = [*_faults(body, values)]
    if faults:
        raise RefusedError(Rule.TEMPLATE, "values: " + "; ".join(faults))
    if not areas:
        raise RefusedError(Rule.TEMPLATE, "areas: the template names none; name some, or a set of areas")
    try:
        return Content.model_validate(
            {name: getattr(body, name) for name in _FIXED}
            | {
                "texts": {language: _filled(text, values, plain) for language, text in body.texts.items()},
                "areas": tuple(areas),
                "expires_at": expires_at,
                "mode": mode,
            }
        )
    except ValidationError as error:
        # The text alone, never the value: the refusal is kept for ever.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise RefusedError(Rule.LIMIT, f"{place}: {message}" if place else message) from None


def _faults(body: TemplateBody, values: Mapping[str, str]) -> Iterator[str]:
    known = {each.name: each for each in body.fields}
    for name, asked in known.items():
        value = values.get(name, "").strip()
        if not value:
            yield f"{name} is missing ({asked.label})"
        elif len(value) > asked.longest:
            yield f"{name} has {len(value)} characters, {asked.longest} is the most"
    yield from (f"{name} is no field of this template" for name in sorted(values.keys() - known.keys()))


def _filled(text: TemplateText, values: Mapping[str, str], plain: Callable[[str], str]) -> dict[str, str]:
    def put(part: str, said: Callable[[str], str] = str) -> str:
        # One pass: what looks like a gap in a value is not filled again.
        return GAP.sub(lambda gap: said(values[gap[1]].strip()), part)

    parts = {name: put(part) for name, part in text if isinstance(part, str) and name != "sms_text"}
    if text.sms_text is not None:
        bare = plain(text.sms_text) == text.sms_text
        parts["sms_text"] = put(text.sms_text, plain if bare else str)
    return parts
