"""An audience parted between topics and tokens: everyone once, and the same each time."""

from base64 import b64decode, b64encode
from collections import Counter
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from projections.fanout import plan, waves
from projections.fanout.order import groups_of
from projections.fanout.topics import Carried, names, parted
from schemas.content import Channel
from schemas.events import AudienceFrozen, Event, HomeGroup
from tests.following import audience

AREAS = ("00001", "00004", "00007")
PEOPLE = st.dictionaries(
    st.integers(0, 60), st.tuples(st.sampled_from(AREAS), st.sampled_from(("vi", "en", ""))), min_size=1
)


def city(people: dict[int, tuple[str, str]]) -> AudienceFrozen:
    """An audience that tells homes."""
    homes = {area: BitMap64(n for n, (home, _) in people.items() if home == area) for area in AREAS}
    groups = tuple(
        HomeGroup(area=area, bitmap=b64encode(ids.serialize()).decode())
        for area, ids in homes.items()
        if ids
    )
    everyone = BitMap64(people).serialize()
    return audience(0).model_copy(
        update={
            "count": len(people),
            "bitmap": b64encode(everyone).decode(),
            "sha256": sha256(everyone).hexdigest(),
            "by_area": {area: len(ids) for area, ids in homes.items() if ids},
            "groups": groups,
            "slice_size": 4,
        }
    )


def topics_of(people: dict[int, tuple[str, str]]) -> list[Carried]:
    """By home and language; who has none is in no topic."""
    found: dict[tuple[str, str], BitMap64] = {}
    for number, (home, language) in people.items():
        if language:
            found.setdefault((home, language), BitMap64()).add(number)
    return [Carried(f"hn-{home}-{language}", language, ids) for (home, language), ids in found.items()]


@given(PEOPLE, st.sets(st.integers(0, 60), max_size=3))
def test_everyone_is_in_one_part_and_strangers_keep_a_topic_out(
    people: dict[int, tuple[str, str]], strangers: set[int]
) -> None:
    carried = [
        each._replace(ids=each.ids | BitMap64(n for n in strangers if n not in people))
        if not number
        else each
        for number, each in enumerate(topics_of(people))
    ]
    whole = city(people)
    parts = parted(whole, carried)
    ids = [waves.members(part) for part in parts]
    assert Counter(n for part in ids for n in part) == Counter(list(people))
    fit = {each.name for each in carried if each.ids <= BitMap64(people)}
    assert names(parts) == fit
    joined = waves.joined(parts)
    assert joined is not None
    # A set of people may be written in more than one way, so another history of it is compared as a set.
    assert (waves.members(joined), joined.count) == (waves.members(whole), whole.count)
    assert sets(joined) == sets(whole)
    assert joined.sha256 == sha256(b64decode(joined.bitmap)).hexdigest()
    assert joined.by_area == whole.by_area
    assert not joined.topics
    orders = [order for part in parts for order in plan.slices(part)]
    assert len({order.id for order in orders}) == len(orders)
    assert sum(order.people for order in orders) == len(people)
    for part in parts:
        assert sum(part.by_area.values()) == part.count
    # The same history is the same bytes: what a rebuild reads back comes to nothing else.
    again = [_loaded(part) for part in parts]
    assert parted(_loaded(whole), carried) == again == parts
    assert waves.joined(again) == joined


def _loaded(part: AudienceFrozen) -> AudienceFrozen:
    event = Event.load(part.TOPIC, part.originator_id, part.originator_version, part.payload())
    assert isinstance(event, AudienceFrozen)
    return event


def sets(frozen: AudienceFrozen) -> dict[str, BitMap64]:
    """Its people by home."""
    return {group.area: group.ids for group in groups_of(frozen)}


def test_nothing_carried_leaves_it_as_it_was() -> None:
    whole = city({1: ("00001", "vi")})
    assert parted(whole, []) == [whole]
    untold = audience(3, channel=Channel.PUSH)
    assert parted(untold, [Carried("hn-00001-vi", "vi", BitMap64([1]))]) == [untold]
