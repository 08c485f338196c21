"""Orders to a channel, and the records of what came of them."""

from schemas.dispatch.order import Dispatch, Ranks, TopicShare, dispatch_subject
from schemas.dispatch.outcome import FINAL, Fate, Outcome
from schemas.dispatch.receipt import Later, Receipt

__all__ = [
    "FINAL",
    "Dispatch",
    "Fate",
    "Later",
    "Outcome",
    "Ranks",
    "Receipt",
    "TopicShare",
    "dispatch_subject",
]
