"""The breaker of push: a provider that is down is left alone, and found when it is back."""

from hypothesis import given
from hypothesis import strategies as st

from channels.gateway import Recipient, Result
from channels.push.pauses import (
    DOWN,
    DOWN_LONGEST,
    DOWN_STREAK,
    PLATFORM_PAUSE,
    PLATFORM_STREAK,
    QUOTA_STREAK,
    Pauses,
)
from schemas.dispatch import Outcome

PHONE = Recipient(0, 0, "phone", "token", "android", "vi")
OK = Result(0, Outcome.ACCEPTED)
DOWN_NOW = Result(0, Outcome.DEFERRED, "UNAVAILABLE")
IPHONE = PHONE._replace(platform="ios")
REFUSED = Result(0, Outcome.DEFERRED, "THIRD_PARTY_AUTH_ERROR")
SPENT = Result(0, Outcome.DEFERRED, "QUOTA_EXCEEDED", 30.0)


class Desk:
    """Pauses, and the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.spent: list[float] = []
        self.pauses = Pauses(self.spent.append, lambda: self.now)


@given(st.lists(st.sampled_from([OK, DOWN_NOW]), max_size=200))
def test_only_a_row_of_failures_closes_it(answers: list[Result]) -> None:
    desk, row = Desk(), 0
    for answer in answers:
        desk.pauses.heard(PHONE, answer)
        row = row + 1 if answer is DOWN_NOW else 0
        if row >= DOWN_STREAK:
            break
        assert desk.pauses.of(PHONE) is None
    found = desk.pauses.of(PHONE)
    assert (found is not None) == (row >= DOWN_STREAK)
    if found:
        assert (found.outcome, found.reason) == (Outcome.DEFERRED, DOWN)


def test_ten_minutes_cost_few_tries_and_the_next_is_never_far() -> None:
    desk, tries = Desk(), 0
    while desk.now < 600:
        for _ in range(DOWN_STREAK):
            desk.pauses.heard(PHONE, DOWN_NOW)
            tries += 1
        assert 0 < desk.pauses.rest() <= DOWN_LONGEST
        desk.now += desk.pauses.rest()
        assert desk.pauses.of(PHONE) is None, "it is tried again"
    assert tries <= 50 * DOWN_STREAK
    desk.pauses.heard(PHONE, OK)
    for _ in range(DOWN_STREAK - 1):
        desk.pauses.heard(PHONE, DOWN_NOW)
    assert desk.pauses.rest() == 0, "it began anew"
    desk.pauses.failed()
    assert 0 < desk.pauses.rest() <= 1


def test_its_own_wish_is_heeded() -> None:
    desk = Desk()
    for _ in range(DOWN_STREAK):
        desk.pauses.heard(PHONE, DOWN_NOW._replace(retry_after=120.0))
    assert desk.pauses.rest() == 120


def test_that_the_quota_is_spent_is_told_once() -> None:
    desk = Desk()
    for _ in range(3 * QUOTA_STREAK):
        desk.pauses.heard(PHONE, SPENT)
    assert desk.spent == [30.0]
    assert desk.pauses.rest() == 30


def test_the_tokens_of_a_stranger_stop_nobody_else() -> None:
    desk = Desk()
    desk.pauses.heard(IPHONE, REFUSED)
    assert desk.pauses.of(IPHONE) is None, "one says nothing of all"
    desk.pauses.heard(IPHONE, OK)
    for _ in range(50 * PLATFORM_STREAK):
        desk.pauses.heard(IPHONE, REFUSED)
    assert desk.pauses.of(IPHONE) is None, "our keys were good a moment ago"


def test_keys_that_are_refused_stop_their_platform_alone() -> None:
    desk = Desk()
    desk.pauses.heard(IPHONE, OK)
    desk.now += PLATFORM_PAUSE
    for _ in range(PLATFORM_STREAK):
        assert desk.pauses.of(IPHONE) is None
        desk.pauses.heard(PHONE, OK)
        desk.pauses.heard(IPHONE, REFUSED)
    found = desk.pauses.of(IPHONE)
    assert found is not None
    assert found.reason == "THIRD_PARTY_AUTH_ERROR"
    assert desk.pauses.of(PHONE) is None
    desk.now += PLATFORM_PAUSE
    assert desk.pauses.of(IPHONE) is None, "it is tried again"
