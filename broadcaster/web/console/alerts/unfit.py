"""What a channel's limit says no to, for the one who writes: which field of the form, and what to do.

The rules say it in English for programs (limits.py, signage.py); here the same is told by code, and the
words are in console/faults.html.
"""

import re
from typing import NamedTuple

from broadcaster.rules import RefusedError, Rule

_TEXT = re.compile(r"^(?:body\.)?texts\.(vi|en)\.(\w+): (.*)$", re.DOTALL)
_CHARACTERS = re.compile(r"(?:signs cannot show|force UCS-2:) (.*)$", re.DOTALL)
_FORM = {
    "vi": ("headline", "description", "instruction", "sms_text", "sign_text"),
    "en": ("headline", "description", "instruction"),
}
"""What the form has a field for."""


class Unfit(NamedTuple):
    """A field of the form, why its text does not fit, and the characters it is about."""

    field: str
    code: str
    detail: str


def unfit(error: RefusedError) -> Unfit | None:
    """Of a text that a channel cannot take; None for any other refusal."""
    found = _TEXT.match(error.detail) if error.rule in {Rule.LIMIT, Rule.SIGN} else None
    if found is None:
        return None
    language, name, why = found.groups()
    field = name if name in _FORM[language] else "description"
    characters = _CHARACTERS.search(why)
    code = _sign(why) if error.rule is Rule.SIGN else _message(name, why)
    return Unfit(
        field + ("_en" if language == "en" else ""), code, characters.group(1) if characters else ""
    )


def _sign(why: str) -> str:
    if "signs cannot show" in why:
        return "sign-letters"
    return "sign-none" if why.startswith("none is given") else "sign-long"


def _message(name: str, why: str) -> str:
    if name == "sms_text":
        if "derived" in why:
            return "sms-none"
        return "sms-costly" if "UCS-2:" in why else "sms-long"
    return "again" if "headline again" in why else "markup"
