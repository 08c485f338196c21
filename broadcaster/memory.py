"""How often Python's collector looks for cycles in a process that handles events in bulk."""

import gc

GC_THRESHOLD = (20_000, 20, 50)
"""A page of events is some 20,000 objects without a cycle: what frees them is their last reference."""


def settle() -> None:
    """What start-up made stays to the end; without this the collector walks over it again and again."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
