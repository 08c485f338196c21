"""Synthetic subscribers for demonstrations and load tests: no one lives here."""

import csv
import random
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path

from broadcaster.reference import categories
from broadcaster.registry.lines import HEADER
from schemas.areas import Area, AreaTree

_PLATFORMS = ("android", "android", "android", "ios", "ios", "web")
_FOLLOWER_SHARE, _OPT_OUT_SHARE, _ENGLISH_SHARE = 0.08, 0.03, 0.05
_NO_TOKEN_SHARE = 1 / 3  # of those with a phone
_NUMBERS = 5 * 10**7
_STEP = 61_803_399  # shares no factor with _NUMBERS: every number comes once before any comes again
_REFUSED_ENDING = 1  # the SMSC sandbox refuses numbers ending in 0000001
_REFUSED = 10


def weights(tree: AreaTree) -> dict[str, float]:
    """How many people live in each leaf: its own figure, or an even part of the one above it."""
    found: dict[str, float] = {}

    def spread(area: Area, share: float) -> None:
        people = area.population if area.population is not None else share
        below = tree.children(area.code)
        if not below:
            found[area.code] = people
        for child in below:
            spread(child, people / len(below))

    spread(tree[tree.root], 1.0)
    return found


def write_people(
    path: Path,
    count: int,
    tree: AreaTree,
    seed: int,
    *,
    gone_share: float = 0.02,
    phone_share: float = 0.15,
) -> None:
    """Writes a file for `subscriber_import`: the same arguments, the same bytes.

    Homes follow the population. `gone_share` of the tokens begin with "gone-": the push sandbox calls
    them unregistered. `phone_share` of the people have a number, a third of those no token; at most
    ten numbers end in 0000001, which the SMSC sandbox refuses.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret, the same again)
    people = weights(tree)
    bounds = list(accumulate(people.values()))
    codes = list(people)
    every = [area.code for area in tree]
    topics = sorted(categories())
    first_number = chance.randrange(_NUMBERS)
    with path.open("w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEADER)
        numbers = 0
        for index, home in enumerate(chance.choices(codes, cum_weights=bounds, k=count)):
            token, phone, kind, platform = _token(chance, seed, index, gone_share), "", "token", ""
            if chance.random() < phone_share:
                phone = _phone(first_number, numbers)
                numbers += 1
                if chance.random() < _NO_TOKEN_SHARE:
                    token, kind = "", ""
            if token:
                platform = chance.choice(_PLATFORMS)
            further = (
                chance.sample(every, chance.randint(1, 3)) if chance.random() < _FOLLOWER_SHARE else []
            )
            unwanted = (
                chance.sample(topics, chance.randint(1, 3)) if chance.random() < _OPT_OUT_SHARE else []
            )
            locale = "en" if chance.random() < _ENGLISH_SHARE else "vi"
            rows.writerow(
                (token, kind, platform, phone, home, ";".join(further), locale, ";".join(unwanted))
            )


def _token(chance: random.Random, seed: int, index: int, gone_share: float) -> str:
    digest = blake2b(f"{seed}/{index}".encode(), digest_size=16).hexdigest()
    return f"{'gone' if chance.random() < gone_share else 'tok'}-{digest}"


def _phone(first: int, index: int) -> str:
    """The index-th number: an even one, so never a refused one; its step makes all of them different."""
    if index % 100 == 0 and index // 100 < _REFUSED:
        return f"+849{index // 100}{_REFUSED_ENDING:07d}"
    return f"+849{2 * ((first + index * _STEP) % _NUMBERS):08d}"
