"""What the ledger keeps of results: those that differ in nothing but the rank as one, by runs of ranks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from channels.gateway import Result
from schemas.dispatch import Outcome


def packed(results: Iterable[Result]) -> list[list[Any]]:
    """JSON for these: each entry the runs `[first, last]` of ranks, then the result's other fields."""
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for result in results:
        alike[result[1:]].append(result.rank)
    return [[_runs(sorted(ranks)), *rest] for rest, ranks in alike.items()]


def unpacked(entries: Iterable[Sequence[Any]]) -> tuple[Result, ...]:
    """The results of what `packed` made, one a rank and in its order; a note that was made twice is one."""
    found: dict[int, Result] = {}
    for runs, outcome, *rest in entries:
        # A house that is upgraded in the middle of a dispatch has entries of one rank each.
        pairs = [(runs, runs)] if isinstance(runs, int) else runs
        for first, last in pairs:
            for rank in range(first, last + 1):
                found[rank] = Result(rank, Outcome(outcome), *rest)
    return tuple(found[rank] for rank in sorted(found))


def _runs(ranks: Iterable[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and runs[-1][1] == rank - 1:
            runs[-1][1] = rank
        else:
            runs.append([rank, rank])
    return runs
