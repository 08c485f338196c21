"""What another's codes and words mean in ours: the category, the areas, the level of risk."""

from collections.abc import Iterable, Mapping

from broadcaster.cap import terms
from broadcaster.cap.model import CapInfo, CapMessage, CapRefusedError
from broadcaster.reference import Category
from schemas.areas import unaccented


def category(info: CapInfo, chosen: str | None, categories: Mapping[str, Category]) -> str:
    """The code: chosen, or by our own event code, or by the event's words, or as the only one of its kind.

    Raises CapRefusedError `category` where none or more than one would do: then a person must choose.
    """
    if chosen is not None:
        return chosen
    for scheme, code in info.event_codes:
        if scheme == terms.EVENT_SCHEME and code in categories:
            return code
    found = _by_words(info.event or "", categories.values())
    if len(found) != 1:
        kind = set(info.categories)
        found = [each for each in found or categories.values() if each.cap_category in kind]
    if len(found) != 1:
        raise CapRefusedError(
            "category", f"event: {(info.event or '')[:80]!r} is not one of our categories; name one"
        )
    return found[0].code


def _by_words(event: str, categories: Iterable[Category]) -> list[Category]:
    """Those that a name of theirs fits best: the longest phrase that the event and the name share."""
    said = f" {unaccented(event)} "
    scored = [(_fit(said, each), each) for each in categories]
    best = max((score for score, _ in scored), default=0)
    return [each for score, each in scored if score == best] if best else []


def _fit(said: str, candidate: Category) -> int:
    names = [*candidate.name.split(","), terms.EVENTS.get(candidate.code, "")]
    phrases = [unaccented(name) for name in names if name.strip()]
    return max((len(phrase) for phrase in phrases if f" {phrase} " in said), default=0)


def area_codes(message: CapMessage, edition: str) -> tuple[tuple[str, ...], bool]:
    """Codes of this edition, each once, and whether any area has none."""
    scheme = terms.SCHEME + edition
    areas = [area for info in message.infos for area in info.areas]
    coded = [[code for name, code in area.geocodes if name == scheme] for area in areas]
    return tuple(dict.fromkeys(code for codes in coded for code in codes)), not all(coded)


def risk_level(info: CapInfo) -> int | None:
    """The level of natural-disaster risk, where the message states it as ours do."""
    for name, value in info.parameters:
        if name == terms.RISK_PARAMETER and value in {"1", "2", "3", "4", "5"}:
            return int(value)
    return None
