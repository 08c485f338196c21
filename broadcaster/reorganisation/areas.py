"""What happens to the areas, sorted by kind. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from broadcaster.atlas import Links
from schemas.areas import Area, AreaTree


@dataclass(frozen=True)
class Change:
    """Old areas and what they become."""

    old: tuple[Area, ...]
    new: tuple[Area, ...]


@dataclass(frozen=True)
class AreaChanges:
    """Each kind of change; an area that was split and whose part was merged is in both."""

    merged: tuple[Change, ...]
    """One new area that took residents of several."""
    split: tuple[Change, ...]
    """One old area whose residents are in several now."""
    renamed: tuple[Change, ...]
    """The same place and code, under another name."""
    recoded: tuple[Change, ...]
    """The same place under another code."""
    abolished: tuple[Area, ...]
    """Areas above the lowest level that are no more."""
    created: tuple[Area, ...]
    """Areas above the lowest level that there were not."""
    unchanged: int
    """Areas with the code, name and residents that they had."""


def changes(before: AreaTree, after: AreaTree, links: Links) -> AreaChanges:
    """How one edition becomes the next."""
    leaves = [area for area in before if before.is_leaf(area.code)]
    sources: dict[str, list[str]] = {}
    for area in leaves:
        for new in links[area.code]:
            sources.setdefault(new, []).append(area.code)
    alone = {
        area.code: links[area.code][0]
        for area in leaves
        if len(links[area.code]) == 1 and len(sources[links[area.code][0]]) == 1
    }
    stays = [area for area in before if not before.is_leaf(area.code) and links[area.code] == (area.code,)]
    pairs = [(area, after[alone[area.code]]) for area in leaves if area.code in alone]
    pairs += [(area, after[area.code]) for area in stays]
    kept = {area.code for area in stays}
    return AreaChanges(
        merged=tuple(
            Change(_areas(before, olds), (after[new],))
            for new, olds in sorted(sources.items())
            if len(olds) > 1
        ),
        split=tuple(
            Change((area,), _areas(after, links[area.code])) for area in leaves if len(links[area.code]) > 1
        ),
        renamed=tuple(Change((a,), (b,)) for a, b in pairs if a.code == b.code and a.name != b.name),
        recoded=tuple(Change((a,), (b,)) for a, b in pairs if a.code != b.code),
        abolished=tuple(area for area in before if not before.is_leaf(area.code) and area.code not in kept),
        created=tuple(area for area in after if not after.is_leaf(area.code) and area.code not in kept),
        unchanged=sum(1 for a, b in pairs if (a.code, a.name) == (b.code, b.name)),
    )


def _areas(tree: AreaTree, codes: Iterable[str]) -> tuple[Area, ...]:
    return tuple(tree[code] for code in codes)
