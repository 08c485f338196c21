"""How messages are shared out among providers: by weight, and step by step away from one that ails.

Pure: what was seen of each provider goes in, the shares from now on come out. The steps are bounded, so
that a hiccup moves little and a recovering provider is not flooded; the floor keeps a trickle on an ailing
one, for only a message can show that it has recovered. (GOV.UK Notify gave up all-at-once failover for
such steps in 2020.)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


@dataclass(frozen=True)
class Policy:
    """How fast shares move. Shares are parts of all messages, 0..1."""

    every: timedelta = timedelta(seconds=5)
    """Shares move no more often."""
    step_away: float = 0.2
    """The most that leaves one provider at once."""
    step_back: float = 0.05
    """The most that comes back to all of them at once."""
    calm: timedelta = timedelta(seconds=30)
    """How long a provider must have been well before anything comes back."""
    floor: float = 0.02
    """What an ailing provider keeps, unless its own weight is less."""
    failing: float = 0.1
    """The part of failed answers from which a provider ails."""
    slow: float = 2.0
    """The mean seconds to an answer from which a provider ails."""
    least: int = 20
    """Fewer answers than these say nothing."""


class Seen(NamedTuple):
    """What was seen of one provider: answers, how many of them were failures, seconds they all took."""

    answers: int = 0
    failed: int = 0
    seconds: float = 0.0
    down: bool = False
    """There is no line to it."""

    def and_then(self, more: "Seen") -> "Seen":
        """Both, one after the other; whether it is down is the later's word."""
        return Seen(
            self.answers + more.answers, self.failed + more.failed, self.seconds + more.seconds, more.down
        )


class Share(NamedTuple):
    """One provider's part. `since` is when it was last seen ailing; None: never, or it is whole again."""

    weight: float
    share: float
    since: datetime | None = None


Shares = Mapping[str, Share]


def rest(weights: Mapping[str, float]) -> dict[str, Share]:
    """Shares as the weights say. Raises ValueError where there is none, or one is not positive."""
    if not weights or min(weights.values()) <= 0:
        raise ValueError("weights: at least one, and each more than 0")
    total = sum(weights.values())
    return {name: Share(weight, weight / total) for name, weight in weights.items()}


def judged(policy: Policy, seen: Seen) -> bool | None:
    """Whether it ails; None where too little was seen to say."""
    if seen.down:
        return True
    if seen.answers < policy.least:
        return None
    return seen.failed >= policy.failing * seen.answers or seen.seconds >= policy.slow * seen.answers


def adjust(policy: Policy, shares: Shares, seen: Mapping[str, Seen], at: datetime) -> dict[str, Share]:
    """The shares from `at` on. They always add up to 1, and where all ail they stay as they are."""
    verdicts = {name: judged(policy, seen.get(name, Seen())) for name in shares}
    ailing = {name for name, verdict in verdicts.items() if verdict}
    now = {name: share._replace(since=at) if name in ailing else share for name, share in shares.items()}
    if ailing and len(ailing) < len(now):
        return _away(policy, now, ailing)
    well = {
        name
        for name, share in now.items()
        if share.since is not None and verdicts[name] is False and at - share.since >= policy.calm
    }
    return _back(policy, now, well) if well else now


def _away(policy: Policy, shares: dict[str, Share], ailing: Collection[str]) -> dict[str, Share]:
    total = sum(share.weight for share in shares.values())
    moved = {
        name: max(0.0, min(policy.step_away, share.share - min(policy.floor, share.weight / total)))
        for name, share in shares.items()
        if name in ailing
    }
    taking = sum(share.weight for name, share in shares.items() if name not in ailing)
    gained = sum(moved.values())
    return {
        name: share._replace(share=share.share - moved[name])
        if name in ailing
        else share._replace(share=share.share + gained * share.weight / taking)
        for name, share in shares.items()
    }


def _back(policy: Policy, shares: dict[str, Share], well: Collection[str]) -> dict[str, Share]:
    total = sum(share.weight for share in shares.values())
    owed = {name: share.weight / total - share.share for name, share in shares.items()}
    wanted = {name: owed[name] for name in well if owed[name] > 0}
    spare = {name: -owed[name] for name in shares if owed[name] < 0}
    moved = min(policy.step_back, sum(wanted.values()), sum(spare.values()))
    if moved <= 0:
        return {n: s._replace(since=None) if n in well else s for n, s in shares.items()}
    return {
        name: share._replace(
            share=share.share
            + moved * wanted.get(name, 0.0) / sum(wanted.values())
            - moved * spare.get(name, 0.0) / sum(spare.values())
        )
        for name, share in shares.items()
    }


def pick(shares: Mapping[str, float], credit: Mapping[str, float]) -> tuple[str, dict[str, float]]:
    """The provider for the next message, and the credits after it (none to begin with).

    No chance is in it: of any run of messages each provider gets its share, one message off at most for
    each other provider. `shares` are of those that may be picked, not empty, and need not add up to 1.
    """
    total = sum(shares.values())
    after = {name: credit.get(name, 0.0) + share / total for name, share in shares.items()}
    name = max(after, key=lambda one: after[one])
    after[name] -= 1.0
    return name, after
