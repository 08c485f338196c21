"""How the areas of one edition of the register follow from those of another. Pure.

People are what is followed: an area is linked to each that took residents of it. From an older
edition to a newer one a set of areas becomes all that any of them became; the other way, all that
became any of them. Both err on the side of reaching someone.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from broadcaster.areas import AreaRegister, Edition
from schemas.areas import AreaTree, Succession, UnknownAreaError

Links = Mapping[str, tuple[str, ...]]
"""Each area of an edition with those of the next that took its residents, the likeliest home first."""


def successors(before: AreaTree, after: AreaTree, successions: Iterable[Succession]) -> Links:
    """Each old area's new ones that took residents, the likeliest home first.

    That is one that took all of them before one that took some, and of several the one with most
    people. An area no succession names stayed as it was; one above that is no more is what its leaves
    became. Raises UnknownAreaError for an area that went nowhere.
    """

    def likely(succession: Succession) -> tuple[bool, int]:
        population = after[succession.new_code].population or 0 if succession.new_code in after else 0
        return succession.coverage == "part", -population

    found: dict[str, list[str]] = {}
    for succession in sorted(successions, key=likely):
        if succession.populated:
            found.setdefault(succession.old_code, []).append(succession.new_code)

    def of(code: str) -> tuple[str, ...]:
        if before.is_leaf(code) and code in found:
            return tuple(found[code])
        if code in after and before.is_leaf(code) == after.is_leaf(code):
            return (code,)
        if before.is_leaf(code):
            raise UnknownAreaError(after.edition, code)
        return tuple(dict.fromkeys(new for leaf in before.leaves(code) for new in of(leaf.code)))

    return {area.code: of(area.code) for area in before}


class Atlas:
    """The links between all editions of a register, made when first asked for."""

    def __init__(self, register: AreaRegister) -> None:
        self.register = register
        self._order = sorted(register.editions, key=lambda edition: edition.effective_on)
        self._links: dict[str, Links] = {}

    def steps(self, upto: Edition) -> list[tuple[Edition, Edition]]:
        """Each edition with the next, in order, up to this one."""
        return [pair for pair in pairwise(self._order) if pair[1].effective_on <= upto.effective_on]

    def links(self, before: Edition, after: Edition) -> Links:
        """From an edition to the next. Raises UnknownAreaError where the log does not say enough."""
        if after.name not in self._links:
            self._links[after.name] = successors(before.tree, after.tree, after.successions)
        return self._links[after.name]

    def translated(self, codes: Iterable[str], before: str, after: str) -> frozenset[str]:
        """These areas of one edition in the codes of another. Raises LookupError."""
        names = [edition.name for edition in self._order]
        start, end = (names.index(self.register.edition(name).name) for name in (before, after))
        found = frozenset(codes)
        for step in range(start, end):
            links = self.links(self._order[step], self._order[step + 1])
            found = frozenset(new for old in found for new in links.get(old, ()))
        for step in range(start, end, -1):
            links = self.links(self._order[step - 1], self._order[step])
            found = frozenset(old for old, news in links.items() if not found.isdisjoint(news))
        return found

    def whole(self, code: str, before: str, after: str) -> str | None:
        """What a place in the area is called now; None where its land was parted, or nobody can say."""
        names = [edition.name for edition in self._order]
        start, end = (names.index(self.register.edition(name).name) for name in (before, after))
        for old, new in pairwise(self._order[start : end + 1]):
            parts = [one.new_code for one in new.successions if one.old_code == code]
            if len(parts) > 1 or code not in old.tree:
                return None
            stays = code in new.tree and old.tree.is_leaf(code) == new.tree.is_leaf(code)
            if not parts and not stays:
                return None
            code = parts[0] if parts else code
        return code

    def addressed(self, codes: Iterable[str], before: str, after: str) -> frozenset[str]:
        """The same for these areas and all below them: where an alert to them is heard."""
        tree = self.register.edition(before).tree
        spans = tree.spans(codes)
        within = {tree.at(number).code for one in spans for number in range(one.first, one.last + 1)}
        return frozenset(within) if before == after else self.translated(within, before, after)

    def covering(self, codes: Iterable[str], edition: str) -> dict[str, list[str]]:
        """By edition, the codes whose alerts are for these areas: the areas, and those above them."""
        found: dict[str, list[str]] = {}
        for each in self._order:
            try:
                own = self.translated(codes, edition, each.name)
            except UnknownAreaError:
                continue  # Nobody said what became of them.
            tree = each.tree
            found[each.name] = sorted({up for code in own for up in (code, *tree.ancestors(code))})
        return found
