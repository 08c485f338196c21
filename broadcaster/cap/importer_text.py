"""The words of another's message, cut to what ours can hold; every cut is named."""

import unicodedata

from broadcaster.cap.findings import Finding
from broadcaster.cap.model import CapInfo
from schemas.content import Text, visible

_HEADLINE, _DESCRIPTION, _INSTRUCTION = 160, 2000, 1000


def text(info: CapInfo, notes: list[Finding]) -> Text:
    """One language of the content; notes what was cut or stands in for what is missing."""
    headline = _line(info.headline) or _line(info.event)
    description = _clean(info.description) or headline
    instruction = _clean(info.instruction)
    return Text(
        headline=_cut("headline", headline or "?", _HEADLINE, notes),
        description=_cut("description", description or "?", _DESCRIPTION, notes),
        instruction=_cut("instruction", instruction, _INSTRUCTION, notes) if instruction else None,
    )


def _cut(name: str, whole: str, most: int, notes: list[Finding]) -> str:
    if len(whole) <= most:
        return whole
    notes.append(Finding("W-cut", f"{name}: {len(whole)} characters, cut to {most}"))
    return whole[: most - 1].rstrip() + "…"


def _clean(given: str | None) -> str:
    # Before it is measured, as content.py does; what it forbids becomes a space.
    told = visible(given or "").replace("\r\n", "\n").replace("\r", "\n")
    kept = (" " if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Co"} else c for c in told)
    return "\n".join(" ".join(line.split()) for line in "".join(kept).split("\n")).strip()


def _line(given: str | None) -> str:
    return " ".join(_clean(given).split())
