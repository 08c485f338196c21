"""The order of an audience: which subscriber has which rank, and where each rank's home is. Pure."""

from base64 import b64decode
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from pyroaring import BitMap64

from schemas.events import AudienceFrozen


class Group(NamedTuple):
    """Subscribers with their home in one area; "" where the audience does not tell homes."""

    area: str
    ids: BitMap64


class RankOrder:
    """Ranks count through the groups, and within a group by ascending id.

    A slice therefore holds few areas (one or two of a city's), which keeps a receipt small that
    counts by area; and those whose home is named are served before those who follow from elsewhere.
    """

    def __init__(self, groups: Sequence[Group], first: int = 0) -> None:
        """`first` is the rank they begin with."""
        self._groups = [group for group in groups if group.ids]
        self._starts = list(accumulate((len(group.ids) for group in self._groups), initial=first))

    def __len__(self) -> int:
        return self._starts[-1] - self._starts[0]

    def ids(self, first: int, last: int) -> list[int]:
        """The subscribers with the ranks from `first` to `last`, last excluded."""
        # A slice, then plain indexing: selecting each rank in a bitmap costs far more.
        return [id_ for group, start, end in self._within(first, last) for id_ in group.ids[start:end]]

    def _within(self, first: int, last: int) -> Iterator[tuple[Group, int, int]]:
        for number in range(max(0, bisect_right(self._starts, first) - 1), len(self._groups)):
            group, begins = self._groups[number], self._starts[number]
            if begins >= last:
                return
            yield group, max(0, first - begins), min(len(group.ids), last - begins)


def runs(counts: Sequence[tuple[str, int]], size: int) -> Iterator[tuple[tuple[str, int], ...]]:
    """The homes of each slice of `size` ranks: areas in order, and how many ranks in a row."""
    made: list[tuple[str, int]] = []
    room = size
    for area, count in counts:
        left = count
        while left:
            taken = min(left, room)
            made.append((area, taken))
            left, room = left - taken, room - taken
            if not room:
                yield tuple(made)
                made, room = [], size
    if made:
        yield tuple(made)


def groups_of(event: AudienceFrozen) -> list[Group]:
    """The event's groups; all in one without an area where it does not tell homes."""
    if not event.groups:
        return [Group("", BitMap64.deserialize(b64decode(event.bitmap)))]
    return [Group(each.area, BitMap64.deserialize(b64decode(each.bitmap))) for each in event.groups]
