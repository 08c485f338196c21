"""Quiet hours and the number of people a bulletin takes: the rule, at its boundaries."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.issuer_policy import Policy
from schemas.content import Kind
from schemas.local_time import HANOI
from tests.unit.schemas.examples import CONTENT

BULLETIN = CONTENT.model_copy(update={"kind": Kind.BULLETIN})
DEFAULT = Policy()


def local(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 7, day, hour, minute, second, tzinfo=HANOI).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (local(10, 21, 59, 59), None),
        (local(10, 22), local(11, 6)),
        (local(10, 23, 59, 59), local(11, 6)),
        (local(11, 0), local(11, 6)),
        (local(11, 5, 59, 59), local(11, 6)),
        (local(11, 6), None),
    ],
)
def test_a_bulletin_is_held_from_22_to_6_sharp(at: datetime, until: datetime | None) -> None:
    assert DEFAULT.held_until(BULLETIN, at) == until
    assert DEFAULT.held_until(CONTENT, at) is None


def test_hours_within_one_day_and_no_hours() -> None:
    noon = Policy(quiet_from=time(12), quiet_until=time(13, 30))
    assert noon.held_until(BULLETIN, local(10, 12)) == local(10, 13, 30)
    assert noon.held_until(BULLETIN, local(10, 13, 30)) is None
    assert noon.held_until(BULLETIN, local(10, 11, 59)) is None
    assert Policy(False, None, None).held_until(BULLETIN, local(10, 23)) is None


@given(
    st.times().map(lambda each: each.replace(microsecond=0)),
    st.times().map(lambda each: each.replace(microsecond=0)),
    st.integers(0, 2 * 86_400),
)
def test_what_is_held_may_go_out_at_the_end_and_what_is_not_is_outside(
    begins: time, ends: time, offset: int
) -> None:
    policy = Policy(quiet_from=begins, quiet_until=ends)
    at = local(10, 0) + timedelta(seconds=offset)
    until = policy.held_until(BULLETIN, at)
    if until is None:
        return
    assert at < until <= at + timedelta(days=1)
    assert until.astimezone(HANOI).time() == ends
    if begins != ends:
        assert policy.held_until(BULLETIN, until) is None
        assert policy.held_until(BULLETIN, until - timedelta(seconds=1)) == until
