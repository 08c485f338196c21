"""What a push service's answer means (RFC 8030 §5, §7.3; RFC 8292 §4.2)."""

from collections.abc import Callable
from datetime import datetime

from channels.gateway import Result
from channels.push.answers import seconds
from channels.push.request import Reply
from schemas.dispatch import Outcome

TAKEN = range(200, 300)
GONE = {404: "SUBSCRIPTION_EXPIRED", 410: "SUBSCRIPTION_GONE"}
UNTRUSTED = {401: "VAPID_REFUSED", 403: "VAPID_REFUSED"}
"""Our key, our clock, or a subscription by another key: nobody is erased for it."""
TOO_MANY = 429
LOST = (502, 504)
"""From something on the way, that may have lost the real answer."""
PAUSE = 60.0
"""Seconds, where the service names none."""


def read_answer(rank: int, reply: Reply, clock: Callable[[], datetime]) -> Result:
    """The result for the recipient of this rank. A redirection is not followed, and final."""
    status = reply.status
    if status in TAKEN:
        return Result(rank, Outcome.ACCEPTED)
    if status in GONE:
        return Result(rank, Outcome.GONE, GONE[status])
    wish = seconds(reply.retry_after, clock()) if reply.retry_after else None
    if status in UNTRUSTED:
        return Result(rank, Outcome.DEFERRED, UNTRUSTED[status], PAUSE if wish is None else wish)
    if status == TOO_MANY:
        return Result(rank, Outcome.DEFERRED, "TOO_MANY_REQUESTS", PAUSE if wish is None else wish)
    if status >= 500:  # noqa: PLR2004 (HTTP's own number)
        return Result(rank, Outcome.DEFERRED, f"HTTP_{status}", wish, ambiguous=status in LOST)
    return Result(rank, Outcome.REFUSED, f"HTTP_{status}")
