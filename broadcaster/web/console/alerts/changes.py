"""What a version changes: field by field against the one before, word by word within a text."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas.areas import AreaTree
from schemas.content import Content

Part = tuple[Literal["same", "gone", "new"], str | datetime]

_ALIKE = 0.4
"""Below this a text was written anew, and is easier read as a whole."""
_TEXTS = ("headline", "description", "instruction", "sms_text", "sign_text")


@dataclass(frozen=True)
class Change:
    """A field whose value is another now.

    `parts` is the text with what went and what came; a code, or an instant, where the field has one.
    """

    field: str
    parts: tuple[Part, ...]


def words(before: str, after: str) -> tuple[Part, ...]:
    """The text with its changes, by whole words."""
    old, new = (re.findall(r"\s*\S+\s*", text) for text in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return _swap(before, after)
    parts: list[Part] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(old[a:b])))
            continue
        if b > a:
            parts.append(("gone", "".join(old[a:b])))
        if d > c:
            parts.append(("new", "".join(new[c:d])))
    return tuple(parts)


def changes(before: Content, after: Content, tree: AreaTree) -> list[Change]:
    """Every field that differs, in the order of the form."""
    found: list[Change] = []
    for language in dict.fromkeys([*before.texts, *after.texts]):
        old, new = before.texts.get(language), after.texts.get(language)
        for name in _TEXTS:
            was, now = (getattr(text, name, None) or "" for text in (old, new))
            if was != now:
                found.append(Change(name if language == "vi" else f"{name}_{language}", words(was, now)))
    for name in ("kind", "category", "severity", "urgency", "certainty", "risk_level", "mode"):
        was, now = (str(getattr(content, name) or "") for content in (before, after))
        if was != now:
            found.append(Change(name, _swap(was, now)))
    if set(before.areas) != set(after.areas):
        found.append(Change("areas", _sets(_names(tree, before.areas), _names(tree, after.areas))))
    if set(before.reaches) != set(after.reaches):
        found.append(Change("channels", _sets(before.reaches, after.reaches)))
    if before.expires_at != after.expires_at:
        found.append(Change("expires", _swap(before.expires_at, after.expires_at)))
    return found


def _names(tree: AreaTree, codes: Sequence[str]) -> list[str]:
    return [tree[code].name if code in tree else code for code in codes]


def _swap(was: str | datetime | None, now: str | datetime | None) -> tuple[Part, ...]:
    parts: list[Part] = []
    if was:
        parts.append(("gone", was))
    if now:
        parts.append(("new", now))
    return tuple(parts)


def _sets(before: Sequence[str], after: Sequence[str]) -> tuple[Part, ...]:
    kept: list[Part] = [("same", name) for name in after if name in before]
    gone: list[Part] = [("gone", name) for name in before if name not in after]
    return (*kept, *gone, *(("new", name) for name in after if name not in before))
