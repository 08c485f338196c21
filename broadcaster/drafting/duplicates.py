"""Whether an alert about to go out says what a live one says already. A warning, never a refusal.

The measure is one that can be explained: of the different words of both headlines, folded (no marks,
no case), the share that both have. Two alerts are compared only where somebody could be told twice:
same category and mode, and the same issuer or areas that overlap.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from schemas.areas import AreaTree, unaccented
from schemas.content import Content

ALIKE = 0.6
"""Share of common words from which two headlines are alike: 4 of 6 are, 3 of 6 are not."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Live:
    """A live alert, to compare with."""

    alert_id: UUID
    issuer_id: str
    content: Content
    edition: str | None
    """Of the area register, that its codes belong to."""


@dataclass(frozen=True)
class NearDuplicate:
    """A live alert that says much the same."""

    live: Live
    similarity: float
    """0 to 1; at least ALIKE."""
    same_issuer: bool
    overlapping: bool


def similarity(one: str, other: str) -> float:
    """Jaccard's index of their words; 1 for two texts without a word."""
    left, right = _words(one), _words(other)
    return len(left & right) / len(left | right) if left or right else 1.0


def near_duplicates(
    content: Content, issuer_id: str, alert_id: UUID, live: Iterable[Live], tree: AreaTree
) -> tuple[NearDuplicate, ...]:
    """The live alerts that are much like the content, the likest first. Never the alert itself."""
    found: list[NearDuplicate] = []
    headline, mine = content.text("vi").headline, _spans(content, tree)
    for each in live:
        if each.alert_id == alert_id or each.content.category != content.category:
            continue
        if each.content.mode is not content.mode:
            continue
        same = each.issuer_id == issuer_id
        # Codes of another edition are of other places: such alerts share no area that we could name.
        theirs = _spans(each.content, tree) if each.edition == tree.edition else ()
        overlapping = any(a <= d and c <= b for a, b in mine for c, d in theirs)
        alike = similarity(headline, each.content.text("vi").headline)
        if (same or overlapping) and alike >= ALIKE:
            found.append(NearDuplicate(each, alike, same, overlapping))
    return tuple(sorted(found, key=lambda one: (-one.similarity, str(one.live.alert_id))))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(unaccented(text)))


def _spans(content: Content, tree: AreaTree) -> tuple[tuple[int, int], ...]:
    return tree.spans(code for code in content.areas if code in tree)
