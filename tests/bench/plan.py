"""`python -m tests.bench.plan [--recipients N]`: fixing and slicing an audience of the whole city."""

import argparse
import json
import random
import time
from collections.abc import Sequence

from pyroaring import BitMap64

from broadcaster import reference
from projections.fanout import plan
from projections.fanout.order import RankOrder, groups_of
from projections.fanout.plan import Taken
from schemas.content import Channel
from schemas.events import AudienceFrozen
from tests.following import Alert


def main(argv: Sequence[str] | None = None) -> None:
    """Ids are scattered over the communes, which is the worst case for the groups' size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=1_000_000)
    count = parser.parse_args(argv).recipients
    tree = reference.tree("2020-03-01")
    leaves = [leaf.code for leaf in tree.leaves(tree.root)]
    chance = random.Random(1)
    ids: dict[str, list[int]] = {code: [] for code in leaves}
    for number in range(count):
        ids[chance.choice(leaves)].append(number)
    homes = {code: BitMap64(who) for code, who in ids.items() if who}
    everyone = BitMap64(range(count))
    everyone.run_optimize()
    began = time.perf_counter()
    packed = {code: who.serialize() for code, who in homes.items()}
    taken = Taken(everyone.serialize(), {code: len(who) for code, who in homes.items()}, count, packed)
    event = plan.issued(Alert().issued(), Channel.PUSH, taken, None, 500)
    payload = event.payload()
    frozen = time.perf_counter()
    again = AudienceFrozen.load(event.TOPIC, event.originator_id, 1, payload)
    assert isinstance(again, AudienceFrozen)
    dispatches = list(plan.slices(again))
    bodies = [dispatch.model_dump_json(exclude_none=True) for dispatch in dispatches]
    sliced = time.perf_counter()
    order = RankOrder(groups_of(again))
    read = sum(len(order.ids(each.first, each.last)) for each in dispatches)
    done = time.perf_counter()
    assert read == count
    told = {
        "recipients": count,
        "freeze_s": round(frozen - began, 3),
        "slice_s": round(sliced - frozen, 3),
        "read_ranks_s": round(done - sliced, 3),
        "event_bytes": len(payload),
        "dispatches": len(dispatches),
        "dispatch_bytes": round(sum(map(len, bodies)) / max(1, len(bodies))),
        "communes_a_slice": round(sum(len(each.areas) for each in dispatches) / max(1, len(dispatches)), 2),
    }
    for name, value in told.items():
        print(f"{name:<18} {value}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
