"""How often Python's collector looks for cycles in a process that handles events in bulk."""

import gc

STEADY = 20_000
"""New objects between two looks, for a process that stays: what a cycle holds is free again soon."""
PAGES = 5_000
"""For one that draws pages for people: each leaves some 500 objects in circles, and at 20,000 of them every
thirtieth page waited 20 ms for a look; so it waits 2."""
BULK = 200_000
"""For one that goes through the log and ends. A page of 2000 events is some 50,000 objects without a
cycle, freed with their last reference: a look finds nothing, and costs as much as reading them."""


def settle(between: int = STEADY) -> None:
    """What start-up made stays to the end; without this the collector walks over it again and again."""
    gc.freeze()
    gc.set_threshold(between, 20, 50)
