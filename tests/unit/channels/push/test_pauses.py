"""The breaker of push: a provider that is down is left alone, and found when it is back."""

from hypothesis import given
from hypothesis import strategies as st

from channels.gateway import Recipient, Result
from channels.push.pauses import DOWN, DOWN_LONGEST, DOWN_STREAK, QUOTA_STREAK, Pauses
from schemas.dispatch import Outcome

PHONE = Recipient(0, 0, "phone", "token", "android", "vi")
OK = Result(0, Outcome.ACCEPTED)
DOWN_NOW = Result(0, Outcome.DEFERRED, "UNAVAILABLE")
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
