"""Who is not sent to for the moment, and why: all while FCM is down or the quota spent, or one platform."""

from collections.abc import Callable
from time import monotonic

import structlog
from firebase_admin import exceptions

from channels.gateway import Recipient, Result
from channels.pace import backoff
from channels.push.answers import QUOTA, THIRD_PARTY
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

QUOTA_STREAK = 20
"""So many answers in a row that the quota is spent mean the project's; a few, a device's own."""
DOWN_STREAK = 20
"""So many failures in a row, and it is FCM that ails, not a message."""
DOWN_FIRST, DOWN_LONGEST = 1.0, 30.0
"""Seconds it is then left alone, doubling until it answers again."""
DOWN = "PROVIDER_DOWN"
PLATFORM_PAUSE = 60.0
"""Seconds; the city's keys at Apple or at the browsers are not put right sooner."""
PLATFORM_STREAK = 20
"""So many refusals in a row, and nobody of the platform taken for as long as a pause, mean our keys; else
the token is at fault: a stranger may register one that is always refused, and stops nobody else by it."""
OWN_PLATFORM = "android"
"""FCM's own: it has no third party that could refuse us."""
_FAILURES = frozenset({exceptions.UNAVAILABLE, exceptions.INTERNAL, "BAD_REPLY"})
_EVERYONE = ""
_ACCEPTED = Outcome.ACCEPTED
"""Named once: see channels.push.answers."""


class Pauses:
    """What FCM's answers mean for those who have not been sent to yet.

    `spent` is told when the project's quota is, and for how many seconds. `ticks` is a clock of seconds.
    """

    def __init__(
        self, spent: Callable[[float], None] = lambda _: None, ticks: Callable[[], float] = monotonic
    ) -> None:
        self._spent, self._ticks = spent, ticks
        self._known: dict[str, tuple[float, str]] = {}
        self._quota_streak = self._down_streak = self._rests = 0
        self._refusals: dict[str, int] = {}
        self._taken_at: dict[str, float] = {}

    def heard(self, recipient: Recipient, result: Result) -> None:
        """FCM's answer for one recipient."""
        if result.outcome is _ACCEPTED:
            self._down_streak = self._rests = self._quota_streak = 0
            self._taken_at[recipient.platform] = self._ticks()
            self._refusals.pop(recipient.platform, None)
            return
        if result.reason in _FAILURES:
            self.failed(result.retry_after or 0.0)
            return
        self._down_streak = self._rests = 0
        self._quota_streak = self._quota_streak + 1 if result.reason in QUOTA else 0
        if self._quota_streak >= QUOTA_STREAK and not self._resting():
            seconds = result.retry_after or 0.0
            log.warning("push.quota_spent", seconds=seconds)
            self._pause(_EVERYONE, seconds, QUOTA[0])
            self._spent(seconds)
        elif result.reason == THIRD_PARTY and recipient.platform not in ("", OWN_PLATFORM):
            self._refused(recipient.platform, result.retry_after or PLATFORM_PAUSE)

    def _refused(self, platform: str, seconds: float) -> None:
        self._refusals[platform] = row = self._refusals.get(platform, 0) + 1
        taken_at = self._taken_at.get(platform)
        if row < PLATFORM_STREAK or (taken_at is not None and self._ticks() - taken_at < PLATFORM_PAUSE):
            return
        if platform not in self._known:
            log.error("push.platform_refused", platform=platform)
        self._pause(platform, seconds, THIRD_PARTY)

    def failed(self, wish: float = 0.0, count: int = 1) -> None:
        """So many found FCM down, or found no way to it; `wish` is its Retry-After in seconds."""
        if self._resting():
            return  # these had left before
        self._down_streak += count
        if self._down_streak < DOWN_STREAK:
            return
        seconds = max(wish, backoff(self._rests, DOWN_FIRST, DOWN_LONGEST))
        self._rests, self._down_streak = self._rests + 1, 0
        log.warning("push.provider_down", seconds=round(seconds, 1))
        self._pause(_EVERYONE, seconds, DOWN)

    def rest(self) -> float:
        """Seconds until anyone is sent to again; 0 where someone is now."""
        until, _ = self._known.get(_EVERYONE, (0.0, ""))
        return max(0.0, until - self._ticks())

    def of(self, recipient: Recipient) -> Result | None:
        """The result of one who is not sent to now, as nobody is or none of that platform."""
        if not self._known:
            return None
        now = self._ticks()
        self._known = {name: pause for name, pause in self._known.items() if pause[0] > now}
        until, reason = self._known.get(_EVERYONE) or self._known.get(recipient.platform) or (0.0, "")
        return Result(recipient.rank, Outcome.DEFERRED, reason, until - now) if reason else None

    def _resting(self) -> bool:
        return self.rest() > 0

    def _pause(self, platform: str, seconds: float, reason: str) -> None:
        known = self._known.get(platform, (0.0, ""))[0]
        self._known[platform] = (max(known, self._ticks() + seconds), reason)
