"""What can come of one recipient."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one recipient in one attempt; every recipient ends in one that is final."""

    ACCEPTED = "accepted"
    """The provider took it."""
    GONE = "gone"
    """The address no longer exists, and is erased."""
    REFUSED = "refused"
    """The provider will never take it for this recipient."""
    DEFERRED = "deferred"
    """Not now; a follow-up dispatch tries again. Not final."""
    DEAD = "dead"
    """Out of attempts: a dead letter."""
    EXPIRED = "expired"
    """The alert ended before this was sent."""
    SUPERSEDED = "superseded"
    """A later version made this one moot before it was sent."""


FINAL = tuple(outcome for outcome in Outcome if outcome is not Outcome.DEFERRED)


class Fate(StrEnum):
    """What the network says became of an accepted SMS; of most it says nothing."""

    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
