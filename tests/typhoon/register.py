"""The area register as the files have it, read by nobody's code but this: what the oracle believes."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "broadcaster" / "data" / "hanoi"
BEFORE, AFTER = "2020-03-01", "2025-01-01"


@dataclass(frozen=True)
class Edition:
    """Codes with what they are parts of, and each with all above it."""

    name: str
    parents: dict[str, str]
    chains: dict[str, frozenset[str]]

    def lies_in(self, code: str, areas: Iterable[str]) -> bool:
        """Whether the area is one of these, or part of one."""
        return not self.chains.get(code, frozenset()).isdisjoint(areas)

    @property
    def communes(self) -> list[str]:
        """Where people live."""
        return sorted(set(self.parents) - set(self.parents.values()))


@cache
def edition(name: str) -> Edition:
    """As its file has it."""
    with (FOLDER / f"areas_{name}.csv").open(encoding="utf-8") as file:
        parents = {row["code"]: row["parent_code"] for row in csv.DictReader(file)}
    return Edition(name, parents, {code: frozenset(_chain(parents, code)) for code in parents})


def _chain(parents: dict[str, str], code: str) -> list[str]:
    return [code, *_chain(parents, parents[code])] if code else []


@cache
def became() -> dict[str, tuple[str, ...]]:
    """Each commune before, with those that took its people; several where it was parted."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    with (FOLDER / f"succession_{AFTER}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["old_code"]].append(row["new_code"])
    return {code: tuple(found.get(code, (code,))) for code in edition(BEFORE).parents}


def within(body: str, codes: set[str]) -> set[str]:
    """Those of these areas that a body may speak of after; all, where its area is not the question.

    Of a commune that was parted one part may have gone to a neighbour, and is no longer its own.
    """
    after = edition(AFTER)
    return {code for code in codes if after.lies_in(code, [body])} if body in after.parents else codes


@cache
def sources() -> dict[str, frozenset[str]]:
    """Each commune after, with those whose people it took."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for old, news in became().items():
        for new in news:
            found[new].add(old)
    return {new: frozenset(olds) for new, olds in found.items()}
